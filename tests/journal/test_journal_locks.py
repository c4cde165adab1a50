"""Beside live writers: the order of the locks, seen from another process; busy; a pending transaction."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from project import ROOT
from writer_plans import BASE, PLANS, Disk, contents_of, plan_of, real_place, real_tree, wanted_of

from jit_hooks.disk.files import require_platform
from jit_hooks.disk.layer import is_our_temp
from jit_hooks.errors import (
    BusyError,
    LockIOError,
    LockTimeoutError,
    NotSettledError,
    PlanError,
    StaleError,
    UnsupportedPlatformError,
)
from jit_hooks.journal.execute import execute
from jit_hooks.journal.journal import DONE, NOT_BEGUN, Note
from jit_hooks.journal.locks import find_pending
from jit_hooks.journal.plan import Change, check_plan, plan_as_json
from jit_hooks.journal.undo import entries, undo
from jit_hooks.testing.faults import FaultInjector

ORDER = [
    ".git/jit/locks/claims.lock",
    ".jit-bootstrap.lock",
    ".jit/.repo-write.lock",
    ".jit/.index.lock",
    ".jit/.gates.lock",
    ".jit/.events.lock",
]
EVERYTHING: dict[str, Change] = {
    "control:claims.jsonl": Change.of(None, b'{"seq":1}\n'),
    "store:gates.json": Change.of(None, b"{}"),
    "store:index.json": Change.of(BASE["store:index.json"], b"{}"),
}
PROBE = """
import fcntl, sys
held = []
for path in sys.argv[1:]:
    try:
        with open(path) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        held.append("absent")
    except BlockingIOError:
        held.append("held")
    else:
        held.append("free")
print(*held)
"""


def probe(work: Path) -> list[str]:
    """What another process finds of each lock, in the order of ``ORDER``."""
    paths = [str(work / path) for path in ORDER]
    return subprocess.run(
        [sys.executable, "-c", PROBE, *paths], capture_output=True, text=True, check=True
    ).stdout.split()


def watch(monkeypatch: pytest.MonkeyPatch, place: object, name: str, see: Callable[[str], None]) -> None:
    """Call ``see`` with the path before each call of one name at the seam."""
    files = place.files  # type: ignore[attr-defined]
    real = getattr(files, name)

    def seen(path: str, *rest: object, **more: object) -> object:
        see(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(files, name, seen)


def test_locks_are_taken_in_the_order_of_both_trackers_and_held_while_renaming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = real_place(tmp_path, BASE)
    work = tmp_path / "work"
    (work / ".jit-bootstrap.lock").touch()
    seen: list[list[str]] = []
    while_renaming: list[list[str]] = []
    watch(monkeypatch, place, "lock", lambda path: seen.append(probe(work)))
    watch(
        monkeypatch,
        place,
        "rename",
        lambda path: while_renaming.append(probe(work)) if "journal" not in path and ".tmp" in path else None,
    )
    entry = execute(EVERYTHING, place, note=Note(), wait=0)
    assert len(seen) == 1 + len(ORDER), "the journal's own lock comes first"
    for taken, found in enumerate(seen[1:]):
        assert found[:taken] == ["held"] * taken
        assert "held" not in found[taken:]
    assert while_renaming == [["held"] * len(ORDER)] * len(EVERYTHING)
    assert probe(work) == ["free"] * len(ORDER)
    assert entry.held < 5


def test_only_the_locks_a_plan_needs_are_taken_and_no_bootstrap_lock_is_made(tmp_path: Path) -> None:
    place = real_place(tmp_path, BASE)
    execute({"store:index.json": EVERYTHING["store:index.json"]}, place, note=Note(), wait=0)
    assert probe(tmp_path / "work") == ["absent", "absent", "free", "free", "absent", "free"]


def test_the_locks_are_held_for_well_under_a_second(tmp_path: Path) -> None:
    old = {f"store:issues/{number:08}-0000-4000-8000-000000000000.json": b"{}" for number in range(300)}
    place = real_place(tmp_path, {**BASE, **old})
    entry = execute({path: Change.of(data, b'{"a": 1}') for path, data in old.items()}, place, note=Note())
    assert 0 < entry.held < 1


@pytest.mark.parametrize("lock", ORDER)
def test_a_lock_held_by_another_is_busy_and_nothing_is_written(tmp_path: Path, lock: str) -> None:
    place = real_place(tmp_path, BASE)
    path = tmp_path / "work" / lock
    path.parent.mkdir(parents=True, exist_ok=True)
    before = contents_of(real_tree(tmp_path), temps=True)
    with FaultInjector(tmp_path).inject_lock_hold(path, 30), pytest.raises(BusyError) as caught:
        execute(EVERYTHING, place, note=Note(), wait=0)
    assert isinstance(caught.value, LockTimeoutError)
    assert caught.value.path == str(path)
    after = contents_of(real_tree(tmp_path), temps=True)
    assert {name: data for name, data in after.items() if not name.endswith("locks/")} == {
        name: data for name, data in before.items() if not name.endswith("locks/")
    }
    assert [entry.state for entry in entries(place)] == [NOT_BEGUN]
    execute(EVERYTHING, place, note=Note(), wait=0)


@pytest.mark.parametrize(
    ("meta", "holder"),
    [
        (json.dumps({"pid": 4711, "agent_id": "agent:worker-1"}).encode(), "agent:worker-1, process 4711"),
        (b"", None),
        (b"[1]", None),
        (b'{"pid": "x"}', None),
    ],
)
def test_busy_names_the_holder_where_the_metadata_tells(meta: bytes, holder: str | None) -> None:
    disk = Disk(PLANS["control plane"])
    disk.files.plant("control:locks/claims.lock", b"")
    disk.files.plant("control:locks/claims.lock.meta", meta)
    disk.files.busy = frozenset(["control:locks/claims.lock"])
    with pytest.raises(LockTimeoutError) as caught:
        disk.fix()
    assert caught.value.holder == holder
    assert (holder or "another process") in str(caught.value)


def test_a_command_waits_and_a_hook_does_not(tmp_path: Path) -> None:
    place = real_place(tmp_path, BASE)
    lock = tmp_path / "work/.jit/.index.lock"
    with FaultInjector(tmp_path).inject_lock_hold(lock, 30), pytest.raises(LockTimeoutError) as caught:
        execute(EVERYTHING, place, note=Note(), wait=0.2)
    assert 0.15 < caught.value.elapsed < 1.5
    FaultInjector(tmp_path).inject_lock_hold(lock, 0.2)
    code = "import sys, test_journal_locks as t; t.child(sys.argv[1])"
    paths = os.pathsep.join([str(ROOT), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True)


def child(directory: str) -> None:
    """What another process does: the plan, waiting for its locks."""
    from jit_hooks.place import Place

    work = f"{directory}/work"
    execute(EVERYTHING, Place(f"{work}/.jit", f"{work}/.git", work), note=Note(), wait=5)


def test_a_lock_that_is_a_link_or_a_directory_is_no_lock(tmp_path: Path) -> None:
    place = real_place(tmp_path, BASE)
    (tmp_path / "work/.jit/.index.lock").mkdir()
    with pytest.raises(LockIOError):
        execute(EVERYTHING, place, note=Note(), wait=0)
    (tmp_path / "work/.jit/.index.lock").rmdir()
    (tmp_path / "elsewhere").touch()
    (tmp_path / "work/.jit/.index.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LockIOError):
        execute(EVERYTHING, place, note=Note(), wait=0)


PENDING = {
    "a journal": "store:tmp/transactions/0123456789abcdef0123456789abcdef/journal.json",
    "a clean-up with its journal": "store:tmp/transactions/cleanup-0123456789abcdef0123456789abcdef/journal.json",
    "an init": "beside:.jit-bootstrap/transactions/0123456789abcdef0123456789abcdef/journal.json",
    "a half-built store": "beside:jit-stage-0123456789abcdef0123456789abcdef/index.json",
    "a stranger among transactions": "store:tmp/transactions/notes.txt",
    "a stranger for tmp": "store:tmp",
    "a bootstrap directory without its marker": "beside:.jit-bootstrap/x",
}
SETTLED = {
    "no journal yet": "store:tmp/transactions/0123456789abcdef0123456789abcdef/stages/file-0",
    "an archive": "store:tmp/archive-1/doc-1",
    "a companion alone": "beside:.jit-bootstrap/transactions/0123456789abcdef0123456789abcdef/companion",
}


@pytest.mark.parametrize("state", PENDING)
@pytest.mark.parametrize("name", PLANS)
def test_under_a_pending_transaction_no_byte_changes(name: str, state: str) -> None:
    disk = Disk(PLANS[name])
    if ".jit-bootstrap/transactions" in PENDING[state]:
        disk.files.plant("beside:.jit-bootstrap/transaction-protocol-v1", b"")
    disk.files.plant(PENDING[state], b"{}")
    before = disk.files.tree()
    with pytest.raises(NotSettledError) as caught:
        disk.fix()
    is_foreign = "stranger" in state or "without its marker" in state
    assert caught.value.code == ("transaction-foreign" if is_foreign else "transaction-pending")
    assert (caught.value.remedy == "jit recover") is not is_foreign
    assert disk.files.tree() == before


def test_under_a_pending_transaction_undo_changes_no_byte() -> None:
    disk = Disk(PLANS["many files"])
    disk.fix()
    disk.files.plant(PENDING["a journal"], b"{}")
    before = disk.files.tree()
    with pytest.raises(NotSettledError):
        undo(None, disk.place, wait=0)
    assert disk.files.tree() == before


def test_a_transaction_that_begins_before_the_locks_are_had_stops_the_writer() -> None:
    disk = Disk(PLANS["many files"])
    before = disk.contents()
    planted: list[str] = []

    def crash_of_the_tracker(name: str, path: str) -> None:
        if name == "lock" and path.endswith(".repo-write.lock") and not planted:
            planted.append(path)
            disk.files.plant(PENDING["a journal"], b"{}")

    disk.files.between = crash_of_the_tracker
    with pytest.raises(NotSettledError):
        disk.fix()
    disk.files.between = None
    after = contents_of(disk.files.tree(), temps=True)
    assert {path: data for path, data in after.items() if "tmp/" not in path} == before


@pytest.mark.parametrize("state", SETTLED)
def test_what_harms_nobody_is_not_pending(state: str) -> None:
    disk = Disk(PLANS["replace"])
    disk.files.plant("beside:.jit-bootstrap/transaction-protocol-v1", b"")
    disk.files.plant(SETTLED[state], b"")
    assert find_pending(disk.files) == ([], [])
    disk.fix()


def test_a_plan_that_settles_a_transaction_may_be_executed() -> None:
    disk = Disk(PLANS["replace"])
    journal = PENDING["a journal"]
    directory = journal.rpartition("/")[0]
    disk.files.plant(journal, b"torn")
    plan = {
        journal: Change.of(b"torn", None),
        f"{directory}/": Change.remove_directory(),
        "store:index.json": Change.of(disk.contents()["store:index.json"], b"{}"),
    }
    with pytest.raises(NotSettledError):
        execute(plan, disk.place, note=Note(), wait=0)
    execute(plan, disk.place, note=Note(), wait=0, settling=frozenset([directory]))
    assert find_pending(disk.files) == ([], [])
    undo(None, disk.place, wait=0)
    assert find_pending(disk.files) == ([directory], [])


def change_while_waiting(disk: Disk, path: str, data: bytes | None, at: str = ".index.lock") -> None:
    """Another writer changes a file after the plan was prepared, before all locks are had."""

    def change(name: str, where: str) -> None:
        if name == "lock" and where.endswith(at):
            disk.files.between = None
            if data is None:
                disk.files.take_away(path)
            else:
                disk.files.plant(path, data)

    disk.files.between = change


def test_a_file_that_changed_meanwhile_is_left_and_nothing_is_written() -> None:
    disk = Disk(PLANS["many files"])
    path = next(iter(disk.plan()))
    change_while_waiting(disk, path, b"honest work")
    with pytest.raises(StaleError) as caught:
        disk.fix()
    assert caught.value.paths == (path,)
    assert disk.contents() == {**Disk(PLANS["many files"]).contents(), path: b"honest work"}
    assert not [name for name in disk.files.tree() if is_our_temp(name.rpartition("/")[2])]


def test_it_is_planned_again_once_under_the_locks() -> None:
    row = PLANS["many files"]
    disk = Disk(row)
    path = next(iter(disk.plan()))
    change_while_waiting(disk, path, b"honest work")
    asked: list[tuple[str, ...]] = []

    def replan(stale: tuple[str, ...]) -> dict[str, Change]:
        asked.append(stale)
        return {name: change for name, change in plan_of(row, disk.contents()).items() if name not in stale}

    entry = execute(disk.plan(), disk.place, note=Note(), wait=0, replan=replan)
    assert asked == [(path,)]
    assert path not in entry.changes
    assert disk.contents()[path] == b"honest work"
    assert len(entries(disk.place)) == 1
    assert undo(None, disk.place, wait=0).left == {}
    assert disk.contents() == {**Disk(row).contents(), path: b"honest work"}


def test_a_second_plan_may_not_need_another_lock() -> None:
    disk = Disk(PLANS["many files"])
    path = next(iter(disk.plan()))
    change_while_waiting(disk, path, b"honest work")
    with pytest.raises(StaleError):
        execute(disk.plan(), disk.place, note=Note(), wait=0, replan=lambda _: EVERYTHING)


def test_a_second_plan_is_held_to_what_a_plan_may_touch() -> None:
    disk = Disk(PLANS["many files"])
    before = disk.contents()
    path = next(iter(disk.plan()))
    change_while_waiting(disk, path, b"honest work")
    with pytest.raises(PlanError):
        execute(
            disk.plan(), disk.place, note=Note(), wait=0, replan=lambda _: {"store:.new.lock": Change.of(None, b"x")}
        )
    assert disk.contents() == {**before, path: b"honest work"}


def test_a_file_that_changed_and_changed_back_meanwhile_is_repaired() -> None:
    row = PLANS["replace"]
    disk = Disk(row)
    plan = disk.plan()
    (path,) = plan
    was = disk.contents()[path]
    disk.files.plant(path, b"caught half-way")
    change_while_waiting(disk, path, was)
    assert execute(plan, disk.place, note=Note(), wait=0).state == DONE
    assert disk.contents() == wanted_of(row)
    undo(None, disk.place, wait=0)
    assert disk.contents()[path] == was


@pytest.mark.parametrize("moment", [".repo-write.lock", ".events.lock"])
def test_what_is_appended_to_a_log_meanwhile_is_kept(moment: str) -> None:
    disk = Disk(PLANS["log append"])
    log = "store:events.jsonl"
    grown = disk.contents()[log] + b'{"id":"theirs"}\n'
    change_while_waiting(disk, log, grown, moment)
    entry = disk.fix()
    assert entry is not None
    assert disk.contents()[log] == BASE[log] + b'{"id":"new"}\n' + b'{"id":"theirs"}\n'
    assert entry.tails == {log: 16}


def test_a_log_that_ended_inside_a_line_and_grew_is_planned_again() -> None:
    disk = Disk(PLANS["log lines to bak"])
    log = "store:events.jsonl"
    change_while_waiting(disk, log, disk.contents()[log] + b'rn"}\n')
    with pytest.raises(StaleError):
        disk.fix()
    assert disk.contents()[log].endswith(b'{"torn"}\n')


def test_a_directory_that_is_no_longer_empty_stays() -> None:
    disk = Disk(PLANS["directory removal"])
    change_while_waiting(disk, "store:gate-runs/r1/result.json", b"{}")
    with pytest.raises(StaleError):
        disk.fix()
    assert disk.contents()["store:gate-runs/r1/.tmp"] == b"x"


@pytest.mark.parametrize(
    "path",
    [
        "store:.index.lock",
        "store:issues/x.lock",
        "store:../.jit-bootstrap.lock",
        "store:../README.md",
        "store:../../x",
        "store:a/../b",
        "store:",
        "store:/etc/passwd",
        "common:config",
        "top:README.md",
        "control:locks/claims.lock",
        "store:a//b",
        "store:a\0",
    ],
)
def test_a_plan_reaches_nothing_but_store_and_control_plane(path: str) -> None:
    with pytest.raises(PlanError):
        check_plan({path: Change.of(None, b"")})


def test_a_plan_is_printed_in_order_with_digests() -> None:
    plan = {"store:b/": Change.remove_directory(), "store:a": Change.of(b"", None), "store:c": Change.of(None, b"")}
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert plan_as_json(plan) == [
        {"path": "store:a", "before": empty, "after": None},
        {"path": "store:b/", "before": "directory", "after": None},
        {"path": "store:c", "before": None, "after": empty},
    ]


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    place = real_place(tmp_path, BASE)
    index = tmp_path / "work/.jit/index.json"
    index.chmod(0o640)
    execute(EVERYTHING, place, note=Note(), wait=0)
    assert index.stat().st_mode & 0o777 == 0o640
    index.chmod(0o600)
    undo(None, place, wait=0)
    assert index.stat().st_mode & 0o777 == 0o640


def test_where_there_is_no_flock_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    require_platform()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(UnsupportedPlatformError, match="never writes"):
        require_platform()


def test_readers_and_a_writer_share_no_moment(tmp_path: Path) -> None:
    place = real_place(tmp_path, BASE)
    (tmp_path / "work/.jit/.index.lock").touch()
    with open(tmp_path / "work/.jit/.index.lock") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        with suppress(BusyError):
            execute(EVERYTHING, place, note=Note(), wait=0)
            pytest.fail("a reader's shared lock keeps the writer out")
