"""A look at the machine: the processes that leftovers name, the locks beside them, and their ages."""

from __future__ import annotations

import os

from jit_hooks.disk.listing import FILE
from jit_hooks.disk.locks import is_free
from jit_hooks.disk.processes import is_dead
from jit_hooks.store import layout
from jit_hooks.store.machine import Machine, holder_in, lock_of, writer_of
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.disk.paths import DiskPaths
    from jit_hooks.store.snapshot import Snapshot


def look_around(snapshot: Snapshot, paths: DiskPaths, now: str) -> Machine:
    """The machine as far as the leftovers in a worktree are about it; ages are counted to ``now``."""
    dead: set[int] = set()
    locks: set[str] = set()
    ages: dict[str, float] = {}
    clock = _seconds(now)
    entries = {**snapshot.entries(), **(snapshot.control_entries() or {})}
    for path in (path for path, entry in entries.items() if entry is FILE and _is_leftover(path)):
        if path.endswith(".lock.meta"):
            locks.add(lock_of(path))
        elif path == layout.CLAIMS_TEMP:
            locks.add(layout.CLAIMS_LOCK)
        process = _process_of(snapshot, path)
        if process is not None and is_dead(process):
            dead.add(process)
        written = _written(paths.on_disk(path))
        if clock is not None and written is not None:
            ages[path] = clock - written
    free = [lock for lock in locks if is_free(paths.on_disk(lock))]
    return Machine(now=now, dead=dead, free=free, ages=ages)


def _is_leftover(path: str) -> bool:
    return path.endswith(".lock.meta") or path == layout.CLAIMS_TEMP or layout.kind_of(path) == "temp"


def _process_of(snapshot: Snapshot, path: str) -> int | None:
    """The process that a leftover names: in its content or in its name."""
    if path.endswith(".lock.meta"):
        data = snapshot.read(path)
        return holder_in(data) if isinstance(data, bytes) else None
    return None if path == layout.CLAIMS_TEMP else writer_of(path)


def _written(path: str) -> float | None:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return None


def _seconds(now: str) -> float | None:
    """Seconds since the epoch at a time in RFC 3339; None when it is none."""
    from datetime import datetime

    plain = instant(now)
    return None if plain is None else datetime.fromisoformat(f"{plain[:26]}+00:00").timestamp()
