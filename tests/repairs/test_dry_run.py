"""A dry run of every repair: the plan is shown, and no byte of the worktree or of the git directory changes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from proofs import over
from runbook import Book

from jit_hooks import schemas
from jit_hooks.repairs import REPAIRS
from jit_hooks.testing.damage import DAMAGES

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.testing.damage import Damage

LONG_AGO = 1_600_000_000
"""What is seconds old is left, as a write that may still be under way."""

UNSETTLED = ("transaction-pending", "transaction-stuck")
"""Nothing is judged with these (exit code 3), unless they are to be mended: then they are an error like any other."""


MENDED = {"text-not-utf8": "issue-bom", "json-unparsable": "index-cut", "issue-malformed": "issue-labels-missing"}
"""Damages that are mended where the first of their code is left to a person: no whole copy of it is in git."""

OF_A_PERSON = frozenset(("index-lists-missing", "issue-vanished", "event-gate-mismatch"))
"""Codes of which every damage of the catalogue is left to a person; a whole copy decides, where there is one."""


def one_of(code: str) -> Damage:
    name = MENDED.get(code)
    return next(damage for damage in DAMAGES if damage.code == code and name in (None, damage.name))


def bytes_below(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@over("code", [row.code for row in REPAIRS if one_of(row.code).needs != "merge"], few=5)
def test_a_dry_run_of_each_repair_changes_nothing(tmp_path: Path, code: str) -> None:
    """What it prints is what ``--fix`` then writes."""
    damage = one_of(code)
    book = Book(tmp_path, damage.eras[0])
    book.happen(damage.name)
    for path in book.store.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    before = bytes_below(book.top)
    plain, _ = book.type("jit-check --all", "")
    status, printed = book.type("jit-check --fix --unsafe-fixes --all --dry-run --json", "")
    assert bytes_below(book.top) == before
    assert status == (1 if code in UNSETTLED else plain)
    report = json.loads(printed)
    assert schemas.violations("report", report) == []
    assert (report["journal_entry"], report["fixes_applied"]) == (None, {})
    if report["verdict"] != "not-judged":
        assert any(problem["code"] == code for problem in report["problems"]), printed
    assert (report["plan"] == []) == (code in OF_A_PERSON)
    _, printed = book.type("jit-check --fix --unsafe-fixes --all --json", "")
    written = json.loads(printed)
    assert written["plan"] == report["plan"]
    assert (code in written["fixes_applied"]) == (code not in OF_A_PERSON)
