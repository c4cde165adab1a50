"""(c) Power loss: every disk that the unsynced operations may leave, at every moment of every plan."""

from collections.abc import Iterator

import pytest
from proofs import Count, drawn_from, over, part
from writer_plans import (
    PLANS,
    WRITTEN,
    Disk,
    Row,
    initial_of,
    neither_old_nor_new,
    originals_kept,
    temps_in,
    undo_all,
    wanted_of,
)

from jit_hooks.journal.undo import undo
from jit_hooks.testing.memory_files import Crash, Fault, MemoryFiles

State = tuple[tuple[int, ...], MemoryFiles]


class Tally:
    """States that were made, and those among them that differ and were recovered from."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.states = 0
        self.seen: set[tuple[tuple[str, bytes], ...]] = set()

    def fresh(self, states: Iterator[State], one_of: int) -> Iterator[State]:
        """The states not seen before, equal disks recover equally; in a short run one of so many."""
        for where, files in drawn_from(states, one_of, of=self.name):
            self.states += 1
            key = tuple(sorted(files.tree().items()))
            if key not in self.seen:
                self.seen.add(key)
                yield where, files


def recover(row: Row, where: object, files: MemoryFiles) -> None:
    """A new process on this disk loses nothing, finishes, and can go back; or goes back at once."""
    tree = files.tree()
    assert neither_old_nor_new(row, tree) == [], where
    assert originals_kept(row, tree) == [], where
    back = Disk(row, files.copied())
    undo_all(back)
    assert back.contents() == initial_of(row), where
    disk = Disk(row, files)
    disk.fix()
    assert disk.contents() == wanted_of(row), where
    assert originals_kept(row, disk.files.tree()) == [], where
    assert temps_in(disk.files.tree()) == [] or not disk.plan(), where
    undo_all(disk)
    assert disk.contents() == initial_of(row), where


@over("name", PLANS, few=12, one_in=1)
def test_after_a_power_loss_during_a_fix(name: str, count: Count) -> None:
    row, tally = PLANS[name], Tally(name)
    disk = Disk(row)
    disk.fix()
    for where, files in tally.fresh(disk.files.power_losses(), 20):
        recover(row, where, files)
    count("states after a power loss", tally.states)
    count("of them different", len(tally.seen))
    assert tally.states > 5


@over("name", PLANS, few=6, one_in=1)
def test_after_a_power_loss_during_an_undo(name: str, count: Count) -> None:
    row, tally = PLANS[name], Tally(name)
    disk = Disk(row)
    disk.fix()
    disk.files.start_recording()
    undo(None, disk.place, wait=0)
    for where, files in tally.fresh(disk.files.power_losses(), 20):
        tree = files.tree()
        assert neither_old_nor_new(row, tree) == [], where
        assert originals_kept(row, tree) == [], where
        assert undo("1", Disk(row, files).place, wait=0).left == {}, where
        assert Disk(row, files).contents() == initial_of(row), where
    count("states after a power loss", tally.states)
    count("of them different", len(tally.seen))


@over("name", PLANS, few=6, one_in=1)
def test_after_a_power_loss_during_the_run_that_follows_a_kill(name: str, count: Count) -> None:
    """What a killed run did and never synced is still open when the next one counts on it."""
    row, tally = PLANS[name], Tally(name)
    disk = Disk(row)
    disk.fix()
    calls = len(disk.files.calls)
    step = 2 if calls < 150 else 6
    for at in part(range(1, calls + 1, step if name in WRITTEN else 4 * step), few=3, of=name):
        disk = Disk(row)
        disk.files.fault = Fault(at, None)
        with pytest.raises(Crash):
            disk.fix()
        disk.files.revive()
        disk.fix()
        for where, files in tally.fresh(disk.files.power_losses(exhaustive=6, samples=8, seed=at), 10):
            recover(row, (at, where), files)
    count("states after a power loss", tally.states)
    count("of them different", len(tally.seen))
    assert tally.states > 5


def test_once_an_entry_is_done_no_power_loss_takes_it_back() -> None:
    for row in WRITTEN.values():
        disk = Disk(row)
        disk.fix()
        last = list(disk.files.power_losses())[-1][0][0]
        for where, files in disk.files.power_losses():
            if where[0] == last:
                assert Disk(row, files).contents() == wanted_of(row)


def test_the_model_loses_what_is_not_synced() -> None:
    files = MemoryFiles({"store:x": b"old"})
    handle = files.create("store:t", None)
    files.write(handle, b"new!")
    files.rename("store:t", "store:x")
    held = {left.read("store:x") for _, left in files.power_losses()}
    assert held == {b"old", b"", b"ne", b"new!"}
    files.fsync(handle)
    files.fsync_directory("store:")
    *_, (where, left) = files.power_losses()
    assert len(where) == 1
    assert left.read("store:x") == b"new!"
