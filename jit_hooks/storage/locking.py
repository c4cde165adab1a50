"""The tracker's locks, for programs that write a store beside it."""

from __future__ import annotations

import os
from contextlib import contextmanager

from jit_hooks.errors import MissingFileError
from jit_hooks.journal.locks import require_settled, tracker_locks
from jit_hooks.journal.plan import Change
from jit_hooks.place import Place, top_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def store_lock(root: str | os.PathLike[str], *, wait: float = 5.0, gates: bool = False) -> Iterator[None]:
    """Keep both trackers from writing a store while the block runs: their own locks, exclusive, in their order.

    Start no program of the tracker inside: it would wait for these locks. Keep it short.

    Args:
        root: the store's directory (``.jit``).
        wait: seconds for all locks together; 0 tries each once.
        gates: True if the gate registry is going to be written.

    Raises:
        MissingFileError: there is no such directory.
        NotSettledError: a transaction of the tracker is pending there: what is written beneath one gets it stuck.
        LockTimeoutError: another process holds one; ``path`` and ``elapsed`` say which, and how long it was waited for.
        LockIOError: one cannot be locked at all.
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """
    store = os.path.abspath(os.fspath(root))
    if not os.path.isdir(store) or os.path.islink(store):
        raise MissingFileError(store)
    above = os.path.dirname(store)
    place = Place(store, above, top_above(store))
    touched = {"store:gates.json" if gates else "store:index.json": Change.of(b"", b"x")}
    with tracker_locks(place, touched, wait):
        require_settled(place.files)
        yield
