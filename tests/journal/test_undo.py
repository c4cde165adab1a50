"""Undo gives back every byte, and never takes what others wrote since."""

import os
from pathlib import Path

import pytest
from writer_plans import PLANS, Disk, contents_of, initial_of, plan_of, real_place, real_tree, wanted_of

from jit_hooks.errors import NoEntryError, OtherWorktreeError
from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import DONE, OBJECTS, TAKEN_BACK, Note
from jit_hooks.journal.plan import Change
from jit_hooks.journal.undo import entries, journal_size, undo
from jit_hooks.place import Place

TIME = "2026-07-01T00:00:00Z"


@pytest.mark.parametrize("name", PLANS)
def test_on_a_real_disk_a_plan_is_written_and_taken_back(tmp_path: Path, name: str) -> None:
    row = PLANS[name]
    place = real_place(tmp_path, row.files)
    before = contents_of(real_tree(tmp_path))
    entry = execute(plan_of(row, before), place, note=Note(TIME, "fix"))
    assert entry.state == DONE
    assert entry.held < 1
    after = contents_of(real_tree(tmp_path))
    lock_directory = {path: data for path, data in after.items() if path == "control:locks/"}
    assert after == wanted_of(row) | lock_directory
    assert plan_of(row, after) == {}
    back = undo(None, place, time=TIME)
    assert (back.left, back.kept) == ({}, [])
    assert contents_of(real_tree(tmp_path)) == before
    assert [found.state for found in entries(place)] == [DONE, TAKEN_BACK]
    assert journal_size(place) > 0


def fixed_disk(name: str) -> Disk:
    disk = Disk(PLANS[name])
    disk.fix()
    return disk


def test_undo_takes_the_newest_entry_that_is_left_and_then_the_one_before() -> None:
    disk = fixed_disk("replace")
    index = "store:index.json"
    execute({index: Change.of(disk.contents()[index], b"2")}, disk.place, note=Note(TIME, "fix"), wait=0)
    back = undo(None, disk.place, time=TIME, wait=0)
    assert (back.undoes, back.command, back.time) == ("2", "jit-hooks undo", TIME)
    assert undo(None, disk.place, wait=0).undoes == "1"
    assert disk.contents() == initial_of(PLANS["replace"])
    assert [(entry.id, entry.state) for entry in entries(disk.place)] == [
        ("4", DONE),
        ("3", DONE),
        ("2", TAKEN_BACK),
        ("1", TAKEN_BACK),
    ]
    with pytest.raises(NoEntryError, match="nothing to undo"):
        undo(None, disk.place, wait=0)


@pytest.mark.parametrize("name", PLANS)
def test_an_undo_can_be_undone(name: str) -> None:
    disk = fixed_disk(name)
    undo(None, disk.place, wait=0)
    undo("2", disk.place, wait=0)
    assert disk.contents() == wanted_of(PLANS[name])
    assert [entry.state for entry in entries(disk.place)] == [DONE, TAKEN_BACK, DONE]
    assert undo(None, disk.place, wait=0).undoes == "1"
    assert disk.contents() == initial_of(PLANS[name])


@pytest.mark.parametrize("name", PLANS)
def test_what_a_framework_rolled_back_counts_as_taken_back(name: str) -> None:
    row = PLANS[name]
    disk = fixed_disk(name)
    changed = {path for path in entries(disk.place)[0].changes if not path.endswith("/")}
    for path in changed:
        if path in row.files:
            disk.files.plant(path, row.files[path])
        else:
            disk.files.take_away(path)
    back = undo(None, disk.place, wait=0)
    assert back.left == {}
    assert changed <= set(back.kept)
    assert disk.contents() == initial_of(row)
    assert entries(disk.place)[1].state == TAKEN_BACK


def test_a_file_that_holds_something_else_is_reported_and_left() -> None:
    row = PLANS["many files"]
    disk = fixed_disk("many files")
    first, second, *_ = entries(disk.place)[0].changes
    disk.files.plant(first, b"honest work")
    disk.files.take_away(second)
    back = undo(None, disk.place, wait=0)
    assert set(back.left) == {first, second}
    assert disk.contents() == {
        **{path: data for path, data in initial_of(row).items() if path != second},
        first: b"honest work",
    }
    assert entries(disk.place)[0].left == back.left


@pytest.mark.parametrize(
    ("name", "log_then", "log_after"),
    [
        ("log append", b"+", b'{"id":"one"}\n{"id":"two"}\n' + b'{"id":"later"}\n'),
        ("log lines to bak", b"+", b'{"id":"one"}\n{"id":"tw\n{"id":"three"}\n{"to\n{"id":"later"}\n'),
        ("log append", b"-", b'{"id":"one"}\n{"id":"two"}\n{"id":"later"}\n'),
        ("log lines to bak", b"-", b'{"id":"one"}\n{"id":"tw\n{"id":"three"}\n{"to{"id":"later"}\n'),
    ],
    ids=["appended", "appended, the old end was torn", "rolled back and appended", "rolled back, torn, and appended"],
)
def test_a_log_keeps_what_was_appended_since(name: str, log_then: bytes, log_after: bytes) -> None:
    log = "store:events.jsonl"
    disk = fixed_disk(name)
    now = disk.contents()[log] if log_then == b"+" else PLANS[name].files[log]
    disk.files.plant(log, now + b'{"id":"later"}\n')
    back = undo(None, disk.place, wait=0)
    assert back.left == {}
    assert disk.contents()[log] == log_after


def test_a_log_that_others_rewrote_is_left() -> None:
    disk = fixed_disk("log append")
    disk.files.plant("store:events.jsonl", b'{"id":"other"}\n')
    assert set(undo(None, disk.place, wait=0).left) == {"store:events.jsonl"}


def test_an_append_while_undo_waits_is_kept() -> None:
    disk = fixed_disk("log append")
    log = "store:events.jsonl"

    def append(name: str, path: str) -> None:
        if name == "lock" and path.endswith(".events.lock"):
            disk.files.between = None
            disk.files.plant(log, disk.contents()[log] + b'{"id":"later"}\n')

    disk.files.between = append
    assert undo(None, disk.place, wait=0).tails == {log: 15}
    assert disk.contents()[log] == b'{"id":"one"}\n{"id":"two"}\n{"id":"later"}\n'


def test_an_entry_of_another_worktree_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _: True)
    disk = fixed_disk("replace")
    other = Place("/beside/.jit", "/common", "/elsewhere", disk.files)
    with pytest.raises(OtherWorktreeError, match="/beside") as caught:
        undo("1", other, wait=0)
    assert caught.value.worktree == "/beside"
    with pytest.raises(NoEntryError):
        undo(None, other, wait=0)
    assert disk.contents() == wanted_of(PLANS["replace"])
    monkeypatch.setattr(os.path, "isdir", lambda _: False)  # it was moved
    undo("1", other, wait=0)
    assert disk.contents() == initial_of(PLANS["replace"])


def test_lines_that_were_moved_stay_while_their_log_is_away() -> None:
    disk = fixed_disk("log lines to bak")
    moved = disk.contents()["store:events.jsonl.bak"]
    disk.files.take_away("store:events.jsonl")
    back = undo(None, disk.place, wait=0)
    assert back.left["store:events.jsonl.bak"] == "it holds bytes of a file that is left"
    assert disk.contents()["store:events.jsonl.bak"] == moved
    assert undo("1", disk.place, wait=0).left, "nothing was taken back, so it can be tried again"
    assert entries(disk.place)[-1].state == DONE


def test_an_entry_that_is_not_there_is_named() -> None:
    with pytest.raises(NoEntryError, match="no entry 7"):
        undo("7", fixed_disk("replace").place, wait=0)
    assert entries(Disk(PLANS["replace"]).place) == []


def test_bytes_of_the_journal_that_are_damaged_are_never_put_back() -> None:
    row = PLANS["replace"]
    disk = fixed_disk("replace")
    digest = entries(disk.place)[0].changes["store:index.json"].before
    disk.files.plant(f"{OBJECTS}/{digest}", b"damaged")
    back = undo(None, disk.place, wait=0)
    assert "is damaged" in back.left["store:index.json"]
    assert disk.contents() == wanted_of(row)
    disk.files.take_away(f"{OBJECTS}/{digest}")
    assert "is not there" in undo("1", disk.place, wait=0).left["store:index.json"]


def test_damaged_bytes_of_the_journal_are_replaced_when_they_are_needed_again() -> None:
    disk = fixed_disk("replace")
    digest = entries(disk.place)[0].changes["store:index.json"].before
    disk.files.plant(f"{OBJECTS}/{digest}", b'{"all_ids": X')
    disk.files.plant("store:index.json", PLANS["replace"].files["store:index.json"])
    disk.fix()
    assert undo(None, disk.place, wait=0).left == {}
    assert disk.contents() == initial_of(PLANS["replace"])


def test_undo_takes_away_only_the_directories_it_made_and_only_when_empty() -> None:
    disk = fixed_disk("create")
    disk.files.plant("store:gate-runs/r1/note.txt", b"theirs")
    back = undo(None, disk.place, wait=0)
    assert set(back.left) == {"store:gate-runs/r1/", "store:gate-runs/"}
    assert disk.contents()["store:gate-runs/r1/note.txt"] == b"theirs"


def test_a_private_directory_comes_back_private(tmp_path: Path) -> None:
    row = PLANS["directory removal"]
    place = real_place(tmp_path, row.files)
    directory = tmp_path / "work/.jit/gate-runs/r1"
    directory.chmod(0o700)
    execute(plan_of(row, contents_of(real_tree(tmp_path))), place, note=Note(TIME, "fix"))
    assert not directory.exists()
    undo(None, place)
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_thing_that_is_no_file_is_left() -> None:
    disk = fixed_disk("replace")
    disk.files.take_away("store:index.json")
    disk.files.plant_link("store:index.json")
    assert undo(None, disk.place, wait=0).left == {"store:index.json": "a link stands there"}


def test_the_journal_says_what_it_holds() -> None:
    disk = fixed_disk("replace")
    assert journal_size(disk.place) == sum(len(data) for path, data in disk.files.tree().items() if "/journal/" in path)
    entry = entries(disk.place)[0]
    assert (entry.time, entry.command, entry.worktree, entry.undoes) == (TIME, "fix", "/beside", None)
    assert list(entry.changes) == ["store:index.json"]
