"""A dry run of every repair: the plan is shown, and no byte of the worktree or of the git directory changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from runbook import Book

from jit_hooks.repairs import BY_CODE, REPAIRS
from jit_hooks.testing.damage import DAMAGES

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.testing.damage import Damage

UNSETTLED = ("transaction-pending", "transaction-stuck")
"""Nothing is judged with these (exit code 3), unless they are to be mended: then they are an error like any other."""


def one_of(code: str) -> Damage:
    return next(damage for damage in DAMAGES if damage.code == code)


def bytes_below(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("code", [row.code for row in REPAIRS if one_of(row.code).needs != "merge"])
def test_a_dry_run_of_each_repair_changes_nothing(tmp_path: Path, code: str) -> None:
    damage = one_of(code)
    book = Book(tmp_path, damage.eras[0])
    book.happen(damage.name)
    before = bytes_below(book.top)
    unsafe = " --unsafe-fixes" if BY_CODE[code].unsafe or code in UNSETTLED else ""
    plain, _ = book.type("jit-check --all", "")
    status, printed = book.type(f"jit-check --fix{unsafe} --all --dry-run --json", "")
    assert bytes_below(book.top) == before
    assert status == (1 if code in UNSETTLED else plain)
    report = json.loads(printed)
    assert report["journal_entry"] is None
    if report["verdict"] != "not-judged":
        assert any(problem["code"] == code for problem in report["problems"]), printed
