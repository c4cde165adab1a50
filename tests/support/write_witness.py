"""An audit hook that tells every write of this process: what it was, where, and which module of ours asked for it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from watched_command import opens_for_writing

import jit_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

PACKAGE = os.path.dirname(os.path.abspath(jit_hooks.__file__))
WRITER = ("journal/", "disk/files.py")
"""The modules that may write: the journal, and the seam through which it does."""

CHANGES = {
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
}
"""Event to where its names stand among its arguments, each with the descriptor of the directory they lie in."""


class Write(NamedTuple):
    """One write: the audit event, the absolute path, and the innermost module of ours, from the package."""

    event: str
    path: str
    module: str


@contextmanager
def writes() -> Iterator[list[Write]]:
    """All writes while this lasts, in order."""
    global _seen
    seen: list[Write] = []
    _seen = seen
    try:
        yield seen
    finally:
        _seen = None


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is None:
        return
    if event == "open" and opens_for_writing(*arguments):
        _note(event, arguments[0], None)
    for name, directory in CHANGES.get(event, ()):
        _note(event, arguments[name], None if directory is None else arguments[directory])


def _note(event: str, name: object, directory: object) -> None:
    assert _seen is not None
    frame = _innermost(sys._getframe(2))
    if event == "open" and frame is not None:
        # The event of an open tells not in which directory; the one seam that opens so has it at hand.
        directory = frame.f_locals.get("holder")
    module = os.path.relpath(frame.f_code.co_filename, PACKAGE) if frame is not None else ""
    if isinstance(name, int):
        path = _where(name)
    else:
        path = os.fsdecode(name)  # type: ignore[arg-type]
        inside = isinstance(directory, int) and directory >= 0
        path = os.path.join(_where(directory) if inside else os.getcwd(), path)  # type: ignore[arg-type]
    _seen.append(Write(event, os.path.normpath(path), module))


def _innermost(frame: FrameType | None) -> FrameType | None:
    while frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


def _where(descriptor: int) -> str:
    """The path of an open file or directory."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{descriptor}")


def out_of_place(seen: list[Write], top: Path, modules: tuple[str, ...] = WRITER) -> list[Write]:
    """Writes that are not the writer's own, or not where a repair writes.

    That is: the store, the tracker's lock and transactions beside it, its control plane, the journal, and the list of
    what git is to ignore.
    """
    git = os.path.realpath(top / ".git")
    store = os.path.realpath(top / ".jit")
    below = (store, f"{git}/jit", f"{git}/jit-hooks", f"{git}/info", f"{os.path.realpath(top)}/.jit-bootstrap")
    files = (f"{os.path.realpath(top)}/.jit-bootstrap.lock",)

    def is_in_place(path: str) -> bool:
        return path in files or any(path == place or path.startswith(f"{place}/") for place in below)

    return [one for one in seen if not (is_in_place(one.path) and one.module.startswith(modules))]


_seen: list[Write] | None = None
sys.addaudithook(_watch)
