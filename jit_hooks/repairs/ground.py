"""Where a plan may write: what stands on the disk decides it, whichever repair asks."""

from __future__ import annotations

from jit_hooks.store import layout
from jit_hooks.store.snapshot import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.store.snapshot import Snapshot


class Ground:
    """The names of a store, asked whether a change can be made among them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.entries = {**snapshot.entries(), **(snapshot.control_entries() or {})}
        self.folders = {above for path in self.entries for above in _above(path)}

    def why_not(self, paths: Iterable[str]) -> str:
        """The reason why one of these paths cannot be written or removed; empty when all can."""
        return next(filter(None, map(self._why_not, paths)), "")

    def _why_not(self, path: str) -> str:
        name = path.removesuffix("/")
        if name.endswith(".lock"):
            return f"{name} is named like a lock, and no lock file is written or removed"
        for above in ("control:." if path.startswith(layout.CONTROL) else ".", *_above(name)):
            if above in self.entries:
                return f"{above} is no directory"
        if name in self.entries and (path.endswith("/") or self.entries[name].kind != "file"):
            return f"{name} is a {self.entries[name].kind}"
        if not path.endswith("/") and (name in self.folders or f"{name}/" in self.entries):
            return f"{name} is a directory"
        if path.endswith("/"):
            return ""
        if self._snapshot.is_left_out(path):
            return f"a sparse checkout leaves {path} out of the worktree"
        return f"{path} is too large to be read" if isinstance(self._snapshot.read(path), TooLarge) else ""

    def has_folder(self, path: str) -> bool:
        """True if a directory stands at this path, which ends in ``/``."""
        return path in self.entries or path[:-1] in self.folders


def _above(path: str) -> Iterable[str]:
    at = path.find("/")
    while 0 <= at < len(path) - 1:
        yield path[:at]
        at = path.find("/", at + 1)
