"""Where things are: the stores of a repository, the directories around one store, and the file layer over them."""

from __future__ import annotations

import os

from jit_hooks.disk.files import Files
from jit_hooks.errors import GitError, NotJudgedError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.store.layout import USUAL_STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.disk.layer import FileLayer

_SPECS = (":(top,glob)**/.jit/index.json", ":(top,glob)**/.jit/issues/**")
"""What only a store holds, wherever it lies."""


class Place:
    """One store of one worktree, its control plane and its journal: the directories, and the file layer over them.

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


def place_of(repository: Repository, store: str) -> Place:
    """The place of a store whose directory is given, in the worktree around it."""
    top = os.path.realpath(repository.git.directory or ".")
    return Place(os.path.abspath(store), repository.common, top)


def top_above(store: str) -> str:
    """The top of the worktree around a store, absolute; outside git the directory that holds the store."""
    beside = os.path.dirname(os.path.abspath(store))
    return _nearest_git(beside) or beside


def repository_around(store: str) -> Repository | None:
    """The repository whose worktree holds a store, whatever repository a calling hook is of; None outside git."""
    git = Git(os.path.dirname(store), inherit=False)
    status, out, _ = git.ask("rev-parse", "--show-toplevel")
    if status:
        return None
    git.directory = os.fsdecode(out).removesuffix("\n")
    prefix = os.path.relpath(os.path.realpath(store), os.path.realpath(git.directory))
    return Repository(git, f"{prefix}/")


def find_top(git: Git, directory: str) -> tuple[bool, str | None]:
    """True if the repository around a directory is bare, and its top; None for the top outside git.

    Raises:
        GitError, NotJudgedError: git refuses the repository.
    """
    asked = ("rev-parse", "--is-bare-repository", "--show-toplevel")
    status, out, err = git.ask(*asked)
    complaint = os.fsdecode(err)
    bare, _, top = os.fsdecode(out).removesuffix("\n").partition("\n")
    if status == 0:
        return False, top
    if bare in ("true", "false") and "work tree" in complaint:
        return True, git.text("rev-parse", "--absolute-git-dir")
    if "not a git repository" not in complaint or "GIT_DIR" in git.environment:
        raise GitError(asked, status, complaint)
    refused = _nearest_git(directory)
    if refused is not None:
        message = f"git does not take {os.path.join(refused, '.git')} for a repository: {complaint.strip()}"
        raise NotJudgedError(message, "git fsck")
    return False, None


def _nearest_git(directory: str) -> str | None:
    """The directory, or the nearest above it, that holds a ``.git``."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return directory


def find_stores(git: Git, top: str, *older: str) -> list[str]:
    """The stores that a hook answers for, from the top of the worktree, each with a final ``/``.

    The one that ``JIT_DATA_DIR`` names; else ``.jit`` at the top; else every one that git knows of.

    Args:
        git: run in the worktree.
        top: the top of the worktree, absolute.
        older: further revisions in which a store may stand that is gone from the git index.

    Raises:
        NotJudgedError: git cannot tell.
    """
    typed_in = os.path.join(top, os.environ.get("GIT_PREFIX", ""))
    for where in dict.fromkeys((typed_in, top)):
        store = named_store(top, where)
        if store is not None and is_there(git, top, store):
            return [store]
    if os.path.lexists(os.path.join(top, USUAL_STORE.rstrip("/"))):
        return [USUAL_STORE]
    return tracked_stores(git, *older)


def named_store(top: str, where: str) -> str | None:
    """The store that ``JIT_DATA_DIR`` names to a command in ``where``; None when it names none below the top."""
    named = os.environ.get("JIT_DATA_DIR")
    if not named:
        return None
    top = os.path.realpath(top)
    data = os.path.realpath(os.path.join(where, named))
    return f"{os.path.relpath(data, top)}/" if data != top and is_below(data, top) else None


def store_above(top: str, where: str) -> str | None:
    """The store in ``.jit`` here or in a directory above, up to the top."""
    top = os.path.realpath(top)
    directory = os.path.realpath(where)
    while is_below(directory, top):
        if os.path.isdir(os.path.join(directory, ".jit")):
            return os.path.normpath(os.path.join(os.path.relpath(directory, top), ".jit")) + "/"
        directory = os.path.dirname(directory)
    return None


def tracked_stores(git: Git, *older: str) -> list[str]:
    """Every ``.jit`` in the git index, in HEAD and in older revisions that holds an issue index or an issue."""
    names = _names(git, _SPECS, older)
    return sorted({name[: f"/{name}".rindex("/.jit/") + len("/.jit/") - 1] for name in names})


def is_there(git: Git, top: str, store: str, *others: str) -> bool:
    """True if a store is on disk, here or in another worktree, in the git index or in HEAD."""
    on_disk = any(os.path.isdir(os.path.join(worktree, store)) for worktree in (top, *others))
    return on_disk or bool(_names(git, (f":(top,literal){store}",), ()))


def worktrees(git: Git) -> list[str]:
    """The tops of all worktrees of a repository: they share its hooks."""
    lines = git.text("worktree", "list", "--porcelain").split("\n")
    return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")]


def _names(git: Git, specs: tuple[str, ...], older: tuple[str, ...]) -> set[str]:
    """The paths from the top in the git index, and those only HEAD or an older revision has."""
    out = git.run("ls-files", "-z", "--full-name", "--", *specs)
    repository = Repository(git)
    head = repository.commits.head()
    for revision in (head, *map(repository.commits.resolve, older)):
        if revision is not None:
            asked = ("diff-index", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=D", revision)
            out += git.run(*asked, "--", *specs)
    return {os.fsdecode(name) for name in out.split(b"\0") if name}


def is_below(path: str, top: str) -> bool:
    """True if an absolute path is a directory or lies below it."""
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)
