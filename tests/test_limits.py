"""The limits in hooks.toml hold, below and above the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jit_hooks.errors import UsageError
from jit_hooks.line import Request, judge
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
