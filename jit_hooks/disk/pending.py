"""A transaction of the tracker in a worktree, seen without a look at the store."""

from __future__ import annotations

import os
import stat

from jit_hooks.store.layout import TOP
from jit_hooks.store.transactions import paths_around, pending_among


def may_be_pending(root: str, top: str) -> bool:
    """True if a transaction of the tracker waits in a worktree, or if that cannot be told.

    Args:
        root: the store's directory.
        top: the top of the worktree; from the current directory if the store's is.
    """
    beside = os.path.dirname(root) or "."

    def names_in(path: str) -> list[str] | None:
        if path.startswith(TOP):
            if beside == top:
                return []
            path = os.path.join(top, path[len(TOP) :])
        else:
            path = os.path.join(beside, path[3:]) if path.startswith("..") else os.path.join(root, path)
        try:
            return os.listdir(path) if stat.S_ISDIR(os.lstat(path).st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return []

    try:
        return bool(pending_among(paths_around(names_in)))
    except OSError:
        return True
