"""Find the store: from the words of a command and the environment to a repository, a root and a request."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from shlex import quote as quoted

from jit_hooks.checks import CHECKS, Check
from jit_hooks.checks.runtime import pending_transactions
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.git.snapshots import GitIndexSnapshot, TreeSnapshot
from jit_hooks.git.state import merge_heads
from jit_hooks.judging.request import Request, now
from jit_hooks.place import find_top, is_below, tracked_stores

STORE = ".jit"
_GIT_PATHS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


@dataclass
class Place:
    """A store and the repository around it.

    Attributes:
        repository: None outside git.
        root: the store's directory, absolute; empty in a bare repository.
        bare: True if there is no worktree.
        prefix: the directory the command looks from, below the top, with a final ``/``; empty at the top.
        here: True if that is the directory the user is in.
    """

    repository: Repository | None
    root: str
    bare: bool = False
    prefix: str = ""
    here: bool = True
    _head: list[str | None] = field(default_factory=list)

    @property
    def head(self) -> str | None:
        """The commit id of HEAD; None when it is unborn.

        Raises:
            MissingObjectError: HEAD names a commit that is not there.
        """
        if self.repository is None:
            return None
        if not self._head:
            self._head.append(self.repository.commits.head())
        return self._head[0]

    def close(self) -> None:
        """End the git processes that were started."""
        if self.repository is not None:
            self.repository.close()


def find_place(argument: str | None) -> Place:
    """The store a command means.

    Args:
        argument: the directory named on the command line, or None for the current one.

    ``$JIT_DATA_DIR`` names the store's directory, joined to the directory looked from; else it is ``.jit`` there,
    or in the nearest directory above it, up to the top of the worktree; else the only one that git knows of below.

    Raises:
        UsageError: the argument is no directory, or there are several stores below it.
        NotJudgedError: git refuses the repository.
    """
    directory = os.path.abspath("." if argument is None else argument)
    if argument == "" or not os.path.isdir(directory):
        message = f"{argument or 'an empty name'} is not a directory"
        raise UsageError(message)
    here = argument is None or os.path.samefile(directory, ".")
    directory = os.path.realpath(directory)
    named = os.environ.get("JIT_DATA_DIR", "")
    git = Git(directory, inherit=here)
    bare, top = find_top(git, directory)
    if named:
        root = os.path.normpath(os.path.join(directory, named))
        root = os.path.join(os.path.realpath(os.path.dirname(root)), os.path.basename(root))
        if top is not None and not is_below(root, top) and not bare:
            here = False
            git = Git(os.path.dirname(root), inherit=False)
            bare, top = find_top(git, os.path.dirname(root))
    else:
        root = _find_store(directory, top)
    if top is None:
        return Place(None, root, here=here)
    for name in _GIT_PATHS:
        if name in git.environment:
            git.environment[name] = os.path.join(directory, git.environment[name])
    git.directory = top
    if bare:
        inside = os.path.relpath(root, directory) if named else STORE
        return Place(Repository(git, f"{inside}/"), "", bare=True, here=here)
    if not named and not os.path.lexists(root):
        root = _tracked_below(git, directory, top) or root
    repository = Repository(git, f"{os.path.relpath(root, top)}/")
    prefix = os.path.relpath(directory, top) if is_below(directory, top) else "."
    return Place(repository, root, prefix="" if prefix == "." else f"{prefix}/", here=here)


def _find_store(directory: str, top: str | None) -> str:
    """The nearest ``.jit`` from a directory upward, not above the top; where it would be when there is none."""
    looked = directory
    while True:
        candidate = os.path.join(looked, STORE)
        if os.path.lexists(candidate):
            return candidate
        above = os.path.dirname(looked)
        if above == looked or (top is not None and not is_below(above, top)):
            return os.path.join(top or directory, STORE)
        looked = above


def _tracked_below(git: Git, directory: str, top: str) -> str:
    """The store that git knows of at the top or below a directory; empty when there is none.

    Raises:
        UsageError: there are several below, and hooks would judge them all.
    """
    stores = [os.path.join(top, store.rstrip("/")) for store in tracked_stores(git)]
    if os.path.join(top, STORE) in stores:
        return os.path.join(top, STORE)
    below = [store for store in stores if is_below(store, directory)]
    if len(below) > 1:
        names = ", ".join(quoted(os.path.relpath(os.path.dirname(store), directory)) for store in below)
        message = f"there are {len(below)} issue stores below this directory: say which by its own, one of {names}"
        raise UsageError(message)
    return below[0] if below else ""


def request_for(place: Place, source: str, checks: tuple[Check, ...] = CHECKS) -> Request | None:
    """The request for one source: ``worktree``, ``git-index`` or a revision; None when it holds nothing to judge.

    Where a sparse checkout leaves the store out of the worktree, the git index stands in for it.

    Raises:
        UsageError: the place has no such source.
        NotJudgedError: the revision does not resolve, or the store cannot be opened.
    """
    repository = place.repository
    if repository is None:
        if source != "worktree":
            message = "this is not a git repository: only the worktree can be judged"
            raise UsageError(message)
        found = _opens(place.root) or _is_being_made(place)
        return Request("worktree", place.root, None, checks=checks, now=now()) if found else None
    if source == "worktree":
        if place.bare:
            message = "a bare repository has no worktree; name a commit: --commit REV"
            raise UsageError(message)
        on_disk = _opens(place.root)
        if not on_disk and repository.leaves_out_store():
            return request_for(place, "git-index", checks)
        parents = (place.head, *merge_heads(repository.git)) if place.head else ()
        known = on_disk or _is_in_git(place, repository) or _is_being_made(place)
        return Request("worktree", place.root, repository, parents, checks=checks, now=now()) if known else None
    if source == "git-index":
        if place.bare:
            message = "a bare repository has no git index; name a commit: --commit REV"
            raise UsageError(message)
        if not _is_in_git(place, repository) and not os.path.lexists(place.root):
            return None
        parents = (place.head, *merge_heads(repository.git)) if place.head else ()
        return Request("git-index", place.root, repository, parents, checks=checks)
    return _commit_request(place, repository, source, checks)


def _commit_request(place: Place, repository: Repository, revision: str, checks: tuple[Check, ...]) -> Request | None:
    commit = repository.commits.resolve(revision)
    if commit is None:
        message = f"the revision {revision or '(an empty name)'} names no commit"
        raise NotJudgedError(message, "git fetch, if the commit is elsewhere")
    parents = tuple(repository.commits.parents_of(commit))
    if not any(TreeSnapshot(repository, tree).entries() for tree in (commit, *parents)):
        return None
    return Request(commit, place.root, repository, parents, checks=checks)


def _is_in_git(place: Place, repository: Repository) -> bool:
    """True if the git index or HEAD holds anything of the store."""
    index = GitIndexSnapshot(repository)
    if index.entries() or index.unmerged():
        return True
    return place.head is not None and bool(TreeSnapshot(repository, place.head).entries())


def _is_being_made(place: Place) -> bool:
    """True if the tracker was killed while it made a store here, which is not yet one."""
    return bool(pending_transactions(WorktreeSnapshot(place.root, place.repository)))


def _opens(root: str) -> bool:
    """True if there is a store on disk.

    Raises:
        NotJudgedError: what is there is no directory, or cannot be read.
    """
    if not os.path.lexists(root):
        return False
    if os.path.islink(root):
        message = f"{root} is a symbolic link, and links are never followed: name the store's own directory"
        raise NotJudgedError(message, "set JIT_DATA_DIR, or give the directory that holds the store")
    if not os.path.isdir(root):
        message = f"{root} is a file, not the directory of a store"
        raise NotJudgedError(message)
    try:
        os.scandir(root).close()
    except OSError as error:
        message = f"cannot read {root}: {error.strerror}"
        raise NotJudgedError(message) from error
    return True
