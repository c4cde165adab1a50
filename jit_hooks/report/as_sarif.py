"""The report as SARIF 2.1.0, which code scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from inspect import cleandoc
from urllib.parse import quote

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE
from jit_hooks.report.as_json import clean
from jit_hooks.report.ci import MORE, chosen, digest, fingerprint, located, more, sentence, why_not_judged
from jit_hooks.report.commands import shown_path
from jit_hooks.report.visible import visible
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

SHOWN = 5000
"""Results that GitHub shows of one run."""

FINGERPRINT = "jitHooksProblem/v1"
"""The name under which the fingerprint stands."""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"


def render(
    report: Report,
    *,
    all: bool = False,  # noqa: A002
    quiet: bool = False,
    verbose: bool = False,
) -> str:
    """One JSON document with a final newline; ASCII only."""
    problems = chosen(report, all=all, quiet=quiet, verbose=verbose)
    shown = located(report, problems[: SHOWN if len(problems) <= SHOWN else SHOWN - 1])
    codes = list(dict.fromkeys(problem.code for problem in shown))
    results = [_result(problem, codes, report) for problem in shown]
    if len(problems) > len(shown):
        said = more(len(problems) - len(shown))
        level = problems[len(shown)].severity
        somewhere = shown_path(layout.INDEX, report.prefix)
        results.append(_plain_result(MORE, level, said, somewhere, digest(MORE)))
    judged = report.verdict != "not-judged"
    run: dict[str, object] = {
        "tool": {"driver": _driver(codes)},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": judged, "toolExecutionNotifications": list(_notifications(report, judged=judged))}
        ],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(codes: list[str]) -> dict[str, object]:
    return {
        "name": "jit-check",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> dict[str, object]:
    row = BY_CODE[code]
    manual = cleandoc(row.manual)
    return {
        "id": code,
        "shortDescription": {"text": " ".join(manual.partition("\n\n")[0].split())},
        "help": {"text": manual},
        "defaultConfiguration": {"level": row.severity},
        "properties": {"tags": [row.family]},
    }


def _result(problem: Graded, codes: list[str], report: Report) -> dict[str, object]:
    path = shown_path(problem.path, report.prefix)
    result = _plain_result(
        problem.code, problem.severity, sentence(problem, report), path, fingerprint(problem, report)
    )
    result["ruleIndex"] = codes.index(problem.code)
    if problem.line:
        region = {"startLine": problem.line}
        if problem.column:
            region["startColumn"] = problem.column
        result["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}]
    if problem.commit:
        result["properties"] = {"commit": problem.commit}
    return result


def _plain_result(code: str, level: str, said: str, path: str, name: str) -> dict[str, object]:
    return {
        "ruleId": code,
        "level": level,
        "message": {"text": clean(said)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(path)}}],
        "partialFingerprints": {FINGERPRINT: name},
    }


def _artifact(path: str) -> dict[str, str]:
    """A path as a relative URI reference; whatever bytes it has, it stays a path below the root."""
    return {"uri": quote(os.fsencode(path), safe="/"), "uriBaseId": _ROOT}


def _notifications(report: Report, *, judged: bool) -> Iterator[dict[str, object]]:
    if not judged:
        yield {"level": "error", "message": {"text": clean(why_not_judged(report))}}
    for notice in report.notices:
        yield {"level": "note", "message": {"text": clean(visible(notice))}}
    for code, reason in sorted(report.skipped.items()):
        yield {"level": "warning", "message": {"text": clean(f"{code} was not checked, because {visible(reason)}")}}
