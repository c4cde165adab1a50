"""Which paths of a store differ between HEAD, the git index and the worktree: answered by GitPython.

It answers questions *about* the repository for ``jit-hooks status``; names and bytes that are judged always come
from git's own plumbing (``snapshots``), for GitPython's ``Repo.index`` ignores ``GIT_INDEX_FILE`` and raises on version
4, split and sparse indexes, and it cannot read SHA-256 repositories. There git's own commands answer here, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from jit_hooks.git.command import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Differences:
    """Paths below the store, from the top of the worktree, sorted.

    Attributes:
        staged: the git index has them otherwise than HEAD: what a commit would bring.
        unstaged: the worktree has them otherwise than the git index.
        untracked: git does not track them and does not ignore them.
    """

    staged: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


def differences(top: str, prefix: str) -> Differences:
    """The differences below one store.

    Args:
        top: the top of the worktree.
        prefix: where the store lies from there, with a final ``/``.

    Raises:
        GitError: git itself cannot read the repository.
    """
    try:
        return _by_library(top, prefix)
    except Exception:  # noqa: BLE001  # GitPython raises whatever its parsers stumble over
        return _by_git(Git(top, inherit=False), prefix)


def _by_library(top: str, prefix: str) -> Differences:
    import git

    with git.Repo(top, expand_vars=False) as repository:
        store = prefix.rstrip("/")
        if repository.head.is_valid():
            staged = {
                side for change in repository.index.diff("HEAD", store) for side in (change.a_path, change.b_path)
            }
        else:
            staged = {str(path) for path, _ in repository.index.entries if str(path).startswith(prefix)}
        unstaged = {change.a_path for change in repository.index.diff(None, store)}
        untracked = {path for path in repository.untracked_files if path.startswith(prefix)}
    return Differences(_sorted(staged), _sorted(unstaged), _sorted(untracked))


def _sorted(paths: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted(path for path in paths if path))


def _by_git(git: Git, prefix: str) -> Differences:
    spec = f":(literal){prefix}".removesuffix("/")
    head = git.ask("rev-parse", "--verify", "--quiet", "HEAD")[0] == 0
    base = "HEAD" if head else git.text("hash-object", "-t", "tree", "/dev/null")

    def names(*arguments: str) -> tuple[str, ...]:
        return tuple(sorted(path for path in git.text(*arguments, "-z", "--", spec).split("\0") if path))

    return Differences(
        names("diff-index", "--cached", "--name-only", "--no-renames", base),
        names("diff-files", "--name-only"),
        names("ls-files", "--others", "--exclude-standard"),
    )
