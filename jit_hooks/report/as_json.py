"""The JSON report (``schemas/report.schema.json``)."""

from __future__ import annotations

import json
from collections import Counter

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE, UNREAD_LINE
from jit_hooks.judging.report import Repairs
from jit_hooks.report.commands import excuse_of, remedy_for, repair_shown, shown_path
from jit_hooks.report.locate import Places
from jit_hooks.report.visible import escaped, visible
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

REPORT_VERSION = 1
_RAW_SHOWN = 400


def render(report: Report, *, prefix: str = "") -> str:
    """The whole report as one JSON document with a final newline; ASCII only.

    ``prefix`` is where commands of remedies will be typed, below the top of the worktree.
    """
    return json.dumps(as_document(report, prefix=prefix), indent=2) + "\n"


def as_document(report: Report, *, prefix: str = "") -> dict[str, object]:
    """The report as plain data."""
    places = Places(report)
    problems = places.located(report.problems)
    mended = report.repairs or Repairs()
    stats: dict[str, object] = dict(report.stats)
    if report.reason:
        stats["reason"] = clean(report.reason)
    if report.code:
        stats["code"] = report.code
    if report.remedy:
        stats["remedy"] = clean(report.remedy)
    notices = [str(excuse) for excuse in (excuse_of(report, prefix),) if excuse] + report.notices
    if notices:
        stats["notices"] = clean("; ".join(notices))
    return {
        "report_version": REPORT_VERSION,
        "tool_version": __version__,
        "verdict": report.verdict,
        "source": report.source,
        "problems": [_problem(problem, report, prefix) for problem in problems],
        "carried": dict(sorted(Counter(problem.code for problem in report.carried).items())),
        "skipped_checks": [{"code": code, "reason": reason} for code, reason in sorted(report.skipped.items())],
        "skipped_lines": list(_skipped_lines([*problems, *report.carried], report, places)),
        "plan": [_change(change, mended, report.prefix) for change in mended.plan],
        "fixes_applied": {} if mended.dry else mended.fixes,
        "journal_entry": mended.entry or None,
        "stats": stats,
    }


def _change(change: dict[str, object], mended: Repairs, prefix: str) -> dict[str, object]:
    path = str(change["path"]).removeprefix("store:")
    return {**change, "path": clean(shown_path(path, prefix)), "reason": clean(mended.sources.get(path, "")) or None}


def _problem(problem: Graded, report: Report, prefix: str) -> dict[str, object]:
    path = shown_path(problem.path, report.prefix)
    left = report.repairs.left.get(problem.identity, "") if report.repairs is not None else ""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "commit": problem.commit,
        "path": clean(path),
        "record": clean(path if problem.record == problem.path else problem.record),
        "subject": clean(problem.subject) or None,
        "pointer": None if layout.kind_of(problem.path) in ("other", "temp", "lock") else clean(problem.pointer),
        "line": problem.line or None,
        "column": problem.column or None,
        "message": clean(problem.message),
        "remedy": clean(str(remedy_for(problem, report, prefix))) or None,
        "repair": repair_shown(problem),
        "introduced": problem.introduced,
        "left": clean(left) or None,
    }


def _skipped_lines(problems: Iterable[Graded], report: Report, places: Places) -> Iterable[dict[str, object]]:
    seen: set[tuple[str | None, str, int]] = set()
    for problem in problems:
        key = (problem.commit, problem.path, problem.line)
        if (
            UNREAD_LINE not in BY_CODE[problem.code].marks
            or layout.kind_of(problem.path) != "log"
            or not problem.line
            or key in seen
        ):
            continue
        seen.add(key)
        raw = places.line_of(problem)[: _RAW_SHOWN + 1].decode("utf-8", "surrogateescape")
        yield {
            "line_number": problem.line,
            "raw": visible(raw, _RAW_SHOWN),
            "error": clean(problem.message),
            "path": shown_path(problem.path, report.prefix),
        }


def clean(text: str) -> str:
    r"""Text that every JSON reader takes: half characters and bytes that are no UTF-8 become ``\xNN``."""
    if text.isascii():
        return text
    return "".join(escaped(c) if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
