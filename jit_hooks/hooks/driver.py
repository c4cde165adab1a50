"""The merge driver: ``jit-hooks merge %O %A %B %P``, which git runs for every file both sides changed.

It starts for each file by itself, so it imports little. It runs no git, takes no lock and reads nothing of the
tree but the store's settings, and those only when a merge comes to need them. Source: sections 4.3 and 5 of the
merge semantics; git's side of it is in gitattributes(5), "Defining a custom merge driver".
"""

from __future__ import annotations

import os

try:  # what `signal` wraps in enumerations, which cost more than a merge
    import _signal as signal  # type: ignore[import-not-found]
except ImportError:
    import signal

from jit_hooks.merge.conflict import UNFINISHED
from jit_hooks.merge.facts import Facts
from jit_hooks.merge.merging import MERGED, NOT_MERGED, Merged, merge, not_merged
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType
    from typing import BinaryIO

TIME_LIMIT = 60
"""Seconds that a merge of one file may take before it is left to a person whole."""

BLOCK = 1 << 18

HUNK = b"<<<<<<<"
"""How a line of a conflict begins; rerere hands over conflicts without labels and without the base."""

USAGE = 2
LONGEST_VALUE = 60


def main(arguments: list[str]) -> int:
    """Merge one file in place.

    No code is above 128, which git takes for a crash.

    Args:
        arguments: ``--store PREFIX`` for each store that is not called ``.jit``; then git's own: the files that hold
            base, ours and theirs, and the path from the top of the worktree.

    Returns:
        0 merged, 1 something is open, 3 the file was not merged and holds all versions, 2 wrong words.
    """
    stores: list[str] = []
    while arguments[:1] == ["--store"]:
        stores, arguments = [*stores, *arguments[1:2]], arguments[2:]
    if len(arguments) != 4:
        _say("jit-hooks: usage: jit-hooks merge %O %A %B %P, as git calls it")
        return USAGE
    base, ours, theirs, path = arguments
    prefix = next((store for store in stores if path.startswith(store)), path[: path.rfind(".jit/") + len(".jit/")])
    kind = layout.kind_of(path.removeprefix(prefix)) if path.startswith(prefix) else "other"
    try:
        start = _common_start(base, ours, theirs) if kind == "log" else 0
        versions = [_read(name, start) for name in (base, ours, theirs)]
    except OSError as error:
        _say(f"jit-hooks: {_shown(path)}: cannot read what git gave: {_shown(str(error))}")
        _unlink(ours)
        return NOT_MERGED
    if kind != "log" and (versions[1].startswith(HUNK) or b"\n" + HUNK in versions[1]):
        return NOT_MERGED  # git asks to replay a recorded resolution (rerere): hunks carry no id
    try:
        _append_marker(ours, versions[1])
        found = _decide(kind, versions, path, prefix)
        _replace(ours, found, start)
    except OSError as error:
        _unlink(ours)  # git then stops the whole operation and leaves the worktree as it was
        _say(f"jit-hooks: {_shown(path)}: cannot write the merge: {_shown(str(error))}")
        return NOT_MERGED
    for line in _told(found, path, kind):
        _say(line)
    return found.status


def _decide(kind: str, versions: list[bytes], path: str, prefix: str) -> Merged:
    """The merge, or the whole file with the reason: too slow, or a fault of ours."""
    base, ours, theirs = versions
    try:
        with _TimeLimit(TIME_LIMIT):
            return merge(
                kind,
                base,
                ours,
                theirs,
                name=_name_in(kind, path.removeprefix(prefix)),
                facts=_FactsOfTree(prefix),
                labels=_labels(),
            )
    except _TimeLimitError:
        return not_merged(kind, base, ours, theirs, f"it took longer than {TIME_LIMIT} seconds")
    except KeyboardInterrupt:
        return not_merged(kind, base, ours, theirs, "it was interrupted")
    except Exception as error:  # noqa: BLE001
        return not_merged(kind, base, ours, theirs, f"a fault of ours, please report it: {error!r}")


def _name_in(kind: str, path: str) -> str:
    """The name that the path gives the record."""
    if kind == "issue":
        return layout.issue_id_of(path)
    return layout.run_id_of(path) if kind == "run" else ""


class _TimeLimitError(Exception):
    """The time of a merge is up."""


class _TimeLimit:
    """Raises in the block when its time is up; where the system has no alarm clock there is no limit."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._stop)
            signal.alarm(self.seconds)

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "SIGALRM"):
            signal.alarm(0)

    @staticmethod
    def _stop(_: int, __: FrameType | None) -> None:
        raise _TimeLimitError


class _FactsOfTree(Facts):
    """Settings of the store in the worktree, read when asked for.

    Other files of the tree do not hold their merged content yet, so nothing else is read.
    """

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def unique_namespaces(self) -> Collection[str] | None:
        """Namespaces with ``unique = true`` in ``config.toml``; the tracker's own where there is no such file."""
        table = self._table(layout.CONFIG)
        if table is None:
            return None
        from jit_hooks.store.labels import namespaces_of

        return frozenset(name for name, is_unique in namespaces_of(table).items() if is_unique)

    def dropped_events(self) -> Collection[str]:
        """Ids that an `[[accept]]` entry for `event-lost` names."""
        return frozenset(str(entry.get("record")) for entry in self._accepted() if entry.get("code") == "event-lost")

    def schema_version(self) -> int:
        """The newest accepted version of the issue index."""
        versions = [entry.get("schema-version") for entry in self._accepted()]
        return max([2, *(version for version in versions if isinstance(version, int))])

    def _accepted(self) -> list[dict[str, object]]:
        table = self._table(layout.SETTINGS) or {}
        entries = table.get("accept", [])
        found = entries if isinstance(entries, list) else [entries]
        return [entry for entry in found if isinstance(entry, dict)]

    def _table(self, name: str) -> dict[str, object] | None:
        """A file of settings; empty where there is none, None where it cannot be read."""
        import tomllib

        try:
            return tomllib.loads(_read(self._prefix + name).decode("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            return None


def _labels() -> tuple[str, str]:
    """The names of the sides: while git replays commits, "ours" is what is already there, and "theirs" is mine."""
    from jit_hooks.git.state import REPLAYING, is_under_way_here

    if is_under_way_here(REPLAYING):
        return "already here", "being applied"
    return "ours", "theirs"


def _common_start(*names: str) -> int:
    """A byte of three logs, at the start of a line, before which they are equal and need not be held in memory.

    About a block less than could be had: where it begins to matter is for the merge to find.
    """
    buffers = [bytearray(BLOCK) for _ in names]
    at = before = start = 0
    with open(names[0], "rb", 0) as one, open(names[1], "rb", 0) as two, open(names[2], "rb", 0) as three:
        while all(file.readinto(buffer) == BLOCK for file, buffer in zip((one, two, three), buffers, strict=True)):
            if not buffers[0] == buffers[1] == buffers[2]:
                break
            end = buffers[0].rfind(b"\n") + 1
            start, before = before, at + end if end else before
            at += BLOCK
    return start


def _read(name: str, start: int = 0) -> bytes:
    with open(name, "rb") as file:
        file.seek(start)
        return file.read()


def _append_marker(name: str, data: bytes) -> None:
    """Make the file unfit to be committed before anything is decided: a killed driver must not leave one side."""
    with open(name, "ab") as file:
        file.write(UNFINISHED if data.endswith(b"\n") or not data else b"\n" + UNFINISHED)


def _replace(name: str, found: Merged, start: int) -> None:
    """The file with its own first bytes and then the merged ones: a temporary file, on disk, renamed over it."""
    temporary = f"{name}.tmp"
    try:
        with open(temporary, "wb") as file:
            _copy_start(name, start, file)
            file.writelines(found.parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name)
    except OSError:
        _unlink(temporary)
        raise


def _copy_start(name: str, size: int, target: BinaryIO) -> None:
    with open(name, "rb", 0) as file:
        while size:
            block = file.read(min(size, BLOCK))
            if not block:
                message = "the file became shorter"
                raise OSError(message)
            target.write(block)
            size -= len(block)


def _unlink(name: str) -> None:
    if os.path.lexists(name):
        os.unlink(name)


def _say(line: str) -> None:
    """One line on stderr, when there is anybody to hear it."""
    try:
        os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return


def _told(found: Merged, path: str, kind: str) -> Iterator[str]:
    """A line for every open atom and every note but those on save stamps, then what to do."""
    record = _record(path, kind)
    if found.reason:
        yield f"jit-hooks: {record}: not merged: {_shown(found.reason)}"
    names = _labels()
    for conflict in found.conflicts:
        values = (
            f"base {_value(conflict.base)}, {names[0]} {_value(conflict.ours)}, {names[1]} {_value(conflict.theirs)}"
        )
        yield f"jit-hooks: {record}: {_shown('/'.join(conflict.pointer))}: {values}: {_shown(conflict.reason)}"
    for note in found.notes:
        if note.rule != "S1":
            rule = f" ({note.rule})" if note.rule else ""
            yield f"jit-hooks: {record}: {_shown('/'.join(note.pointer))}: {_shown(note.text)}{rule}"
    if found.status != MERGED:
        import shlex

        what = "look at the lines named" if kind == "log" and not found.reason else "edit between the markers"
        yield f"jit-hooks: to finish: {what}, then git add {_shown(shlex.quote(path))}"


def _record(path: str, kind: str) -> str:
    """The short id of an issue or run, else the path."""
    if kind in ("issue", "run"):
        return f"{kind} {_shown(path.split('/')[-1 if kind == 'issue' else -2][:8])}"
    return _shown(path)


def _value(value: object) -> str:
    """A value on one line, short."""
    from jit_hooks.merge.register import Several
    from jit_hooks.merge.values import ABSENT
    from jit_hooks.store.canonical import canonical

    if value is ABSENT:
        return "nothing"
    if type(value) is Several:
        value = list(value.items)
    lines = canonical("", value, sorted_members=False).decode("utf-8", "replace").split("\n")
    text = " ".join(line.strip() for line in lines)
    return _shown(text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…")


def _shown(text: str) -> str:
    """Text of a store, fit for a terminal."""
    if text.isprintable():
        return text
    from jit_hooks.report.visible import visible

    return visible(text)
