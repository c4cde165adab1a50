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
from jit_hooks.disk.locks import SharedLocks
from jit_hooks.disk.machine import look_around
from jit_hooks.disk.paths import DiskPaths
from jit_hooks.disk.reading import is_directory, read_file
from jit_hooks.git.snapshots import GitIndexSnapshot, is_path_of_document, is_plain_revision
from jit_hooks.git.state import index_stamp
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Entry, Snapshot, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.git.repository import Repository
    from jit_hooks.store.machine import Machine

_COARSE_NS = 1_000_000_000


class WorktreeSnapshot(Snapshot):
    """The files below one store directory; what a sparse checkout left out of it is taken from the git index.

    Args:
        root: the store's directory, absolute.
        repository: the git repository around it; None outside git.
        now: the time that ages are counted to, RFC 3339; empty when nothing ages.
    """

    on_disk = True
    keeps = False
    """True to keep what was read once, and not to read it from disk again: for one who changes what was read."""

    def __init__(self, root: str, repository: Repository | None = None, now: str = "") -> None:
        self.root = root
        self.repository = repository
        self.paths = DiskPaths(root, repository)
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
        """True if a writer was seen at work: a listed file was gone when it was read, or a transaction lies there."""
        return bool(self.vanished) or any(path.startswith(layout.TRANSACTIONS) for path in self.entries())

    def entries(self) -> Mapping[str, Entry]:
        """Every file, link and other thing below the store, and the tracker's names beside it."""
        if self._entries is None:
            self._entries = list_store(self.root, self.paths.top)
            index = self._index()
            for path, entry in index.left_out().items() if index is not None else ():
                self._entries.setdefault(path, entry)
        return self._entries

    def control_entries(self) -> Mapping[str, Entry] | None:
        """Every file in the control plane and its directory of locks; None outside git."""
        if self.repository is None:
            return None
        if self._control is None:
            self._control = list_control(self.repository.control)
        return self._control

    @property
    def machine(self) -> Machine:
        """The processes that temp files and lock metadata name, the locks beside them, and the ages of leftovers."""
        if self._machine is None:
            self._machine = look_around(self, self.paths, self.now)
        return self._machine

    def entry(self, path: str) -> Entry | None:
        """The entry at a path, from the listing."""
        if path.startswith(layout.CONTROL):
            return (self.control_entries() or {}).get(path)
        return self.entries().get(path)

    def is_left_out(self, path: str) -> bool:
        """True if the git index stands in for a file that a sparse checkout left out."""
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
        data = read_file(self.paths.on_disk(path), self.limit_of(path))
        if data is None:
            self.vanished.add(path)
        if self.keeps:
            self._again[path] = data
        return data

    def tracked(self) -> Mapping[str, Entry]:
        """The entries of the store that the git index tracks."""
        index = self._index()
        return {} if index is None else index.entries()

    def tracked_entry(self, path: str) -> Entry | None:
        """The entry that the git index tracks at one path."""
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
        """True if a document is a file of the worktree or in HEAD; or at the commit named."""
        if not is_path_of_document(path):
            return False
        if commit is None and (self._is_file_beside(path) or self.repository is None):
            return self._is_file_beside(path)
        revision = "HEAD" if commit is None else commit
        if self.repository is None or not is_plain_revision(revision):
            return None
        return self.repository.names.find(f"{revision}:{self.repository.beside}{path}") is not None

    def _is_file_beside(self, path: str) -> bool:
        try:
            mode = os.lstat(os.path.join(os.path.dirname(self.root), path)).st_mode
        except (OSError, ValueError):
            return False
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)

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

    def changed(self, path: str) -> int:
        """When a file last changed, in nanoseconds; for one that is not there, the directory it would be in."""
        place = self.paths.on_disk(path)
        while True:
            try:
                return os.lstat(place).st_ctime_ns
            except (FileNotFoundError, NotADirectoryError):
                place = os.path.dirname(place)

    def is_unchanged(self, paths: Iterable[str], wait: float) -> bool:
        """True if what was read of these files stands: none changed since, and no tracker can be writing now.

        Locks as for ``read_again``. What changed less than a second before this snapshot counts as changed, for
        file systems stamp coarsely; so does, for a file that is not there, a change of its directory.

        Raises:
            BusyError: a writer held a lock all that time.
        """
        if self.in_motion:
            return False
        paths = list(paths)
        with self._locked(paths, wait) as locks:
            self._waited += locks.waited
            return all(
                self.changed(path) < self._certain
                and (self.entry(path) is not None) == os.path.lexists(self.paths.on_disk(path))
                for path in paths
            )

    def _locked(self, paths: list[str], wait: float) -> SharedLocks:
        return SharedLocks(self.paths.readers_locks(paths), max(0.0, wait - self._waited), wait)

    @property
    def _certain(self) -> int:
        """The time, in nanoseconds, before which what changed last is what was read."""
        return self._began - _COARSE_NS

    def _anew(self) -> WorktreeSnapshot:
        again = WorktreeSnapshot(self.root, self.repository, self.now)
        again.record_bytes, again.log_bytes = self.record_bytes, self.log_bytes
        return again

    def read_again(self, paths: Iterable[str], wait: float) -> WorktreeSnapshot:
        """A second snapshot, with these files read while no tracker can be writing.

        The locks are shared, only those that exist are taken, and they are released before this returns.

        Args:
            paths: store paths to read now.
            wait: seconds to wait for the locks, those waited before this snapshot included; 0 tries once.

        Raises:
            BusyError: a writer held a lock all that time.
        """
        again = self._anew()
        if self.repository is not None and self._index_stamp and self._index_stamp == index_stamp(self.repository.git):
            again._git_index, again._index_stamp = self._git_index, self._index_stamp
        paths = list(paths)
        with self._locked(paths, wait) as locks:
            again._waited = self._waited + locks.waited
            again.entries()
            if self._control is not None:
                again.control_entries()
            if self._machine is not None:
                again._machine = look_around(again, again.paths, again.now)
            for path in paths:
                again._again[path] = again.read(path)
        return again

    def renewed(self) -> tuple[WorktreeSnapshot, set[str]]:
        """The same store now, for one who holds the tracker's locks, and the paths that may not be as they were.

        git is not asked again. What changed less than a second before this snapshot counts as changed, as in
        ``is_unchanged``. What is read is kept, in both.
        """
        again = self._anew()
        again.keeps = True
        again._git_index = self._git_index
        before = {**self.entries(), **(self.control_entries() or {})}
        now = {**again.entries(), **(again.control_entries() or {})}
        unlike = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        for path in now.keys() - unlike:
            if now[path] is FILE and (path not in self._again or self.changed(path) >= self._certain):
                unlike.add(path)
        again._again = {path: data for path, data in self._again.items() if path in now and path not in unlike}
        return again, unlike
