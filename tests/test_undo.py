"""Undo gives back every byte, and never takes what others wrote since."""

from pathlib import Path

import pytest
from journal_support import PLANS, plan_of, wanted_of

from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import DONE, TAKEN_BACK, Note
from jit_hooks.journal.place import Place
from jit_hooks.journal.undo import entries, journal_size, undo

NOTE = "2026-07-01T00:00:00Z"


def real_place(tmp_path: Path, files: dict[str, bytes]) -> Place:
    for path, data in files.items():
        root, _, rest = path.partition(":")
        where = tmp_path / {"store": "work/.jit", "control": "work/.git/jit"}[root] / rest
        if path.endswith("/"):
            where.mkdir(parents=True)
        else:
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(data)
    work = tmp_path / "work"
    (work / ".git").mkdir(exist_ok=True)
    return Place(str(work / ".jit"), str(work / ".git"), str(work))


def real_contents(tmp_path: Path) -> dict[str, bytes]:
    found = {}
    for root, name in (("work/.jit", "store:"), ("work/.git/jit", "control:")):
        base = tmp_path / root
        for path in base.rglob("*"):
            if not path.name.endswith(".lock"):
                rest = path.relative_to(base).as_posix()
                found[f"{name}{rest}/" if path.is_dir() else name + rest] = b"" if path.is_dir() else path.read_bytes()
    return found


@pytest.mark.parametrize("name", PLANS)
def test_on_a_real_disk_a_plan_is_written_and_taken_back(tmp_path: Path, name: str) -> None:
    row = PLANS[name]
    place = real_place(tmp_path, row.files)
    before = real_contents(tmp_path)
    entry = execute(plan_of(row, before), place, note=Note(NOTE, "fix"))
    assert entry.state == DONE
    assert entry.held < 1
    after = real_contents(tmp_path)
    lock_directory = {path: data for path, data in after.items() if path == "control:locks/"}
    assert after == wanted_of(row) | lock_directory
    assert plan_of(row, after) == {}
    back = undo(None, place, time=NOTE)
    assert (back.left, back.kept) == ({}, [])
    assert real_contents(tmp_path) == before
    assert [found.state for found in entries(place)] == [DONE, TAKEN_BACK]
    assert journal_size(place) > 0
