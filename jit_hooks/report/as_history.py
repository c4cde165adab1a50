"""Problems over a history, for people and for programs."""

from __future__ import annotations

import json

from jit_hooks import __version__
from jit_hooks.report.as_json import clean
from jit_hooks.report.commands import shown_path
from jit_hooks.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from jit_hooks.judging.episodes import Episode
    from jit_hooks.judging.report import Report

REPORT_VERSION = 1
_SHORT = 10
_MESSAGE = 120
_STILL = "still there"


def as_table(episodes: list[Episode], report: Report, dates: Mapping[str, str]) -> str:
    """One line a problem, in the order of entry: where it entered, where it left, what it is."""
    commits = report.stats.get("commits", 0)
    lines = [f"jit-hooks: {len(episodes):,} problem{'' if len(episodes) == 1 else 's'} in {commits:,.0f} commits"]
    if episodes:
        rows = [
            (
                _named(episode.problem.commit, dates),
                _named(episode.left, dates),
                f"{episode.problem.severity}[{episode.problem.code}]",
            )
            for episode in episodes
        ]
        heading = ("entered", "left", "problem")
        widths = [max(len(row[column]) for row in (heading, *rows)) for column in range(3)]
        lines.append("  ".join(text.ljust(width) for text, width in zip(heading, widths, strict=True)).rstrip())
        for row, episode in zip(rows, episodes, strict=True):
            problem = episode.problem
            path = visible(shown_path(problem.path, report.prefix))
            cells = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            lines.append(f"{cells}  {path} {visible(problem.message, _MESSAGE)}")
    lines += [f"not checked, because {visible(why)}: {code}" for code, why in sorted(report.skipped.items())]
    lines += [f"note: {visible(notice)}" for notice in report.notices]
    return "\n".join(lines) + "\n"


def _named(commit: str | None, dates: Mapping[str, str]) -> str:
    return f"{commit[:_SHORT]} {dates.get(commit, '')}".rstrip() if commit else _STILL


def as_json(episodes: list[Episode], report: Report, dates: Mapping[str, str]) -> str:
    """The same as one JSON document with a final newline; ASCII only."""

    def point(commit: str | None) -> dict[str, str | None] | None:
        return {"commit": commit, "date": dates.get(commit)} if commit else None

    entries = []
    for episode in episodes:
        problem = episode.problem
        path = shown_path(problem.path, report.prefix)
        entries.append(
            {
                "code": problem.code,
                "severity": problem.severity,
                "path": clean(path),
                "record": clean(path if problem.record == problem.path else problem.record),
                "subject": clean(problem.subject) or None,
                "message": clean(problem.message),
                "entered": point(problem.commit),
                "left": point(episode.left),
            }
        )
    document = {
        "report_version": REPORT_VERSION,
        "tool_version": __version__,
        "source": report.source,
        "verdict": report.verdict,
        "episodes": entries,
        "skipped_checks": [{"code": code, "reason": clean(why)} for code, why in sorted(report.skipped.items())],
        "stats": report.stats,
    }
    return json.dumps(document, indent=2) + "\n"
