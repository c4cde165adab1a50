"""What git has under way in a worktree, from what it keeps in its directory meanwhile."""

from __future__ import annotations

REPLAYING = ("CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
"""What git keeps in its directory while it applies commits one by one."""

UNDER_WAY = ("MERGE_HEAD", *REPLAYING)
"""The same, and while a merge waits to be concluded: what is lost meanwhile shows in no staged file."""
