"""Files on disk, read without following a link."""

from __future__ import annotations

import errno
import os
import stat

from jit_hooks.errors import NotJudgedError
from jit_hooks.store.snapshot import TooLarge

READ_ONLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_file(path: str, limit: int) -> bytes | TooLarge | None:
    """The bytes of a regular file, never through a link; None when there is none; its size when it is too large.

    Raises:
        NotJudgedError: it is there and cannot be read.
    """
    try:
        descriptor = os.open(path, READ_ONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            return None
        raise unreadable(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > limit:
            return TooLarge(status.st_size)
        data = os.read(descriptor, status.st_size + 1)
        if len(data) == status.st_size:
            return data
        pieces = [data]
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(descriptor)


def unreadable(path: str, error: OSError) -> NotJudgedError:
    """The error for a file or directory that cannot be read."""
    return NotJudgedError(f"cannot read {path}: {error.strerror}")


def is_directory(path: str) -> bool:
    """True if a directory stands here, and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
