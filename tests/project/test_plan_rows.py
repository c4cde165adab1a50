"""The table of the original plan: every row is there, and every test that it names."""

from __future__ import annotations

import ast
import re

import pytest
from project import ROOT, TESTS

TEXT = (ROOT / "docs" / "contributing" / "plan-rows.md").read_text(encoding="utf-8")
ROWS = {row[1]: row[2] for row in re.finditer(r"^\| (S\d+) \|(.*)\|$", TEXT, re.MULTILINE)}

EVERY = {f"S{number}" for number in range(1, 24)}

SEVEN = (
    "test_corrupt_issue_json_detected_by_validate",
    "test_corrupt_events_jsonl_skipped_in_resilient_read",
    "test_orphaned_temp_file_detected_and_fixed",
    "test_stale_lock_detected_and_fixed",
    "test_lock_timeout_returns_actionable_error",
    "test_partial_write_recovery",
    "test_schema_mismatch_detected",
)


def names_in(name: str) -> set[str]:
    tree = ast.parse(next(TESTS.rglob(name)).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_plan_is_there() -> None:
    assert set(ROWS) == EVERY


@pytest.mark.parametrize("row", list(ROWS))
def test_a_row_names_tests_that_exist(row: str) -> None:
    named: list[tuple[str, str]] = re.findall(r"`(test_\w+\.py)::(test_\w+)`", ROWS[row])
    assert named
    assert {f"{name}::{test}" for name, test in named if test not in names_in(name)} == set()


def test_the_seven_integration_tests_have_their_names() -> None:
    assert set(SEVEN) <= names_in("test_error_recovery.py")
