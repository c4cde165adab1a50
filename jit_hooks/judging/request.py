"""What is asked: which source of a store to judge, against what, and with what patience."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from jit_hooks.checks import CHECKS, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git.repository import Repository

WORKTREE = "worktree"
GIT_INDEX = "git-index"


@dataclass(frozen=True)
class Request:
    """What to judge.

    Attributes:
        source: ``worktree``, ``git-index`` or the id of a commit.
        root: the store's directory on disk; empty in a bare repository.
        repository: the git repository; None outside git.
        parents: ids of the commits this one follows, first parent first.
        everything: True to judge every record; False to judge only what differs from the parents. Without a parent
            all of it is new.
        checks: the rows of the registry to run.
        amended: ids of HEAD's parents when this may replace HEAD (``git commit --amend``).
        wait: seconds to wait for the tracker's locks.
        seconds: the time limit, where the settings name none; 0 is none.
        now: the time it is asked at, RFC 3339, the only clock there is; empty: nothing is old.
        settling: True if a worktree with a transaction that the tracker cannot finish is judged all the same: by one
            who is about to clear it away.
    """

    source: str
    root: str
    repository: Repository | None
    parents: tuple[str, ...] = ()
    everything: bool = True
    checks: tuple[Check, ...] = CHECKS
    amended: tuple[str, ...] = ()
    wait: float = 5.0
    seconds: float = 0.0
    now: str = ""
    settling: bool = False

    @property
    def prefix(self) -> str:
        """The path of the store from the top of the repository, with a final ``/``."""
        return self.repository.prefix if self.repository is not None else ".jit/"

    @property
    def in_worktree(self) -> bool:
        """True for the git index of a repository with a worktree: the worktree may hold what the index lacks."""
        return self.source == GIT_INDEX and bool(self.root)

    def top_path(self, path: str) -> str:
        """A store path as reports print it, from the top of the repository."""
        return self.repository.top_path(path) if self.repository is not None else f".jit/{path}"


def now() -> str:
    """The time, RFC 3339: what this program knows of it comes from here."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
