"""Undo gives back every byte, and never takes what others wrote since."""

from pathlib import Path

import pytest
from journal_support import PLANS, contents_of, plan_of, real_place, real_tree, wanted_of

from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import DONE, TAKEN_BACK, Note
from jit_hooks.journal.undo import entries, journal_size, undo

NOTE = "2026-07-01T00:00:00Z"


@pytest.mark.parametrize("name", PLANS)
def test_on_a_real_disk_a_plan_is_written_and_taken_back(tmp_path: Path, name: str) -> None:
    row = PLANS[name]
    place = real_place(tmp_path, row.files)
    before = contents_of(real_tree(tmp_path))
    entry = execute(plan_of(row, before), place, note=Note(NOTE, "fix"))
    assert entry.state == DONE
    assert entry.held < 1
    after = contents_of(real_tree(tmp_path))
    lock_directory = {path: data for path, data in after.items() if path == "control:locks/"}
    assert after == wanted_of(row) | lock_directory
    assert plan_of(row, after) == {}
    back = undo(None, place, time=NOTE)
    assert (back.left, back.kept) == ({}, [])
    assert contents_of(real_tree(tmp_path)) == before
    assert [found.state for found in entries(place)] == [DONE, TAKEN_BACK]
    assert journal_size(place) > 0
