"""A committed store that eight live writers work on, and what a check beside them may say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import live_writers
import pytest
from git_scratch import commit_all
from live_processes import live

from jit_hooks.checks import BY_CODE
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from jit_hooks.judging.report import Report

SEED = 7
MOST_COMMANDS = 100_000


def writers(top: Path, count: int = live_writers.COUNT, seed: int = SEED) -> AbstractContextManager[list[int]]:
    """Live writers on the store below ``top``, half of each era; gives, at the end, how much each has done."""
    stop = top / "stop"
    return live(live_writers.__file__, count, str(seed), str(top / ".jit"), str(stop), str(MOST_COMMANDS), stop=stop)


@pytest.fixture
def live_seed() -> int:
    """What the writers and their store are made from."""
    return SEED


@pytest.fixture
def live_request(tmp_path: Path, live_seed: int) -> Iterator[Request]:
    """A request for the worktree of a committed store that eight writers can begin with."""
    live_writers.lay_out(tmp_path, live_seed)
    head = commit_all(tmp_path)
    repository = Repository(Git(str(tmp_path)))
    now = datetime.now(UTC).isoformat()
    yield Request("worktree", str(tmp_path / ".jit"), repository, (head,), now=now)
    repository.close()


def told_by(report: Report) -> list[str]:
    """The errors, and whatever is said of what processes leave behind: nothing of a live one is stale."""
    return [
        f"{problem!r} ({problem.path}, with {', '.join(problem.related)})"
        for problem in report.problems
        if problem.severity == "error" or BY_CODE[problem.code].family in ("runtime", "claim")
    ]
