"""The seam: every file operation of the writer is one call of a ``FileLayer``.

Paths are rooted: ``store:issues/x.json``, ``control:claims.jsonl``, ``common:jit-hooks/journal``, ``beside:`` for
the directory that holds the store, ``top:`` for the worktree's. An empty rest is the root directory itself.
``Files`` works on the disk, ``testing.memory_files.MemoryFiles`` in memory; a test holds them equal.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import NamedTuple

from jit_hooks.errors import LockIOError, LockTimeoutError, PartialWriteError, StorageError, UnsupportedPlatformError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from filelock import BaseFileLock

_CLOSE = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSE
_POLL_SECONDS = 0.01
"""How often a lock is tried: as often as both trackers do (their ``storage/lock.rs``)."""

_MAX_NAME = 255
_LINK = "is a symbolic link: nothing is read or written through one"

IN_THE_WAY = frozenset((errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""What the system says of a path that cannot be, for what stands above it or for its length."""

ABOVE = {"store": "beside:", "control": "common:"}
"""The directory that holds a root, for the roots that the writer may create."""


class Status(NamedTuple):
    """What stands at a path: ``kind`` is ``file``, ``directory``, ``link`` or ``other``; permission bits; bytes."""

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
    """Whether a file name is that of a temp of this program: planned bytes, never what a tracker meant to write.

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
        """What stands at a path; None when nothing does."""

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
            create: whether to make the file where there is none.

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
                    _raise(OSError(errno.EIO, "the system took no bytes"), handle.path)
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
        self._finish(handle, data)

    def append(self, path: str, data: bytes) -> None:
        """More bytes at the end of a file, on the disk when this returns."""
        self._finish(self.extend(path), data)

    def _finish(self, handle: Handle, data: bytes) -> None:
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
        found = self.status(path)
        if found is not None:
            if found.kind != "directory":
                raise OSError(errno.ENOTDIR, f"is a {found.kind}, not a directory", path)
            return []
        above = parent_of(path)
        made = [] if above.endswith(":") and above not in {"store:", "control:"} else self.ensure_directory(above)
        self.mkdir(path, None)
        self.fsync_directory(above)
        return [*made, path]


def require_platform() -> None:
    """Nothing, where files can be written under the tracker's locks.

    Raises:
        UnsupportedPlatformError: here they cannot.
    """
    try:
        import fcntl
    except ImportError:
        raise UnsupportedPlatformError from None
    if sys.platform == "win32" or not hasattr(fcntl, "flock") or os.open not in os.supports_dir_fd:
        raise UnsupportedPlatformError


class Files(FileLayer):
    """The disk.

    Args:
        roots: name of each root to the trusted directory that holds it and the parts below that, each of which
            must be no link.

    Raises:
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """

    def __init__(self, roots: Mapping[str, tuple[str, tuple[str, ...]]]) -> None:
        require_platform()
        self._roots = dict(roots)
        self._locks: dict[int, BaseFileLock] = {}
        self._locked = 0

    def _parts(self, path: str) -> tuple[str, list[str]]:
        root, _, rest = normal(path).partition(":")
        base, below = self._roots[root]
        return base, [*below, *(rest.split("/") if rest else ())]

    def absolute(self, path: str) -> str:
        """Where on this machine."""
        base, parts = self._parts(path)
        return os.path.join(base, *parts)

    def _directory(self, base: str, parts: list[str]) -> int:
        descriptor = os.open(base, _DIRECTORY)
        for part in parts:
            try:
                below = os.open(part, _DIRECTORY | _NOFOLLOW, dir_fd=descriptor)
            except OSError as error:
                # A link here is ENOTDIR or ELOOP, by system; a message that names the link is worth a call.
                if error.errno in (errno.ENOTDIR, errno.ELOOP) and _is_link(part, descriptor):
                    error = OSError(errno.ELOOP, _LINK)
                os.close(descriptor)
                raise error from None
            os.close(descriptor)
            descriptor = below
        return descriptor

    def _holder(self, path: str) -> tuple[int, str]:
        """A descriptor of the directory that holds a path, and the name in it."""
        base, parts = self._parts(path)
        if not parts:
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        return self._directory(base, parts[:-1]), parts[-1]

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file."""
        try:
            holder, name = self._holder(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _raise(error, path)
        try:
            descriptor = os.open(name, os.O_RDONLY | _NOFOLLOW | _NONBLOCK | _CLOSE, dir_fd=holder)
        except FileNotFoundError:
            return None
        except OSError as error:
            _raise(error, path)
        finally:
            os.close(holder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                _raise(OSError(errno.EISDIR, "is not a regular file"), path)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read()
        except OSError as error:
            _raise(error, path)
        finally:
            os.close(descriptor)

    def status(self, path: str) -> Status | None:
        """What stands there, by ``lstat``."""
        try:
            base, parts = self._parts(path)
            if not parts:
                found = os.stat(base)
            else:
                holder, name = self._holder(path)
                try:
                    found = os.lstat(name, dir_fd=holder)
                finally:
                    os.close(holder)
        except FileNotFoundError:
            return None
        except OSError as error:
            _raise(error, path)
        mode = found.st_mode
        kind = (
            "file"
            if stat.S_ISREG(mode)
            else "directory"
            if stat.S_ISDIR(mode)
            else "link"
            if stat.S_ISLNK(mode)
            else "other"
        )
        return Status(kind, stat.S_IMODE(mode), found.st_size if kind == "file" else 0)

    def names(self, path: str) -> list[str]:
        """The names in a directory."""
        try:
            descriptor = self._directory(*self._parts(path))
        except FileNotFoundError:
            return []
        except OSError as error:
            _raise(error, path)
        try:
            return sorted(os.listdir(descriptor))
        except OSError as error:
            _raise(error, path)
        finally:
            os.close(descriptor)

    def create(self, path: str, mode: int | None) -> Handle:
        """A new file, by ``O_EXCL``."""
        try:
            holder, name = self._holder(path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOSE
            try:
                # Closed to others until the bits are set: a record may have been made private on purpose.
                descriptor = os.open(name, flags, 0o666 if mode is None else 0o600, dir_fd=holder)
            finally:
                os.close(holder)
            if mode is not None:
                try:
                    os.fchmod(descriptor, mode)
                except OSError:
                    os.close(descriptor)
                    raise
        except OSError as error:
            _raise(error, path)
        return Handle(path, descriptor)

    def extend(self, path: str) -> Handle:
        """An existing file, at its end."""
        try:
            holder, name = self._holder(path)
            try:
                flags = os.O_WRONLY | os.O_APPEND | _NOFOLLOW | _NONBLOCK | _CLOSE
                return Handle(path, os.open(name, flags, dir_fd=holder))
            finally:
                os.close(holder)
        except OSError as error:
            _raise(error, path)

    def write(self, handle: Handle, data: bytes) -> int:
        """One ``write(2)``."""
        try:
            return os.write(handle.number, data)
        except OSError as error:
            _raise(error, handle.path)

    def fsync(self, handle: Handle) -> None:
        """Force a file's bytes to the disk."""
        try:
            _force(handle.number)
        except OSError as error:
            _raise(error, handle.path)

    def close(self, handle: Handle) -> None:
        """Close a file."""
        try:
            os.close(handle.number)
        except OSError as error:
            _raise(error, handle.path)

    def rename(self, source: str, target: str) -> None:
        """One ``rename(2)``."""
        try:
            old, old_name = self._holder(source)
            try:
                new, new_name = self._holder(target)
                try:
                    os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
                finally:
                    os.close(new)
            finally:
                os.close(old)
        except OSError as error:
            _raise(error, target)

    def unlink(self, path: str) -> None:
        """One ``unlink(2)``."""
        try:
            holder, name = self._holder(path)
            try:
                os.unlink(name, dir_fd=holder)
            finally:
                os.close(holder)
        except OSError as error:
            # macOS says EPERM of a directory, Linux EISDIR.
            if error.errno == errno.EPERM and self._is_directory(path):
                error = OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            _raise(error, path)

    def _is_directory(self, path: str) -> bool:
        found = self.status(path)
        return found is not None and found.kind == "directory"

    def mkdir(self, path: str, mode: int | None) -> None:
        """One ``mkdir(2)``."""
        try:
            holder, name = self._holder(path)
            try:
                os.mkdir(name, 0o777 if mode is None else mode, dir_fd=holder)
                if mode is not None:
                    descriptor = os.open(name, _DIRECTORY | _NOFOLLOW, dir_fd=holder)
                    try:
                        os.fchmod(descriptor, mode)
                    finally:
                        os.close(descriptor)
            finally:
                os.close(holder)
        except OSError as error:
            _raise(error, path)

    def rmdir(self, path: str) -> None:
        """One ``rmdir(2)``."""
        try:
            holder, name = self._holder(path)
            try:
                os.rmdir(name, dir_fd=holder)
            finally:
                os.close(holder)
        except OSError as error:
            _raise(error, path)

    def fsync_directory(self, path: str) -> None:
        """Force a directory's names to the disk."""
        try:
            descriptor = self._directory(*self._parts(path))
            try:
                _force(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            _raise(error, path)

    def lock(self, path: str, wait: float, *, create: bool) -> Handle | None:
        """An exclusive ``flock`` through filelock, whose ``FileLock`` leaves the file and refuses links."""
        from filelock import FileLock, SoftFileLock, Timeout

        where = self.absolute(path)
        try:
            found = self.status(path)
            if found is not None and found.kind != "file":
                # filelock before 4 follows a link, and truncates what it leads to (tried: 3.16.0).
                raise LockIOError(where, f"is a {found.kind}, not a file")
            if found is None:
                if not create:
                    return None
                if self.status(parent_of(path)) is None:
                    # filelock would make the directories above, through links too.
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            lock: BaseFileLock = FileLock(where, timeout=wait, mode=0o644)
            lock.acquire(poll_interval=_POLL_SECONDS)
        except Timeout:
            raise LockTimeoutError(where, wait) from None
        except (OSError, RuntimeError, UserWarning) as error:
            raise LockIOError(where, (isinstance(error, OSError) and error.strerror) or str(error)) from error
        if isinstance(lock, SoftFileLock):
            # What filelock falls back to where the file system has no flock; the tracker cannot see such a lock.
            lock.release()
            raise LockIOError(where, "this file system has no flock(2)")
        self._locked += 1
        self._locks[self._locked] = lock
        return Handle(path, self._locked)

    def unlock(self, handle: Handle) -> None:
        """Let a lock go."""
        self._locks.pop(handle.number).release()


def _is_link(name: str, holder: int) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=holder).st_mode)
    except OSError:
        return False


def _raise(error: OSError, path: str) -> NoReturn:
    code = error.errno or errno.EIO
    says = _LINK if code == errno.ELOOP else error.strerror or os.strerror(code)
    raise OSError(code, says, path) from error


def _force(descriptor: int) -> None:
    """``fsync``; on macOS what it takes to get past the drive's own cache (its fsync(2) says so)."""
    import fcntl

    full: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(descriptor, full)
        except OSError:
            pass  # network file systems do not know it; plain fsync is what they have
        else:
            return
    os.fsync(descriptor)


def atomic_write(path: str | os.PathLike[str], data: bytes, *, mode: int | None = None) -> None:
    """Replace a file, or make it, so that a reader and a crash see all of the old bytes or all of the new.

    Temp file in the same directory, fsync, rename, fsync of the directory. The permission bits of a file that is
    replaced are kept unless ``mode`` is given. Takes no lock.

    Raises:
        PartialWriteError: not all bytes could be written; the file is unchanged.
        StorageError: any other refusal of the system, or a link stands at the path.
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """
    global _sequence
    directory, name = os.path.split(os.path.abspath(os.fspath(path)))
    files = Files({"to": (directory, ())})
    target = f"to:{name}"
    _sequence += 1
    temp = f"to:{temp_name(name, os.getpid(), f'w{_sequence}')}"
    made = False
    try:
        found = files.status(target)
        if found is not None and found.kind != "file":
            _raise(OSError(errno.ELOOP if found.kind == "link" else errno.EISDIR, f"is a {found.kind}"), target)
        handle = files.create(temp, mode if mode is not None or found is None else found.mode)
        made = True
        files._finish(handle, data)
        files.rename(temp, target)
        made = False
        files.fsync_directory("to:")
    except PartialWriteError as error:
        raise PartialWriteError(os.fspath(path), error.expected, error.written, error.reason) from error
    except OSError as error:
        raise StorageError(f"cannot write {os.fspath(path)}: {error.strerror}") from error
    finally:
        if made:
            with suppress(OSError):
                files.unlink(temp)


_sequence = 0
