"""(b) Every crash: an exception at each call in memory, a real SIGKILL at a sample of calls on disk."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from project import ROOT
from proofs import Count, over, part
from writer_plans import (
    PLANS,
    Disk,
    contents_of,
    initial_of,
    neither_old_nor_new,
    originals_kept,
    real_place,
    real_tree,
    temps_in,
    undo_all,
    wanted_of,
)

from jit_hooks.disk.files import Files
from jit_hooks.disk.layer import Handle
from jit_hooks.journal.undo import entries, undo
from jit_hooks.place import Place
from jit_hooks.testing.memory_files import Crash, Fault

KILLS = 50


def crashed(start: Disk, at: int, *, undoing: bool = False) -> Disk | None:
    """The disk after a crash at a call, and a new process; None when there are not so many calls."""
    disk = start.copied()
    disk.files.revive(Fault(at, None))
    try:
        if undoing:
            undo("1", disk.place, wait=0)
        else:
            disk.fix()
    except Crash:
        disk.files.revive()
        return disk
    return None


def crashes(start: Disk, *, undoing: bool = False) -> list[tuple[int, Disk]]:
    """Every crash of one run."""
    made = []
    at = 1
    while (disk := crashed(start, at, undoing=undoing)) is not None:
        made.append((at, disk))
        at += 1
    return made


@over("name", PLANS, few=12, one_in=1)
def test_after_a_crash_at_any_call_running_again_finishes_and_undo_takes_back(name: str, count: Count) -> None:
    row = PLANS[name]
    before, after = initial_of(row), wanted_of(row)
    every = crashes(Disk(row))
    assert len(every) > 50
    made = part(every, few=20, of=f"{name}, fix")
    for at, disk in made:
        tree = disk.files.tree()
        assert neither_old_nor_new(row, tree) == [], at
        assert originals_kept(row, tree) == [], at
        other = disk.copied()
        disk.fix()
        assert disk.contents() == after, at
        assert temps_in(disk.files.tree()) == [], at
        undo_all(disk)
        assert disk.contents() == before, at
        undo_all(other)
        assert other.contents() == before, at
        assert temps_in(other.files.tree()) == [] or not entries(other.place), at
    count("crashes", len(made))


@over("name", PLANS, few=6, one_in=1)
def test_after_a_crash_of_an_undo_another_undo_finishes(name: str, count: Count) -> None:
    row = PLANS[name]
    start = Disk(row)
    start.fix()
    made = part(crashes(start, undoing=True), few=20, of=f"{name}, undo")
    for at, disk in made:
        tree = disk.files.tree()
        assert neither_old_nor_new(row, tree) == [], at
        assert originals_kept(row, tree) == [], at
        assert undo("1", disk.place, wait=0).left == {}, at
        assert disk.contents() == initial_of(row), at
        assert temps_in(disk.files.tree()) == [], at
    count("crashes", len(made))


@over("name", ["replace", "log lines to bak", "directory removal"], few=1, one_in=1)
def test_a_crash_of_the_run_that_finishes_is_no_worse(name: str, count: Count) -> None:
    row = PLANS[name]
    for first, disk in part(crashes(Disk(row))[::5], few=2, of=name):
        for second, again in crashes(disk)[::3]:
            count("pairs of crashes", 1)
            assert originals_kept(row, again.files.tree()) == [], (first, second)
            assert neither_old_nor_new(row, again.files.tree()) == [], (first, second)
            again.fix()
            assert again.contents() == wanted_of(row), (first, second)
            undo_all(again)
            assert again.contents() == initial_of(row), (first, second)


class KilledFiles(Files):
    """The disk, for a process that is killed at its nth call; of a write the first half is done."""

    def __init__(self, place: Place, at: int) -> None:
        super().__init__(
            {
                "store": (os.path.dirname(place.store), (".jit",)),
                "control": (place.common, ("jit",)),
                "beside": (place.worktree, ()),
                "top": (place.worktree, ()),
                "common": (place.common, ()),
            }
        )
        self.left = at

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name in SEAM:
            self.left -= 1
            if not self.left:
                if name == "write":
                    return self.write_half
                os.kill(os.getpid(), signal.SIGKILL)
        return found

    def write_half(self, handle: Handle, data: bytes) -> int:
        os.write(handle.number, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        return 0


SEAM = frozenset(
    [
        "read",
        "status",
        "names",
        "create",
        "extend",
        "write",
        "fsync",
        "close",
        "rename",
        "unlink",
        "mkdir",
        "rmdir",
        "fsync_directory",
        "lock",
        "unlock",
    ]
)


def child(work: str, name: str, at: int) -> None:
    """What the child process does: one fix, killed on its way."""
    from writer_plans import plan_of

    from jit_hooks.journal.execute import execute
    from jit_hooks.journal.journal import Note

    row = PLANS[name]
    place = Place(f"{work}/work/.jit", f"{work}/work/.git", f"{work}/work")
    plan = plan_of(row, contents_of(real_tree(Path(work))))
    execute(plan, Place(place.store, place.common, place.worktree, KilledFiles(place, at)), note=Note("", "fix"))


@over("number", range(KILLS), few=4)
def test_after_a_real_kill_a_new_process_finishes_or_takes_back(tmp_path: Path, number: int, count: Count) -> None:
    name = list(PLANS)[number % len(PLANS)]
    row = PLANS[name]
    disk = Disk(row)
    disk.fix()
    calls = len(disk.files.calls)
    at = 1 + (number * calls) // KILLS
    place = real_place(tmp_path, row.files)
    code = f"import test_journal_crash as t; t.child({str(tmp_path)!r}, {name!r}, {at})"
    paths = os.pathsep.join([str(ROOT), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    tree = real_tree(tmp_path)
    assert neither_old_nor_new(row, tree) == []
    assert originals_kept(row, tree) == []
    again = Disk(row, place=place, tree=lambda: real_tree(tmp_path))
    if number % 2:
        again.fix()
        assert again.contents() == wanted_of(row) | locks_directory(again)
    undo_all(again)
    assert again.contents() == initial_of(row) | locks_directory(again)
    assert temps_in(real_tree(tmp_path)) == [] or not entries(place)
    count("kills", 1)


def locks_directory(disk: Disk) -> dict[str, bytes]:
    """The directory of the claims lock, which a writer may have to make."""
    return {path: data for path, data in disk.contents().items() if path == "control:locks/"}
