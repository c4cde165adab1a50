"""One issue and what it touches, out of a whole report."""

from __future__ import annotations

from jit_hooks.errors import UsageError
from jit_hooks.report.locate import Places
from jit_hooks.store import layout
from jit_hooks.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded


def keep(report: Report, wanted: str) -> None:
    """Leave in a report the problems of one issue: its file, the records that name it, and what it depends on.

    Args:
        report: changed in place, its verdict too.
        wanted: an issue id, or the beginning of exactly one.

    Raises:
        UsageError: no issue is meant, or more than one.
    """
    if report.snapshot is None:
        return
    issue_id = find_issue(report, wanted)
    store = Store(report.snapshot)
    issue = store.issue(issue_id)
    paths = {layout.issue_path(near) for near in (issue_id, *(issue.dependencies if issue else ()))}
    places = Places(report)
    report.problems = [problem for problem in report.problems if _touches(problem, issue_id, paths, places)]
    report.carried = [problem for problem in report.carried if _touches(problem, issue_id, paths, places)]
    report.notices.append(f"only what touches issue {issue_id} is shown")


def find_issue(report: Report, wanted: str) -> str:
    """The id of the one issue that a text is the id of, or the beginning of."""
    assert report.snapshot is not None
    store = Store(report.snapshot)
    known = dict.fromkeys(store.issue_ids())
    if store.issue_index is not None:
        known.update(dict.fromkeys((*store.issue_index.alive, *store.issue_index.deleted)))
    known.update(
        dict.fromkeys(
            problem.subject
            for problem in (*report.problems, *report.carried)
            if layout.is_uuid4(problem.subject) and not problem.path.startswith(layout.CONTROL)  # ids of leases
        )
    )
    if wanted in known:
        return wanted
    found = [issue_id for issue_id in known if wanted and issue_id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        message = f"--only: no issue has an id that begins with {wanted}"
        raise UsageError(message)
    named = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
    message = f"--only: {len(found)} issues have an id that begins with {wanted}: {named}"
    raise UsageError(message)


def _touches(problem: Graded, issue_id: str, paths: set[str], places: Places) -> bool:
    if issue_id in (problem.subject, problem.record) or layout.issue_path(issue_id) in problem.related:
        return True
    if problem.path in paths:
        return True
    needle = issue_id.encode("utf-8", "replace")
    kind = layout.kind_of(problem.path)
    if kind == "log":
        return needle in places.line_of(problem)
    return kind in ("issue", "run") and needle in (places.bytes_of(problem) or b"")
