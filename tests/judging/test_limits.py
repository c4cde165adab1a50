"""The limits in hooks.toml hold, below and above the usual ones."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from jit_hooks.errors import NotJudgedError, UsageError
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.judging.timelimit import time_limit
from jit_hooks.testing.stores import healthy_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ("", set()),
        ("[limits]\nrecord-bytes = 1000000\nlog-bytes = 10000000\ndepth = 64\n", set()),
        ("[limits]\ndepth = 1\n", {"limit-exceeded"}),
        ("[limits]\nlog-bytes = 100\n", {"limit-exceeded"}),
        ("[limits]\nrecord-bytes = 700\n", {"limit-exceeded"}),
    ],
    ids=["usual", "wide", "depth", "log", "record"],
)
def test_a_limit_of_the_settings_holds(tmp_path: Path, limits: str, found: set[str]) -> None:
    store = tmp_path / ".jit"
    for path, data in healthy_store().items():
        (store / path).parent.mkdir(parents=True, exist_ok=True)
        (store / path).write_bytes(data)
    (store / "hooks.toml").write_text(limits)
    report = judge(Request("worktree", str(store), None))
    assert {problem.code for problem in report.problems if problem.severity == "error"} & {"limit-exceeded"} == found


def test_a_depth_that_the_reader_cannot_do_is_refused(tmp_path: Path) -> None:
    """What may be set is done: a record as deep as that is read, one level more is told, with the true number."""
    store = tmp_path / ".jit"
    (store / "issues").mkdir(parents=True)
    deep = {}
    for levels in (498, 499):
        deep[levels] = f"{levels:08d}-1111-4111-8111-111111111111"
        text = f'{{"id":"{deep[levels]}","context":' + '{"x":' * levels + "1" + "}" * levels + "}"
        (store / "issues" / f"{deep[levels]}.json").write_text(text)
    (store / "hooks.toml").write_text("[limits]\ndepth = 499\n")
    report = judge(Request("worktree", str(store), None))
    told = {problem.path: problem.message for problem in report.problems if problem.code == "limit-exceeded"}
    assert told == {f"issues/{deep[499]}.json": "nests deeper than the limit of 499"}
    (store / "hooks.toml").write_text("[limits]\ndepth = 5000\n")
    with pytest.raises(UsageError, match="5000 is greater than the maximum of 500"):
        judge(Request("worktree", str(store), None))


def for_ever() -> None:
    while True:
        pass


def for_ever_but_once() -> None:
    with suppress(NotJudgedError):
        for_ever()
    for_ever()


def test_an_alarm_that_something_swallows_rings_again() -> None:
    with pytest.raises(NotJudgedError, match=r"the time limit of 0\.01 s is over"), time_limit(0.01):
        for_ever_but_once()


def test_time_that_is_spent_already_is_over_at_once() -> None:
    with pytest.raises(NotJudgedError, match="the time limit of 60 s is over"), time_limit(60, spent=61):
        for_ever()
