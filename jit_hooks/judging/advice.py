"""What ends a refusal of the git index: what to stage, where good bytes are, which settings would excuse it."""

from __future__ import annotations

import os

from jit_hooks.checks import BY_CODE
from jit_hooks.checks.runtime import unsettled
from jit_hooks.disk.pending import may_be_pending
from jit_hooks.disk.reading import read_file
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import BusyError, UsageError
from jit_hooks.judging.case import tightened
from jit_hooks.judging.copies import find_copies
from jit_hooks.judging.grading import is_accepted
from jit_hooks.judging.staging import find_unstaged
from jit_hooks.settings import read_settings
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.case import Case
    from jit_hooks.judging.report import Report
    from jit_hooks.judging.request import Request
    from jit_hooks.problem import Graded

    Identity = tuple[str, str, str]


def advise(report: Report, request: Request, case: Case) -> None:
    """Complete the report on a git index with what its worktree knows; problems that it cures become errors."""
    notice = _pending_in_worktree(request)
    if notice:
        report.notices.append(notice)
    elif report.problems:
        unstaged = find_unstaged(request, case, report.problems)
        report.problems = [_staged(problem, unstaged.cured, unstaged.staged) for problem in report.problems]
        report.stage = [request.top_path(path) for path in sorted(unstaged.paths)]
        report.copies = find_copies(request, case, [p for p in report.errors if p.repair != "stage"])
    report.excused = _count_excused(request, case, report.errors)


def _staged(problem: Graded, cured: set[Identity], staged: set[Identity]) -> Graded:
    """A problem under the forgotten-stage rule: what the worktree cures is an error, and staging mends it."""
    if problem.identity not in cured:
        return problem
    return problem.but(severity="error", repair="stage" if problem.identity in staged else problem.repair)


def _pending_in_worktree(request: Request) -> str:
    """One line on a transaction of the tracker that waits in the worktree; empty when there is none.

    The git index is judged all the same, but what the worktree holds meanwhile is no cure for anything.
    """
    if request.repository is None or not may_be_pending(request.root, request.repository.top):
        return ""
    try:
        pending = unsettled(WorktreeSnapshot(request.root, request.repository).read_again((), 0.0))
    except BusyError:
        return ""  # its writer lives
    if not pending:
        return ""
    code = pending[0].code
    remedy = pending[0].remedy or f"jit-hooks explain {code}"
    told = "a transaction of the tracker waits in the worktree, so only the git index was judged"
    return f"{told} ({code}: {request.top_path(pending[0].path)}); to fix: {remedy}"


def _count_excused(request: Request, case: Case, errors: list[Graded]) -> int:
    """How many of these errors the settings in the worktree would excuse, had they been staged."""
    data = read_file(os.path.join(request.root, layout.SETTINGS), case.store.snapshot.record_bytes) if errors else None
    if type(data) is not bytes or data == case.store.snapshot.read(layout.SETTINGS):
        return 0
    assert request.repository is not None
    try:
        settings = tightened(read_settings(Files({layout.SETTINGS: data})), request.repository.git)
    except UsageError:
        return 0
    there = case.under(settings)
    rows = [BY_CODE[code] for code in dict.fromkeys(problem.code for problem in errors)]
    left = {problem.identity for problem in there.find(rows).problems}
    return sum(
        problem.identity not in left
        or settings.severity_of(problem.code, "error") != "error"
        or is_accepted(problem, there)
        for problem in errors
    )
