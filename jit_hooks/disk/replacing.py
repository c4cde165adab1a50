"""Files replaced whole, outside the journal: a reader and a crash see all of the old bytes or all of the new."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from jit_hooks.disk.files import LINK, Files
from jit_hooks.disk.layer import temp_name
from jit_hooks.errors import PartialWriteError, StorageError

_sequence = 0


def atomic_write(
    path: str | os.PathLike[str], data: bytes, *, mode: int | None = None, over_link: bool = False
) -> None:
    """Replace a file, or make it, so that a reader and a crash see all of the old bytes or all of the new.

    Temp file in the same directory, fsync, rename, fsync of the directory. Takes no lock.

    Args:
        path: the file.
        data: its bytes.
        mode: its permission bits; None keeps those of a file that is replaced, or takes the umask's.
        over_link: True to put the file in the place of a link; what that leads to stays as it is.

    Raises:
        PartialWriteError: not all bytes could be written; the file is unchanged.
        StorageError: any other refusal of the system, or a link stands at the path.
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """
    shown = os.fspath(path)
    try:
        _replace(os.path.abspath(shown), data, mode, over_link=over_link)
    except PartialWriteError as error:
        raise PartialWriteError(shown, error.expected, error.written, error.reason) from error
    except OSError as error:
        raise StorageError(f"cannot write {shown}: {error.strerror}") from error


def _replace(path: str, data: bytes, mode: int | None, *, over_link: bool) -> None:
    global _sequence
    directory, name = os.path.split(path)
    files = Files({"to": (directory, ())})
    target = f"to:{name}"
    _sequence += 1
    temp = f"to:{temp_name(name, os.getpid(), f'w{_sequence}')}"
    status = files.status(target)
    if status is not None and status.kind == "link":
        if not over_link:
            raise OSError(errno.ELOOP, LINK)
        status = None
    if status is not None and status.kind != "file":
        raise OSError(errno.EISDIR, f"is a {status.kind}")
    handle = files.create(temp, mode if mode is not None or status is None else status.mode)
    try:
        files.finish(handle, data)
        files.rename(temp, target)
    except BaseException:
        with suppress(OSError):
            files.unlink(temp)
        raise
    files.fsync_directory("to:")
