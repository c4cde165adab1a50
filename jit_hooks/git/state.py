"""What git has under way in a worktree, from what it keeps in its directory meanwhile."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.git.command import Git

MERGING = ("MERGE_HEAD",)

REPLAYING = ("CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
"""What git keeps in its directory while it applies commits one by one."""

UNDER_WAY = (*MERGING, *REPLAYING)
"""The same, and while a merge waits to be concluded: what is lost meanwhile shows in no staged file."""

MOVING_HEAD = (*REPLAYING, "BISECT_LOG")
"""What git keeps while another command than a merge moves HEAD."""


def is_under_way(git: Git, names: Iterable[str] = UNDER_WAY) -> bool:
    """True if git keeps one of these names for the worktree."""
    return any(map(os.path.lexists, _paths_of(git, names)))


def is_under_way_here(names: Iterable[str] = UNDER_WAY) -> bool | None:
    """The same for the hook or merge driver that git has started, without git; None where the directory is not known.

    In a linked worktree git names the directory to its hooks, and ``.git`` is a file.
    """
    directory = os.environ.get("GIT_DIR", ".git")
    if not os.path.isdir(directory):
        return None
    return any(os.path.lexists(os.path.join(directory, name)) for name in names)


def merge_heads(git: Git) -> list[str]:
    """The other parents of a merge that is being concluded."""
    try:
        with open(_paths_of(git, MERGING)[0], encoding="ascii") as heads:
            return [line.strip() for line in heads if line.strip()]
    except FileNotFoundError:
        return []


def index_stamp(git: Git) -> tuple[int, int, int] | None:
    """Time, size and number of the file of the git index, which change when git writes it; None where not known."""
    directory = _plain_directory(git)
    named = git.environment.get("GIT_INDEX_FILE")
    path = os.path.join(git.directory, named) if named else os.path.join(directory, "index")
    try:
        facts = os.stat(path) if named or directory else None
    except OSError:
        return None
    return (facts.st_mtime_ns, facts.st_size, facts.st_ino) if facts else None


def _plain_directory(git: Git) -> str:
    """The git directory of the worktree, where it is no secret; empty in a linked worktree."""
    directory = os.path.join(git.directory, git.environment.get("GIT_DIR", ".git"))
    return directory if os.path.isdir(directory) else ""


def _paths_of(git: Git, names: Iterable[str]) -> list[str]:
    """The paths at which git keeps what it has under way, by these names."""
    directory = _plain_directory(git)
    if directory:
        return [os.path.join(directory, name) for name in names]
    words = [word for name in names for word in ("--git-path", name)]
    return [os.path.join(git.directory, path) for path in git.text("rev-parse", *words).split("\n")]
