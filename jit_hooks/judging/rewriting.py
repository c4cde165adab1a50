"""What a commit has lost where it was applied to another parent: a rebase asks no other hook."""

from __future__ import annotations

from jit_hooks.git.snapshots import TreeSnapshot
from jit_hooks.judging.case import Case, stores_at
from jit_hooks.judging.grading import grade
from jit_hooks.judging.settled import find_lost
from jit_hooks.settings import read_settings
from jit_hooks.store.focus import Focus
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.checks import Check
    from jit_hooks.git.repository import Repository
    from jit_hooks.problem import Graded


def find_lost_in_rewriting(
    repository: Repository, checks: tuple[Check, ...], before: str, old: str, onto: str, new: str
) -> list[Graded]:
    """The losses of a commit on its way to another parent.

    Args:
        repository: where the commits are.
        checks: the rows of the registry to run.
        before: the parent of the old commit, or of the first of those that were folded into the new one.
        old: the commit as it was, or the last one.
        onto: the parent of the new commit.
        new: what became of it.
    """
    snapshot = TreeSnapshot(repository, new)
    settings = read_settings(snapshot)
    base, *sides = stores_at(repository, settings, before, onto, old)
    paths = repository.changes("diff-tree", "-r", before, old)
    focus = Focus(paths, parents=tuple(sides), bases=(base,))
    case = Case(Store(snapshot, settings.accepted), focus, settings, checks, repository.prefix)
    return grade(find_lost(case.store, focus, checks), case, commit=new)
