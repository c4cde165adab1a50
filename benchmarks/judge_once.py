"""Judge the worktree here, in process: a line of JSON for each time, with the seconds it took.

Everything is imported before the clock starts. With ``--times N`` it is judged again and again, each time anew.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

from jit_hooks.checks import CHECKS
from jit_hooks.errors import BusyError, NotJudgedError
from jit_hooks.git import Git, Repository
from jit_hooks.line import Report, Request, judge


def load() -> None:
    """Import what a check will import."""
    for row in CHECKS:
        import_module(f"jit_hooks.checks.{row.family}")
    import_module("jit_hooks.staging")
    import_module("jit_hooks.store.faults")


def judge_here() -> tuple[float, str, list[str]]:
    """Seconds, verdict, codes of the errors."""
    repository = Repository(Git())
    head = repository.resolve("HEAD")
    request = Request("worktree", os.path.abspath(".jit"), repository, (head,) if head else ())
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
    load()
    times = int(sys.argv[2]) if sys.argv[1:2] == ["--times"] else 1
    for _ in range(times):
        seconds, verdict, errors = judge_here()
        print(json.dumps({"seconds": seconds, "verdict": verdict, "errors": errors}), flush=True)


if __name__ == "__main__":
    main()
