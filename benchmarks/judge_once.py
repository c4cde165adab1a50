"""Judge the worktree here, in process: a line of JSON for each time, with the seconds it took.

Everything is imported before the clock starts. With ``--times N`` it is judged again and again, each time anew; with
``--ignore FAMILY`` without the checks of a family.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib import import_module
from typing import TYPE_CHECKING

from jit_hooks.checks import CHECKS
from jit_hooks.errors import BusyError, NotJudgedError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from jit_hooks.judging.report import Report


def load() -> None:
    """Import what a check will import."""
    for row in CHECKS:
        import_module(f"jit_hooks.checks.{row.family}")
    import_module("jit_hooks.judging.staging")
    import_module("jit_hooks.store.faults")


def judge_here(ignored: str) -> tuple[float, str, list[str]]:
    """Seconds, verdict, codes of the errors."""
    checks = tuple(row for row in CHECKS if row.family != ignored)
    repository = Repository(Git())
    head = repository.commits.resolve("HEAD")
    request = Request("worktree", os.path.abspath(".jit"), repository, (head,) if head else (), checks=checks)
    began = time.perf_counter()
    report: Report | None = None
    verdict = "not-judged"
    try:
        report = judge(request)
        verdict = report.verdict
    except BusyError:
        verdict = "busy"
    except NotJudgedError as error:
        verdict = str(error)
    seconds = time.perf_counter() - began
    repository.close()
    return seconds, verdict, [problem.code for problem in report.errors] if report else []


def main() -> None:
    """Judge, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--ignore", default="")
    options = parser.parse_args()
    load()
    for _ in range(options.times):
        seconds, verdict, errors = judge_here(options.ignore)
        print(json.dumps({"seconds": seconds, "verdict": verdict, "errors": errors}), flush=True)


if __name__ == "__main__":
    main()
