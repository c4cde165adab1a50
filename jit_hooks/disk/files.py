"""The file layer over the disk: no call follows a link, and each error names the rooted path."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager

from jit_hooks.disk.layer import FileLayer, Handle, Status, normal, parent_of
from jit_hooks.errors import LockIOError, LockTimeoutError, UnsupportedPlatformError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filelock import BaseFileLock

_CLOSE = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSE
_POLL_SECONDS = 0.01
"""How often a lock is tried: as often as both trackers do (their ``storage/lock.rs``)."""
LINK = "is a symbolic link: nothing is read or written through one"


def require_platform() -> None:
    """Pass where files can be written under the tracker's locks.

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
        """The path on this machine."""
        base, parts = self._parts(path)
        return os.path.join(base, *parts)

    @contextmanager
    def _at(self, path: str) -> Iterator[tuple[str, int]]:
        """The last part of a path, and a descriptor of the directory that holds it; errors name the path."""
        base, parts = self._parts(path)
        with _naming(path):
            if not parts:
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            with _closing(_open_directory(base, parts[:-1])) as holder:
                yield parts[-1], holder

    @contextmanager
    def _inside(self, path: str) -> Iterator[int]:
        """A descriptor of a directory; errors name the path."""
        with _naming(path), _closing(_open_directory(*self._parts(path))) as descriptor:
            yield descriptor

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file."""
        flags = os.O_RDONLY | _NOFOLLOW | _NONBLOCK | _CLOSE
        try:
            with self._at(path) as (name, holder), _closing(os.open(name, flags, dir_fd=holder)) as descriptor:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OSError(errno.EISDIR, "is not a regular file")
                with os.fdopen(descriptor, "rb", closefd=False) as stream:
                    return stream.read()
        except FileNotFoundError:
            return None

    def status(self, path: str) -> Status | None:
        """The kind of what stands there, by ``lstat``."""
        base, parts = self._parts(path)
        try:
            if parts:
                with self._at(path) as (name, holder):
                    facts = os.lstat(name, dir_fd=holder)
            else:
                with _naming(path):
                    facts = os.stat(base)
        except FileNotFoundError:
            return None
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "other")
        return Status(kind, stat.S_IMODE(facts.st_mode), facts.st_size if kind == "file" else 0)

    def names(self, path: str) -> list[str]:
        """The names in a directory."""
        try:
            with self._inside(path) as descriptor:
                return sorted(os.listdir(descriptor))
        except FileNotFoundError:
            return []

    def create(self, path: str, mode: int | None) -> Handle:
        """A new file, by ``O_EXCL``."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOSE
        with self._at(path) as (name, holder):
            # Closed to others until the bits are set: a record may have been made private on purpose.
            descriptor = os.open(name, flags, 0o666 if mode is None else 0o600, dir_fd=holder)
            if mode is not None:
                try:
                    os.fchmod(descriptor, mode)
                except OSError:
                    os.close(descriptor)
                    raise
        return Handle(path, descriptor)

    def extend(self, path: str) -> Handle:
        """An existing file, at its end."""
        flags = os.O_WRONLY | os.O_APPEND | _NOFOLLOW | _NONBLOCK | _CLOSE
        with self._at(path) as (name, holder):
            return Handle(path, os.open(name, flags, dir_fd=holder))

    def write(self, handle: Handle, data: bytes) -> int:
        """One ``write(2)``."""
        with _naming(handle.path):
            return os.write(handle.number, data)

    def fsync(self, handle: Handle) -> None:
        """Force a file's bytes to the disk."""
        with _naming(handle.path):
            _force(handle.number)

    def close(self, handle: Handle) -> None:
        """Close a file."""
        with _naming(handle.path):
            os.close(handle.number)

    def rename(self, source: str, target: str) -> None:
        """One ``rename(2)``; errors name the target."""
        with _naming(target), self._at(source) as (old, old_holder), self._at(target) as (new, new_holder):
            os.rename(old, new, src_dir_fd=old_holder, dst_dir_fd=new_holder)

    def unlink(self, path: str) -> None:
        """One ``unlink(2)``."""
        with self._at(path) as (name, holder):
            try:
                os.unlink(name, dir_fd=holder)
            except PermissionError as error:
                # macOS says EPERM of a directory, Linux EISDIR.
                if error.errno == errno.EPERM and stat.S_ISDIR(os.lstat(name, dir_fd=holder).st_mode):
                    raise OSError(errno.EISDIR, os.strerror(errno.EISDIR)) from error
                raise

    def mkdir(self, path: str, mode: int | None) -> None:
        """One ``mkdir(2)``."""
        with self._at(path) as (name, holder):
            os.mkdir(name, 0o777 if mode is None else mode, dir_fd=holder)
            if mode is not None:
                with _closing(os.open(name, _DIRECTORY | _NOFOLLOW, dir_fd=holder)) as descriptor:
                    os.fchmod(descriptor, mode)

    def rmdir(self, path: str) -> None:
        """One ``rmdir(2)``."""
        with self._at(path) as (name, holder):
            os.rmdir(name, dir_fd=holder)

    def fsync_directory(self, path: str) -> None:
        """Force a directory's names to the disk."""
        with self._inside(path) as descriptor:
            _force(descriptor)

    def lock(self, path: str, wait: float, *, create: bool) -> Handle | None:
        """An exclusive ``flock`` through filelock, whose ``FileLock`` leaves the file and refuses links."""
        from filelock import FileLock, SoftFileLock, Timeout

        where = self.absolute(path)
        try:
            if not self._is_lockable(path, create=create):
                return None
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

    def _is_lockable(self, path: str, *, create: bool) -> bool:
        """True if a lock file is there, or may be made.

        Raises:
            LockIOError: something else than a file is there.
            FileNotFoundError: it may be made, but its directory is not there.
        """
        status = self.status(path)
        if status is not None and status.kind != "file":
            # filelock before 4 follows a link, and truncates what it leads to (tried: 3.16.0).
            raise LockIOError(self.absolute(path), f"is a {status.kind}, not a file")
        if status is None and create and self.status(parent_of(path)) is None:
            # filelock would make the directories above, through links too.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return status is not None or create

    def unlock(self, handle: Handle) -> None:
        """Let a lock go."""
        self._locks.pop(handle.number).release()


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def _open_directory(base: str, parts: list[str]) -> int:
    """A descriptor of a directory below a trusted one; no part on the way may be a link."""
    descriptor = os.open(base, _DIRECTORY)
    for part in parts:
        try:
            below = os.open(part, _DIRECTORY | _NOFOLLOW, dir_fd=descriptor)
        except OSError as error:
            # A link here is ENOTDIR or ELOOP, by system; a message that names the link is worth a call.
            if error.errno in (errno.ENOTDIR, errno.ELOOP) and _is_link(part, descriptor):
                raise OSError(errno.ELOOP, LINK) from error
            raise
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _is_link(name: str, holder: int) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=holder).st_mode)
    except OSError:
        return False


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Give what the system refuses the rooted path, and a link its own words."""
    try:
        yield
    except OSError as error:
        code = error.errno or errno.EIO
        reason = LINK if code == errno.ELOOP else error.strerror or os.strerror(code)
        raise OSError(code, reason, path) from error


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
