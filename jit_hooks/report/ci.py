"""Things that the formats for continuous integration share: their choice of problems, the words, the names."""

from __future__ import annotations

from hashlib import sha256

from jit_hooks.report.commands import remedy_for, shown_path
from jit_hooks.report.locate import Places
from jit_hooks.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

_LONGEST = 1000

NOT_JUDGED = "not-judged"
"""Stands in the place of a problem code where the store could not be looked at: an empty list would be a pass."""

MORE = "more-problems"
"""Stands in the place of a problem code for all that a report had no room for."""


def chosen(report: Report, *, all: bool = False, quiet: bool = False, verbose: bool = False) -> list[Graded]:  # noqa: A002
    """The problems a report shows, the worst first: errors and warnings; notes where they are asked for."""
    shown = {"error"}
    if not quiet:
        shown |= {"warning"}
    if all or verbose:
        shown |= {"warning", "note"}
    return [problem for problem in report.problems if problem.severity in shown]


def located(report: Report, problems: list[Graded]) -> list[Graded]:
    """The same problems with line and column filled in."""
    return Places(report).located(problems)


def fingerprint(problem: Graded, report: Report) -> str:
    """The name of a problem that stays when lines above it move: of its code, record and subject alone.

    The same problem found from another source, or brought by another commit, has the same fingerprint.
    """
    record = shown_path(problem.path, report.prefix) if problem.record == problem.path else problem.record
    return digest(problem.code, record, problem.subject)


def digest(*parts: str) -> str:
    """A name made of texts, whatever is in them."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def sentence(problem: Graded, report: Report) -> str:
    """The problem and its remedy, in one line that prints."""
    said = visible(problem.message, _LONGEST)
    if not said.endswith((".", "?", "!")):
        said += "."
    if problem.commit:
        said += f" In commit {problem.commit[:12]}."
    remedy = visible(str(remedy_for(problem, report)), _LONGEST) if problem.severity == "error" else ""
    return f"{said} To fix: {remedy}" if remedy else said


def more(count: int) -> str:
    """The line that stands for what was left out."""
    return f"+{count:,} more problem{'' if count == 1 else 's'}, which this report has no room for: run jit-check"


def why_not_judged(report: Report) -> str:
    """The reason why there is no verdict, and what to type, in one line."""
    said = f"not judged: {visible(report.reason)}"
    return f"{said}. To fix: {visible(report.remedy)}" if report.remedy else said
