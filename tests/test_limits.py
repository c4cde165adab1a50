"""The limits in hooks.toml hold, below and above the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
