"""The report as a code quality report of GitLab.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json

from jit_hooks.report.as_json import clean
from jit_hooks.report.ci import MORE, NOT_JUDGED, chosen, digest, fingerprint, located, more, sentence, why_not_judged
from jit_hooks.report.commands import shown_path
from jit_hooks.report.visible import visible
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

SHOWN = 1000

_SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}


def render(
    report: Report,
    *,
    all: bool = False,  # noqa: A002
    quiet: bool = False,
    verbose: bool = False,
) -> str:
    """One JSON array with a final newline; ASCII only.

    GitLab keeps one entry of a fingerprint, so a problem that several commits bring is listed once.
    """
    somewhere = shown_path(layout.INDEX, report.prefix)
    if report.verdict == "not-judged":
        entries = [_entry(NOT_JUDGED, why_not_judged(report), digest(NOT_JUDGED), "blocker", somewhere, 1)]
        return json.dumps(entries, indent=2) + "\n"
    once: dict[str, Graded] = {}
    for problem in chosen(report, all=all, quiet=quiet, verbose=verbose):
        once.setdefault(fingerprint(problem, report), problem)
    shown = dict(list(once.items())[: SHOWN if len(once) <= SHOWN else SHOWN - 1])
    shown = dict(zip(shown, located(report, list(shown.values())), strict=True))
    entries = [
        _entry(
            problem.code,
            sentence(problem, report),
            name,
            _SEVERITIES[problem.severity],
            visible(shown_path(problem.path, report.prefix)),
            problem.line,
        )
        for name, problem in shown.items()
    ]
    if len(once) > len(shown):
        hidden = [problem for name, problem in once.items() if name not in shown]
        severity = _SEVERITIES[hidden[0].severity]
        entries.append(_entry(MORE, more(len(hidden)), digest(MORE), severity, somewhere, 1))
    return json.dumps(entries, indent=2) + "\n"


def _entry(code: str, said: str, name: str, severity: str, path: str, line: int) -> dict[str, object]:
    return {
        "description": clean(said),
        "check_name": code,
        "fingerprint": name,
        "severity": severity,
        "location": {"path": clean(path), "lines": {"begin": max(line, 1)}},
    }
