"""The tracker's locks, looked at and shared by a reader: none is ever made."""

from __future__ import annotations

import fcntl
import os
import stat
import time

from jit_hooks.disk.reading import READ_ONLY, is_directory
from jit_hooks.errors import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

READERS_LOCKS = (".repo-write.lock", ".index.lock", ".events.lock")
"""The lock files a reader takes, shared and in this order, for one consistent picture of both trackers."""

_POLL_SECONDS = 0.01


def is_free(path: str) -> bool:
    """True if nobody holds a lock file; it is tried once, shared, let go at once, and never made."""
    folder = os.path.dirname(path)
    if os.path.lexists(folder) and not is_directory(folder):
        return False
    try:
        descriptor = os.open(path, READ_ONLY)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


class SharedLocks:
    """Shared ``flock`` on the tracker's lock files that exist; never created, held for an instant."""

    def __init__(self, paths: Iterable[str], left: float, wait: float) -> None:
        self._paths = paths
        self._left = left
        self._wait = wait
        self._held: list[int] = []
        self.waited = 0.0

    def __enter__(self) -> Self:
        began = time.monotonic()
        self._deadline = began + self._left
        try:
            for path in self._paths:
                self._take(path)
        except BaseException:
            self.__exit__()
            raise
        self.waited = time.monotonic() - began
        return self

    def _take(self, path: str) -> None:
        try:
            descriptor = os.open(path, READ_ONLY)
        except OSError:
            return
        self._held.append(descriptor)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= self._deadline:
                    raise BusyError(path, self._wait) from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def __exit__(self, *_: object) -> None:
        while self._held:
            os.close(self._held.pop())
