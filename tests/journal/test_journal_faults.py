"""(a) Every call of the writer fails in turn, in every way, once and for good."""

import errno
from contextlib import suppress

import pytest
from proofs import Count, over, part
from writer_plans import (
    PLANS,
    Disk,
    initial_of,
    neither_old_nor_new,
    originals_kept,
    temps_in,
    undo_all,
    wanted_of,
)

from jit_hooks.errors import JitHooksError, WriteError
from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import ENTRIES, NOT_BEGUN, TORN, Note
from jit_hooks.journal.plan import Change
from jit_hooks.journal.undo import entries, undo
from jit_hooks.testing.memory_files import SHORT, Fault

KINDS: list[int | str] = [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EROFS, SHORT]


def faults_of(calls: list[tuple[str, str]]) -> list[Fault]:
    """Every call in every way, once and for good; a short write is a fault of writes alone."""
    return [
        Fault(number, kind, forever=forever)
        for number, (name, _) in enumerate(calls, 1)
        for kind in KINDS
        if kind != SHORT or name == "write"
        for forever in (False, True)
    ]


def fixed_disk(name: str) -> Disk:
    disk = Disk(PLANS[name])
    disk.fix()
    return disk


@over("name", PLANS, few=12, one_in=1)
def test_a_fault_at_any_call_of_a_fix_loses_nothing_and_the_next_run_finishes(name: str, count: Count) -> None:
    row = PLANS[name]
    before, after = initial_of(row), wanted_of(row)
    faults = part(faults_of(fixed_disk(name).files.calls), few=50, of=f"{name}, fix")
    start = Disk(row)
    for fault in faults:
        disk = start.copied()
        disk.files.fault = fault
        written = True
        try:
            disk.fix()
        except JitHooksError as error:
            written = not isinstance(error, WriteError) or error.written
        where = (fault.at, fault.kind, fault.forever)
        tree = disk.files.tree()
        assert neither_old_nor_new(row, tree) == [], where
        assert originals_kept(row, tree) == [], where
        disk.files.revive()
        assert written or disk.contents() == before, where
        disk.fix()
        tree = disk.files.tree()
        assert disk.contents() == after, where
        assert originals_kept(row, tree) == [], where
        assert temps_in(tree) == [], where
        undo_all(disk)
        assert disk.contents() == before, where
    count("faults", len(faults))


@over("name", PLANS, few=6, one_in=1)
def test_a_fault_at_any_call_of_an_undo_loses_nothing_and_the_next_undo_finishes(name: str, count: Count) -> None:
    row = PLANS[name]
    before = initial_of(row)
    start = fixed_disk(name)
    disk = start.copied()
    undo(None, disk.place, wait=0)
    faults = part(faults_of(disk.files.calls), few=50, of=f"{name}, undo")
    for fault in faults:
        disk = start.copied()
        disk.files.fault = fault
        with suppress(JitHooksError):
            assert undo("1", disk.place, wait=0).left == {}
        where = (fault.at, fault.kind, fault.forever)
        tree = disk.files.tree()
        assert neither_old_nor_new(row, tree) == [], where
        assert originals_kept(row, tree) == [], where
        disk.files.revive()
        again = undo("1", disk.place, wait=0)
        assert again.left == {}, where
        assert disk.contents() == before, where
        assert temps_in(disk.files.tree()) == [], where
    count("faults", len(faults))


def test_a_full_disk_is_one_clear_error_and_the_store_is_untouched() -> None:
    disk = Disk(PLANS["replace"])
    first_write = next(
        number for number, (name, _) in enumerate(fixed_disk("replace").files.calls, 1) if name == "write"
    )
    disk.files.fault = Fault(first_write, errno.ENOSPC, forever=True)
    with pytest.raises(WriteError, match="No space left on device; nothing was written") as caught:
        disk.fix()
    assert not caught.value.written
    assert disk.contents() == initial_of(PLANS["replace"])


def test_a_rename_that_fails_says_that_the_entry_is_interrupted() -> None:
    disk = Disk(PLANS["many files"])
    calls = fixed_disk("many files").files.calls
    third = [number for number, (name, path) in enumerate(calls, 1) if name == "rename" and path.startswith("store:")][
        2
    ]
    disk.files.fault = Fault(third, errno.EIO)
    with pytest.raises(WriteError, match="entry 1 is interrupted") as caught:
        disk.fix()
    assert caught.value.written
    assert temps_in(disk.files.tree()) == []


@pytest.mark.parametrize("stranger", ["directory", "link"])
def test_what_stands_where_a_file_should_be_is_named_and_left(stranger: str) -> None:
    disk = Disk(PLANS["create"])
    if stranger == "link":
        disk.files.plant_link("store:gates.json")
    else:
        disk.files.plant("store:gates.json/x", b"1")
    before = disk.files.tree()
    with pytest.raises(WriteError, match=f"gates.json: is a {stranger}, not a file; nothing was written"):
        execute({"store:gates.json": Change.of(None, b"{}")}, disk.place, note=Note(), wait=0)
    after = disk.files.tree()
    assert {path: after[path] for path in before} == before
    assert [path for path in after if path.startswith("beside/") and path not in before] == []


@pytest.mark.parametrize(
    "torn", [b"", b"{", b"[]", b'{"changes": 1}', b"\0" * 40, b'{"entry": "1", "changes": {"a": {}}}']
)
def test_a_torn_entry_is_reported_and_stops_nothing(torn: bytes) -> None:
    disk = fixed_disk("replace")
    disk.files.plant(f"{ENTRIES}/2.json", torn)
    assert next(entry.state for entry in entries(disk.place)) == TORN
    assert undo(None, disk.place, wait=0).id == "3"
    assert disk.contents() == initial_of(PLANS["replace"])


def test_a_torn_outcome_leaves_its_entry_interrupted_and_it_can_be_undone() -> None:
    disk = fixed_disk("many files")
    disk.files.plant(f"{ENTRIES}/1.outcome.json", b'{"outco')
    assert undo(None, disk.place, wait=0).left == {}
    assert disk.contents() == initial_of(PLANS["many files"])


def test_an_execution_that_wrote_nothing_is_recorded_as_such() -> None:
    disk = Disk(PLANS["replace"])
    calls = fixed_disk("replace").files.calls
    lock = next(number for number, (name, path) in enumerate(calls, 1) if name == "lock" and "index.lock" in path)
    disk.files.fault = Fault(lock, errno.EACCES)
    with pytest.raises(JitHooksError):
        disk.fix()
    assert [entry.state for entry in entries(disk.place)] == [NOT_BEGUN]
