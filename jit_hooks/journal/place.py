"""Where a plan is executed: one store of one worktree, its control plane and its journal."""

from __future__ import annotations

import os

from jit_hooks.journal.files import FileLayer, Files


class Place:
    """The directories of one store, and the file layer over them.

    Args:
        store: the store's directory (``.jit``), absolute.
        common: ``<git common dir>``, absolute; the control plane (``jit/``) and the journal lie in it.
        worktree: top of the worktree, absolute; entries of the journal name it.
        files: the file layer; the disk by default.

    Raises:
        UnsupportedPlatformError: there is no ``flock(2)`` here.
    """

    def __init__(self, store: str, common: str, worktree: str, files: FileLayer | None = None) -> None:
        self.store = store
        self.common = common
        self.worktree = worktree
        beside, name = os.path.split(store)
        self.files: FileLayer = files or Files(
            {
                "store": (beside, (name,)),
                "control": (common, ("jit",)),
                "beside": (beside, ()),
                "top": (worktree, ()),
                "common": (common, ()),
            }
        )
