"""Tell git to merge the store with our driver, and take that back.

Two halves have to be there: the attributes, which say which files the driver merges, and its command line. Both go
where all worktrees of a repository look: the attributes into ``info/attributes`` of the common directory, which
beats what is committed, the command into the local configuration. So they come and go together, whatever commit is
checked out. Source: section 5.4 of the merge semantics.
"""

from __future__ import annotations

import os
import shlex
import sys

from jit_hooks.disk.replacing import atomic_write
from jit_hooks.errors import InstallError
from jit_hooks.git.command import Git
from jit_hooks.install.gate import START
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from jit_hooks.install.hook_place import HookPlace

DRIVER = "jit-store"
"""The name of the driver in attributes and configuration."""

TITLE = "merge of the issue store (jit-hooks)"

MERGED = (layout.INDEX, layout.GATES_JSON, layout.LOG, "issues/*.json", "gate-runs/*/result.json")
"""The files that the driver merges; the first three by name."""

NET = "s=$?; case $s in 0|1|3) exit $s;; esac; git merge-file --diff3 -q -L ours -L base -L theirs %A %O %B; exit 1"
"""The end of its line: where the driver is gone or was killed, git merges the text and calls it a conflict."""

_BEGIN = b"# jit-hooks: these files are merged by `jit-hooks merge`; `jit-hooks uninstall` takes these lines away"
_NEW_FILE, _NO_NEWLINE = b" (and this file)", b" (and the line end before them)"
_END = b"# jit-hooks: end"


def command(package_parent: str, stores: Sequence[str]) -> str:
    """The driver's line of the configuration.

    Args:
        package_parent: the directory that holds ``jit_hooks``, absolute.
        stores: where the stores lie from the top, each with a final ``/``.
    """
    words = [os.path.abspath(sys.executable), "-I", "-S", "-c", START, package_parent, "merge"]
    for store in stores:
        if os.path.basename(store.rstrip("/")) != ".jit":
            words += ["--store", store]
    return f"{shlex.join(words).replace('%', '%%')} %O %A %B %P; {NET}"


def stores_of(place: HookPlace) -> tuple[str, ...]:
    """The stores to merge: those there are, else the one to come."""
    return place.stores or (place.store,)


def attributes(stores: Sequence[str]) -> bytes:
    """The lines that name the files to merge."""
    return b"".join(_pattern(store, name) + f" merge={DRIVER}\n".encode() for store in stores for name in MERGED)


def _pattern(store: str, name: str) -> bytes:
    """A pattern that matches below one store only; quoted where git would otherwise read something else."""
    literal = "".join(f"\\{character}" if character in "*?[\\" else character for character in store)
    pattern = os.fsencode(literal + name)
    if all(0x21 <= byte < 0x7F for byte in pattern) and not pattern.startswith((b"#", b"!", b'"', b"[attr]")):
        return pattern
    quoted = b"".join(b"\\%03o" % byte if not 0x20 <= byte < 0x7F else bytes((byte,)) for byte in pattern.replace(
        b"\\", b"\\\\").replace(b'"', b'\\"'))  # fmt: skip
    return b'"' + quoted + b'"'


def attributes_path(place: HookPlace) -> str:
    """The file from which git reads the attributes that hold in all worktrees."""
    return os.path.join(place.common, "info", "attributes")


def split_attributes(data: bytes) -> tuple[bytes, bytes | None, bytes]:
    """The text before our lines, those (None where there are none), and the text behind."""
    start = data.find(_BEGIN)
    end = data.find(_END, start)
    if start < 0 or end < 0:
        return data, None, b""
    heading, _, ours = data[start:end].partition(b"\n")
    before = data[:start]
    if heading.endswith(_NO_NEWLINE):
        before = before.removesuffix(b"\n")
    return before, ours, data[end + len(_END) :].removeprefix(b"\n")


def install_driver(place: HookPlace, package_parent: str) -> str:
    """Write both halves; what was done, in a word."""
    path = attributes_path(place)
    there = _read(path)
    before, ours, behind = split_attributes(there or b"")
    wanted = attributes(stores_of(place))
    line = command(package_parent, stores_of(place))
    if ours == wanted and configured(place) == line:
        return "already installed"
    if ours != wanted:
        heading = _BEGIN
        if not before and not behind and (there is None or there.startswith(_BEGIN + _NEW_FILE)):
            heading += _NEW_FILE
        elif before and not before.endswith(b"\n"):
            heading += _NO_NEWLINE
            before += b"\n"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # A link is written through: it may be shared on purpose.
        atomic_write(os.path.realpath(path), before + heading + b"\n" + wanted + _END + b"\n" + behind)
    git = Git(place.top)
    for name, value in (("name", TITLE), ("driver", line)):
        _configure(git, "--replace-all", f"merge.{DRIVER}.{name}", value)
    return "installed"


def uninstall_driver(place: HookPlace) -> list[str]:
    """Take both halves away; a line for each that was there."""
    lines: list[str] = []
    path = attributes_path(place)
    there = _read(path)
    before, ours, behind = split_attributes(there or b"")
    if ours is not None and there is not None:
        if not before and not behind and there.startswith(_BEGIN + _NEW_FILE):
            os.unlink(path)
        else:
            atomic_write(os.path.realpath(path), before + behind)
        lines.append(f"{place.shown(path)}: our lines are taken away")
    if Git(place.top).ask("config", "--local", "--get-regexp", rf"^merge\.{DRIVER}\.")[0] == 0:
        _configure(Git(place.top), "--remove-section", f"merge.{DRIVER}")
        lines.append(f"merge.{DRIVER} is taken out of the configuration")
    return lines


def configured(place: HookPlace) -> str:
    """The line that git runs as the driver; empty when there is none."""
    status, out, _ = Git(place.top).ask("config", "-z", "--get", f"merge.{DRIVER}.driver")
    return os.fsdecode(out).removesuffix("\0") if status == 0 else ""


def unmarked(place: HookPlace) -> list[str]:
    """Files of the store, an example of each kind, that git would not give to the driver."""
    names = [store + name.replace("*", "0") for store in stores_of(place) for name in MERGED]
    out = Git(place.top).run("check-attr", "-z", "merge", "--", *names)
    words = os.fsdecode(out).split("\0")
    return [name for name, value in zip(words[::3], words[2::3], strict=False) if value != DRIVER]


def _configure(git: Git, *arguments: str) -> None:
    status, _, err = git.ask("config", "--local", *arguments)
    if status:
        why = err.decode("utf-8", "replace").strip()
        raise InstallError(f"git does not take the merge driver into its configuration: {why}")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
