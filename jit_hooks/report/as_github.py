"""The report as workflow commands of GitHub Actions: each problem becomes an annotation at its line.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from jit_hooks.report.ci import NOT_JUDGED, chosen, located, more, sentence, why_not_judged
from jit_hooks.report.commands import shown_path
from jit_hooks.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

SHOWN = 10
"""Annotations of one level that GitHub keeps of a step; the rest it drops without a word."""

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def render(
    report: Report,
    *,
    all: bool = False,  # noqa: A002
    quiet: bool = False,
    verbose: bool = False,
) -> str:
    """One command a line, the worst problem first; empty when there is nothing to say."""
    if report.verdict == "not-judged":
        return _command("error", why_not_judged(report), title=f"jit-check: {NOT_JUDGED}") + "\n"
    problems = chosen(report, all=all, quiet=quiet, verbose=verbose)
    lines: list[str] = []
    for severity, level in _LEVELS.items():
        lines.extend(_of_level(report, level, [problem for problem in problems if problem.severity == severity]))
    return "".join(f"{line}\n" for line in lines)


def _of_level(report: Report, level: str, problems: list[Graded]) -> Iterator[str]:
    room = SHOWN if len(problems) <= SHOWN else SHOWN - 1
    for problem in located(report, problems[:room]):
        place = {"file": visible(shown_path(problem.path, report.prefix))}
        if problem.line:
            place["line"] = str(problem.line)
        if problem.column:
            place["col"] = str(problem.column)
        yield _command(level, sentence(problem, report), **place, title=f"jit-check: {problem.code}")
    if len(problems) > room:
        yield _command(level, more(len(problems) - room), title="jit-check")


def _command(name: str, message: str, **properties: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {said}::{_data(message)}"


def _data(text: str) -> str:
    """Text of a message: the runner decodes these three, and a raw line end would begin a command of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text of a property, where colon and comma end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
