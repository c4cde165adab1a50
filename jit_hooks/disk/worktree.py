"""The store on disk, read beside live writers.

No link is followed, nothing is created, and no lock is waited for while files are read. What looks wrong is read
a second time under shared locks (``read_again``), for both trackers' writers pass through states that look like
damage: June's tears and half-does things, v1's lets a file vanish for an instant.
"""

from __future__ import annotations

import os
import stat
import time

from jit_hooks.disk.listing import FILE, list_control, list_store
from jit_hooks.disk.locks import READERS_LOCKS, SharedLocks, is_free
from jit_hooks.disk.processes import is_dead
from jit_hooks.disk.reading import is_directory, read_file
from jit_hooks.git.snapshots import GitIndexSnapshot, is_plain_revision
from jit_hooks.git.state import index_stamp
from jit_hooks.store import layout
from jit_hooks.store.machine import Machine, holder_in, lock_of, writer_of
from jit_hooks.store.snapshot import Entry, Snapshot, TooLarge
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.git.repository import Repository

_SETTLED_NS = 1_000_000_000


class WorktreeSnapshot(Snapshot):
    """The files below one store directory; what a sparse checkout left out of it is taken from the git index.

    Args:
        root: the store's directory, absolute.
        repository: the git repository around it; None outside git.
        now: the time that ages are counted to, RFC 3339; empty when nothing ages.
    """

    on_disk = True
    keeps = False
    """Whether what was read once is kept, and not read from disk again: for one who changes what was read."""

    def __init__(self, root: str, repository: Repository | None = None, now: str = "") -> None:
        self.root = root
        self.repository = repository
        self._top = repository.top if repository is not None and repository.beside else ""
        self.now = now
        self.in_git = repository is not None
        self._entries: dict[str, Entry] | None = None
        self._control: dict[str, Entry] | None = None
        self._machine: Machine | None = None
        self._git_index: GitIndexSnapshot | None = None
        self._index_stamp: tuple[int, int, int] | None = None
        self._again: dict[str, bytes | TooLarge | None] = {}
        self._began = time.time_ns()
        self._waited = 0.0
        self.vanished: set[str] = set()

    @property
    def in_motion(self) -> bool:
        """Whether a writer was seen at work: a listed file was gone when it was read, or a transaction lies there."""
        return bool(self.vanished) or any(path.startswith(layout.TRANSACTIONS) for path in self.entries())

    def entries(self) -> Mapping[str, Entry]:
        """Every file, link and other thing below the store, and the tracker's names beside it."""
        if self._entries is None:
            self._entries = list_store(self.root, self._top)
            index = self._index()
            for path, entry in index.left_out().items() if index is not None else ():
                self._entries.setdefault(path, entry)
        return self._entries

    def control_entries(self) -> Mapping[str, Entry] | None:
        """What stands in the control plane and its directory of locks; None outside git."""
        if self.repository is None:
            return None
        if self._control is None:
            self._control = list_control(self.repository.control)
        return self._control

    @property
    def machine(self) -> Machine:
        """The processes that temp files and lock metadata name, the locks beside them, and the ages of leftovers."""
        if self._machine is None:
            self._machine = self._look_around()
        return self._machine

    def _look_around(self) -> Machine:
        dead: set[int] = set()
        locks: set[str] = set()
        ages: dict[str, float] = {}
        clock = _seconds(self.now)
        for path, entry in (*self.entries().items(), *(self.control_entries() or {}).items()):
            if entry is not FILE:
                continue
            process = None
            if path.endswith(".lock.meta"):
                data = self.read(path)
                process = holder_in(data) if isinstance(data, bytes) else None
                locks.add(lock_of(path))
            elif path == layout.CLAIMS_TEMP:
                locks.add(layout.CLAIMS_LOCK)
            elif layout.kind_of(path) == "temp":
                process = writer_of(path)
            else:
                continue
            if process is not None and is_dead(process):
                dead.add(process)
            written = _written(self._place(path))
            if clock is not None and written is not None:
                ages[path] = clock - written
        free = [lock for lock in locks if is_free(self._place(lock))]
        return Machine(now=self.now, dead=dead, free=free, ages=ages)

    def _place(self, path: str) -> str:
        """Where a store path is on disk."""
        if path.startswith(layout.CONTROL) and self.repository is not None:
            return os.path.join(self.repository.control, path[len(layout.CONTROL) :])
        if path.startswith(layout.TOP):
            return os.path.join(self._top, path[len(layout.TOP) :])
        return os.path.join(self.root, path)

    def entry(self, path: str) -> Entry | None:
        """What stands at a path, from the listing."""
        if path.startswith(layout.CONTROL):
            return (self.control_entries() or {}).get(path)
        return self.entries().get(path)

    def is_left_out(self, path: str) -> bool:
        """Whether the git index stands in for a file that a sparse checkout left out."""
        entry = self.entry(path)
        return entry is not None and entry.identity is not None

    def read(self, path: str) -> bytes | TooLarge | None:
        """The bytes of a regular file, or None; a link is nothing.

        Raises:
            NotJudgedError: it is there and cannot be read.
        """
        if path in self._again:
            return self._again[path]
        entry = self.entry(path)
        if entry is not None and entry.identity is not None and self._git_index is not None:
            self._git_index.record_bytes, self._git_index.log_bytes = self.record_bytes, self.log_bytes
            return self._git_index.read(path)
        if entry is not FILE:
            return None  # the listing enters no link, so no name leads out of the store
        data = read_file(self._place(path), self.limit_of(path))
        if data is None:
            self.vanished.add(path)
        if self.keeps:
            self._again[path] = data
        return data

    def tracked(self) -> Mapping[str, Entry]:
        """What the git index tracks of the store."""
        index = self._index()
        return {} if index is None else index.entries()

    def tracked_entry(self, path: str) -> Entry | None:
        """What the git index tracks at one path."""
        index = self._index()
        return None if index is None else index.entry(path)

    def unmerged(self) -> Iterable[str]:
        """Store paths with the sides of a conflict in the git index."""
        index = self._index()
        return () if index is None else index.unmerged()

    def _index(self) -> GitIndexSnapshot | None:
        if self._git_index is None and self.repository is not None:
            self._index_stamp = index_stamp(self.repository.git)
            self._git_index = GitIndexSnapshot(self.repository)
        return self._git_index

    def has_document(self, path: str, commit: str | None) -> bool | None:
        """Whether a document is a file of the worktree or in HEAD; or at the commit named."""
        parts = path.split("/")
        if not path or path.startswith("/") or ".." in parts or "\0" in path or "\n" in path:
            return False
        repository = self.repository
        if commit is None:
            try:
                mode = os.lstat(os.path.join(os.path.dirname(self.root), path)).st_mode
            except (OSError, ValueError):
                mode = 0
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode) or repository is None:
                return stat.S_ISREG(mode) or stat.S_ISLNK(mode)
            commit = "HEAD"
        if repository is None or not is_plain_revision(commit):
            return None
        return repository.names.find(f"{commit}:{repository.beside}{path}") is not None

    def read_document(self, path: str) -> bytes | TooLarge | None:
        """The bytes of a file of the worktree, by its path from the directory that holds the store."""
        *folders, name = path.split("/")
        if {"", ".", ".."}.intersection((*folders, name)) or "\0" in path:
            return None
        place = os.path.dirname(self.root)
        for folder in folders:
            place = os.path.join(place, folder)
            if not is_directory(place):
                return None
        return read_file(os.path.join(place, name), self.record_bytes)

    def is_settled(self, paths: Iterable[str], wait: float) -> bool:
        """Whether what was read of these files stands: none changed since, and no tracker can be writing now.

        Locks as for ``read_again``. What changed less than a second before this snapshot counts as changed, for
        file systems stamp coarsely; so does, for a file that is not there, a change of its directory.

        Raises:
            BusyError: a writer held a lock all that time.
        """
        if self.in_motion:
            return False
        latest = self._began - _SETTLED_NS
        paths = list(paths)
        locks = SharedLocks(self._readers_locks(paths), max(0.0, wait - self._waited), wait)
        with locks:
            self._waited += locks.waited
            return all(
                self.changed(path) < latest and (self.entry(path) is not None) == os.path.lexists(self._place(path))
                for path in paths
            )

    def _readers_locks(self, paths: Iterable[str]) -> list[str]:
        """The lock files on disk to take for a reading of these files, in the one order of both trackers."""
        wanted = [self._place(name) for name in READERS_LOCKS]
        if self.repository is not None and any(path.startswith(layout.CONTROL) for path in paths):
            lock = self._place(layout.CLAIMS_LOCK)
            if is_directory(self.repository.control) and is_directory(os.path.dirname(lock)):
                wanted.insert(0, lock)
        return wanted

    def changed(self, path: str) -> int:
        """When a file last changed, in nanoseconds; for one that is not there, the directory it would be in."""
        place = self._place(path)
        while True:
            try:
                return os.lstat(place).st_ctime_ns
            except (FileNotFoundError, NotADirectoryError):
                place = os.path.dirname(place)

    def read_again(self, paths: Iterable[str], wait: float) -> WorktreeSnapshot:
        """A second snapshot, with these files read while no tracker can be writing.

        The locks are shared, only those that exist are taken, and they are released before this returns.

        Args:
            paths: store paths to read now.
            wait: seconds to wait for the locks, those waited before this snapshot included; 0 tries once.

        Raises:
            BusyError: a writer held a lock all that time.
        """
        again = WorktreeSnapshot(self.root, self.repository, self.now)
        again.record_bytes, again.log_bytes = self.record_bytes, self.log_bytes
        if self.repository is not None and self._index_stamp and self._index_stamp == index_stamp(self.repository.git):
            again._git_index, again._index_stamp = self._git_index, self._index_stamp
        paths = list(paths)
        locks = SharedLocks(self._readers_locks(paths), max(0.0, wait - self._waited), wait)
        with locks:
            again._waited = self._waited + locks.waited
            again.entries()
            if self._control is not None:
                again.control_entries()
            if self._machine is not None:
                again._machine = again._look_around()
            for path in paths:
                again._again[path] = again.read(path)
        return again

    def renewed(self) -> tuple[WorktreeSnapshot, set[str]]:
        """The same store now, for one who holds the tracker's locks, and the paths that may not be as they were.

        git is not asked again. What changed less than a second before this snapshot counts as changed, as in
        ``is_settled``. What is read is kept, in both.
        """
        again = WorktreeSnapshot(self.root, self.repository, self.now)
        again.record_bytes, again.log_bytes = self.record_bytes, self.log_bytes
        again.keeps = True
        again._git_index = self._git_index
        before = {**self.entries(), **(self.control_entries() or {})}
        now = {**again.entries(), **(again.control_entries() or {})}
        latest = self._began - _SETTLED_NS
        unlike = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        for path in now.keys() - unlike:
            if now[path] is FILE and (path not in self._again or self.changed(path) >= latest):
                unlike.add(path)
        again._again = {path: data for path, data in self._again.items() if path in now and path not in unlike}
        return again, unlike


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
