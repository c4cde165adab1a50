"""Store paths on disk."""

from __future__ import annotations

import os

from jit_hooks.disk.locks import READERS_LOCKS
from jit_hooks.disk.reading import is_directory
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.git.repository import Repository


class DiskPaths:
    """The paths on disk of a store, of its control plane and of what lies around it.

    Attributes:
        root: the store's directory, absolute.
        repository: the git repository around it; None outside git.
        top: the top of the worktree, where that is not the directory that holds the store; else empty.
    """

    def __init__(self, root: str, repository: Repository | None) -> None:
        self.root = root
        self.repository = repository
        self.top = repository.top if repository is not None and repository.beside else ""

    def on_disk(self, path: str) -> str:
        """The path on disk of a store path."""
        if path.startswith(layout.CONTROL) and self.repository is not None:
            return os.path.join(self.repository.control, path[len(layout.CONTROL) :])
        if path.startswith(layout.TOP):
            return os.path.join(self.top, path[len(layout.TOP) :])
        return os.path.join(self.root, path)

    def readers_locks(self, paths: Iterable[str]) -> list[str]:
        """The lock files on disk to take for a reading of these files, in the one order of both trackers."""
        wanted = [self.on_disk(name) for name in READERS_LOCKS]
        if self.repository is not None and any(path.startswith(layout.CONTROL) for path in paths):
            lock = self.on_disk(layout.CLAIMS_LOCK)
            if is_directory(self.repository.control) and is_directory(os.path.dirname(lock)):
                wanted.insert(0, lock)
        return wanted
