"""The straight line: a request becomes a case, a case findings, findings graded problems, and those a report.

event -> request -> case -> findings -> graded -> report -> items -> exit code
"""

from __future__ import annotations

import time
from dataclasses import replace

from jit_hooks.judging.advice import advise
from jit_hooks.judging.case import open_case, open_snapshot, opened
from jit_hooks.judging.grading import grade, not_brought, stale_accepts
from jit_hooks.judging.report import Report
from jit_hooks.judging.request import GIT_INDEX, WORKTREE
from jit_hooks.judging.second_reading import read_twice
from jit_hooks.judging.settled import find_settled_losses
from jit_hooks.problem import worst_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.request import Request
    from jit_hooks.problem import Graded, Problem


def judge(request: Request) -> Report:
    """Judge one source.

    Raises:
        UsageError: the settings in force cannot be followed.
        NotJudgedError: the store could not be looked at, or not within the time limit.
    """
    return look(request)[0]


def look(request: Request) -> tuple[Report, Case]:
    """The report on one source, and the case as it was read last; raises as ``judge`` does."""
    with opened(request) as first:
        began = time.monotonic()
        in_worktree = request.source == WORKTREE
        case, findings = read_twice(first, request.wait) if in_worktree else (first, first.find())
        report = Report(request.source, skipped=findings.skipped, prefix=request.prefix, snapshot=case.store.snapshot)
        report.problems, report.carried = _graded(request, case, findings.problems)
        report.amending = bool(request.amended)
        if request.in_worktree:
            advise(report, request, case)
        if request.everything:
            stale = stale_accepts([*report.problems, *report.carried], case)
            report.notices.extend(f"stale [[accept]] in hooks.toml: {entry.code} of {entry.record}" for entry in stale)
        report.problems.sort(key=worst_first)
        report.carried.sort(key=worst_first)
        records = len(case.focus.record_paths(case.store))
        report.stats = {"records": records, "seconds": round(time.monotonic() - began, 4)}
        return report, case


def _graded(request: Request, case: Case, problems: list[Problem]) -> tuple[list[Graded], list[Graded]]:
    """The problems that the source brings, and those that its first parent already has."""
    lost: list[Problem] = []
    if request.source == GIT_INDEX:
        problems, lost = find_settled_losses(request, case, problems)
    case.share()
    carried = not_brought(problems, case, _instead(request, case) if problems else None)
    brought = [problem for problem in problems if problem.identity not in carried]
    known = {problem.identity for problem in brought}
    brought += [problem for problem in lost if problem.identity not in known]
    return grade(brought, case), grade(
        (problem for problem in problems if problem.identity in carried), case, introduced=False
    )


def _instead(request: Request, case: Case) -> Case | None:
    """The same source held against HEAD's parents, where it may be about to take HEAD's place."""
    if not request.amended:
        return None
    instead = replace(request, parents=request.amended, amended=())
    return open_case(instead, open_snapshot(instead), case.settings)
