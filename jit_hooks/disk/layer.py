"""The seam: every file operation of the writer is one call of a ``FileLayer``.

Paths are rooted: ``store:issues/x.json``, ``control:claims.jsonl``, ``common:jit-hooks/journal``, ``beside:`` for
the directory that holds the store, ``top:`` for the worktree's. An empty rest is the root directory itself.
``Files`` works on the disk, ``testing.memory_files.MemoryFiles`` in memory; a test holds them equal.
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import NamedTuple

from jit_hooks.errors import PartialWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_MAX_NAME = 255

IN_THE_WAY = frozenset((errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""What the system says of a path that cannot be, for what stands above it or for its length."""

ABOVE = {"store": "beside:", "control": "common:"}
"""The directory that holds a root, for the roots that the writer may create."""


class Status(NamedTuple):
    """What is at a path: ``kind`` is ``file``, ``directory``, ``link`` or ``other``; permission bits; bytes."""

    kind: str
    mode: int
    size: int


class Handle:
    """A file open for writing; made by a ``FileLayer`` and of use to that one only."""

    __slots__ = ("number", "path")

    def __init__(self, path: str, number: int) -> None:
        self.path = path
        self.number = number


def normal(path: str) -> str:
    """A rooted path without a leading ``..``, which is how a store names what lies beside it."""
    if path.startswith("store:..") and path[8:9] in {"", "/"}:
        return f"beside:{path[9:]}"
    return path


def parent_of(path: str) -> str:
    """The directory that holds a rooted path."""
    path = normal(path)
    root, _, rest = path.partition(":")
    if not rest:
        return ABOVE[root]
    return f"{root}:{rest.rpartition('/')[0]}"


def join(directory: str, name: str) -> str:
    """A name in a rooted directory."""
    return f"{directory}{name}" if directory.endswith(":") else f"{directory}/{name}"


def name_of(path: str) -> str:
    """The last part of a rooted path."""
    return path.partition(":")[2].rpartition("/")[2]


def temp_name(name: str, pid: int, sequence: str) -> str:
    """``.<name>.<pid>.<seq>.tmp``: the tracker's form, so that every reader knows it for a write in flight."""
    tail = f".{pid}.{sequence}.tmp"
    while len(os.fsencode(name)) + len(tail) + 1 > _MAX_NAME:
        name = name[:-1]
    return f".{name}{tail}"


def is_our_temp(name: str) -> bool:
    """True for the name of a temp of this program: planned bytes, never what a tracker meant to write.

    ``.<name>.<pid>.j<entry>-<n>.tmp``, where the trackers have a number only.
    """
    parts = name.split(".")
    return (
        len(parts) > 4
        and not parts[0]
        and parts[-1] == "tmp"
        and parts[-3].isdecimal()
        and parts[-2][:1] == "j"
        and parts[-2][1:].replace("-", "", 1).isdecimal()
    )


class FileLayer(ABC):
    """Everything the writer does to files. Each call may raise ``OSError`` with the rooted path as its file name.

    No call follows a link, at any part of the path below the root's own holder.
    """

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; None when nothing is there."""

    @abstractmethod
    def status(self, path: str) -> Status | None:
        """The kind of what stands at a path, with its bits and size; None when nothing does."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """The names in a directory, sorted; none when there is no directory."""

    @abstractmethod
    def create(self, path: str, mode: int | None) -> Handle:
        """A new file, open for writing; with these permission bits, or those the umask leaves of 0666.

        Raises:
            FileExistsError: something stands there.
        """

    @abstractmethod
    def extend(self, path: str) -> Handle:
        """An existing file, open for writing at its end."""

    @abstractmethod
    def write(self, handle: Handle, data: bytes) -> int:
        """Write what the system takes; the number of bytes it took."""

    @abstractmethod
    def fsync(self, handle: Handle) -> None:
        """Force a file's bytes to the disk."""

    @abstractmethod
    def close(self, handle: Handle) -> None:
        """Close a file."""

    @abstractmethod
    def rename(self, source: str, target: str) -> None:
        """Give a file another name; what had that name goes, at once."""

    @abstractmethod
    def unlink(self, path: str) -> None:
        """Take a file away."""

    @abstractmethod
    def mkdir(self, path: str, mode: int | None) -> None:
        """A new directory; with these permission bits, or those the umask leaves of 0777."""

    @abstractmethod
    def rmdir(self, path: str) -> None:
        """Take an empty directory away."""

    @abstractmethod
    def fsync_directory(self, path: str) -> None:
        """Force a directory's names to the disk."""

    @abstractmethod
    def lock(self, path: str, wait: float, *, create: bool) -> Handle | None:
        """Take an exclusive ``flock``; None when the file is not there and is not to be created.

        Args:
            path: the lock file; never truncated, written or unlinked.
            wait: seconds to try for; 0 tries once.
            create: True to make the file where there is none.

        Raises:
            LockTimeoutError: somebody held it all that time.
            LockIOError: it cannot be opened or locked.
        """

    @abstractmethod
    def unlock(self, handle: Handle) -> None:
        """Let a lock go; the file stays."""

    @abstractmethod
    def absolute(self, path: str) -> str:
        """The path as people know it, for messages."""

    def write_all(self, handle: Handle, data: bytes) -> None:
        """Write every byte, however many calls it takes.

        Raises:
            PartialWriteError: the system took some bytes and then no more.
            OSError: it took none.
        """
        left = memoryview(data)
        try:
            while left:
                taken = self.write(handle, bytes(left))
                if not taken:
                    _refuse(handle.path)
                left = left[taken:]
        except OSError as error:
            written = len(data) - len(left)
            if not written:
                raise
            reason = error.strerror or str(error)
            raise PartialWriteError(handle.path, len(data), written, reason) from error

    def write_new(self, path: str, data: bytes, mode: int | None = None) -> None:
        """A new file with these bytes, on the disk when this returns; its name is not until its directory is."""
        handle = self.create(path, mode)
        self.finish(handle, data)

    def append(self, path: str, data: bytes) -> None:
        """More bytes at the end of a file, on the disk when this returns."""
        self.finish(self.extend(path), data)

    def finish(self, handle: Handle, data: bytes) -> None:
        """Write every byte, force the file to the disk, and close it, whatever happens."""
        try:
            self.write_all(handle, data)
            self.fsync(handle)
        except BaseException:
            with suppress(OSError):
                self.close(handle)
            raise
        self.close(handle)

    def ensure_directory(self, path: str) -> list[str]:
        """Make a directory and those above it, each durable; the ones made, outermost first."""
        status = self.status(path)
        if status is not None:
            if status.kind != "directory":
                raise OSError(errno.ENOTDIR, f"is a {status.kind}, not a directory", path)
            return []
        above = parent_of(path)
        made = [] if above.endswith(":") and above not in {"store:", "control:"} else self.ensure_directory(above)
        self.mkdir(path, None)
        self.fsync_directory(above)
        return [*made, path]


def _refuse(path: str) -> NoReturn:
    raise OSError(errno.EIO, "the system took no bytes", path)
