"""What was lost in conflicts settled in the git index, which remembers their sides."""

from __future__ import annotations

from shlex import quote as quoted

from jit_hooks.git.snapshots import SideSnapshot, resolved_conflicts
from jit_hooks.git.state import REPLAYING, is_under_way
from jit_hooks.store.focus import Focus
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jit_hooks.checks import Check
    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.request import Request
    from jit_hooks.problem import Problem
    from jit_hooks.store.snapshot import Entry

    Sides = Mapping[str, list[Entry | None]]


def find_settled_losses(request: Request, case: Case, problems: list[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The problems with the remedy that fits a settled conflict, and what the sides of such conflicts tell besides.

    A commit that is picked, reverted or rebased has one parent, so there only the sides tell. They mean something
    while that work is under way and our side is still HEAD's.
    """
    repository, focus = request.repository, case.focus
    if repository is None or not focus.parents or not (focus.is_merge or is_under_way(repository.git, REPLAYING)):
        return problems, []
    settled = resolved_conflicts(repository)
    lost = [] if focus.is_merge or not settled else _lost_in_replay(repository, case, settled)
    return _with_way_back(problems, request, settled), _with_way_back(lost, request, settled)


def _lost_in_replay(repository: Repository, case: Case, settled: Sides) -> list[Problem]:
    head = case.focus.parents[0].snapshot
    live = {path: sides for path, sides in settled.items() if head.entry(path) == sides[1]}
    base, *sides = (
        Store(SideSnapshot(repository, {path: entry for path, three in live.items() if (entry := three[number])}))
        for number in range(3)
    )
    return find_lost(case.store, Focus(live, parents=tuple(sides), bases=(base,)), case.checks)


def _with_way_back(problems: Iterable[Problem], request: Request, settled: Iterable[str]) -> list[Problem]:
    """The problems, those of a settled conflict with the command that merges the file once more."""
    return [
        problem.but(remedy=_merge_again(request.top_path(problem.path)))
        if problem.path in settled and problem.code in ("merge-lost-edit", "event-lost")
        else problem
        for problem in problems
    ]


def _merge_again(path: str) -> str:
    again = f"git checkout -m -- {quoted(f':/{path}')}"
    return f"bring the change back by hand, or merge the file once more, in place of it: {again}"


def find_lost(store: Store, focus: Focus, checks: Iterable[Check]) -> list[Problem]:
    """The losses of a few files that were merged while a commit was replayed on another."""
    from jit_hooks.merge.audit import REPLAYED, Audit

    audit = Audit(store, focus.parents, focus.bases or (), focus.paths, sides=REPLAYED)
    lost: list[Problem] = []
    for row in checks:
        if row.code == "merge-lost-edit":
            lost.extend(row.function(audit))
        elif row.code in ("event-lost", "run-changed"):
            lost.extend(row.function(store, focus))
    return lost
