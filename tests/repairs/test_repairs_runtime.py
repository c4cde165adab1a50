"""Repairs of what the tracker leaves on one machine: in memory branch by branch, and typed by a user with real git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from commands import bytes_below, check, hooks
from leftovers import HEX, JOURNAL, LOCK, META, OTHER, WAS, identity, on_disk
from memory_stores import A, B, bytes_of, issue, path, store_of, v1
from mended_machines import mended
from test_repairs_claim import held
from writer_plans import Disk, Row, contents_of, undo_all

from jit_hooks.checks.runtime import unsettled
from jit_hooks.journal.execute import execute, transactions_in
from jit_hooks.journal.journal import Note
from jit_hooks.journal.plan import Change
from jit_hooks.store.layout import CLAIMS, CLAIMS_INDEX, CLAIMS_TEMP
from jit_hooks.store.machine import Machine
from jit_hooks.store.snapshot import Entry, Overlay
from jit_hooks.testing.memory_files import Crash, Fault, MemoryFiles

if TYPE_CHECKING:
    from pathlib import Path

    from git_scratch import Scratch

    from jit_hooks.judging.rounds import Draft
    from jit_hooks.place import Place
    from jit_hooks.repairs.context import Context

CONTROL = JOURNAL.removesuffix("journal.json")
KEPT = f"tmp/stuck-transactions/{HEX}/"
DEAD = 4711
GONE = Machine(dead=[DEAD], free=[LOCK], ages={"gate-runs/x/result.json.tmp": 7200.0, ".tmpAb3dE9": 7200.0})


def temp_of(target: str) -> str:
    folder, slash, name = target.rpartition("/")
    return f"{folder}{slash}.{name}.{DEAD}.0.tmp"


def left(made: Draft, context: Context) -> list[str]:
    return [why for identity, why in context.left.items() if identity in {one.identity for one in made.problems}]


# Temporary files of dead writers.

SOUND = bytes_of(issue(B))
TORN = SOUND[:-9]
INDEX = {"schema_version": 2, "all_ids": [A, B], "deleted_ids": []}


@pytest.mark.parametrize("era", ["june", "v1"])
@pytest.mark.parametrize(
    ("target", "temp", "why"),
    [
        (SOUND, SOUND, ""),
        (SOUND, TORN, ""),
        (SOUND, b"", ""),
        (TORN, SOUND, "does not load: it may hold what that lost"),
        (TORN, TORN, "does not load: it may hold what that lost"),
        (Entry("link"), SOUND, "does not load: it may hold what that lost"),
        (None, SOUND, "is not there, and this is a whole record"),
        (None, TORN, ""),
        (None, b"", ""),
        (None, bytes_of(issue(A)), ""),
    ],
)
def test_a_temp_stays_only_while_it_may_be_the_best_copy(target: object, temp: bytes, why: str, era: str) -> None:
    make = v1 if era == "v1" else issue
    contents = {path(A): make(A), path(B): target, temp_of(path(B)): temp, "index.json": INDEX}
    whole = {name: one for name, one in contents.items() if one is not None}
    made, context = mended(on_disk(whole, GONE), codes=["temp-stale"])
    assert made.changes == ({} if why else {temp_of(path(B)): None})
    assert [why in said for said in left(made, context)] == ([True] if why else [])


@pytest.mark.parametrize(
    ("contents", "temp"),
    [
        ({".tmpAb3dE9": b"{"}, ".tmpAb3dE9"),
        ({temp_of("index.json"): b"{"}, temp_of("index.json")),
        ({temp_of("server.pid.json"): b"{}"}, temp_of("server.pid.json")),
        ({temp_of("config.toml"): b"[", "config.toml": b""}, temp_of("config.toml")),
        ({CLAIMS_TEMP: b"{}"}, CLAIMS_TEMP),
        ({"gate-runs/x/result.json.tmp": b"{"}, "gate-runs/x/result.json.tmp"),
    ],
)
def test_other_temps_go(contents: dict[str, object], temp: str) -> None:
    made, _ = mended(on_disk(contents, GONE), codes=["temp-stale"])
    assert made.changes == {temp: None}


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("../.merge_file_notes1", b"my notes", "git made it"),
        ("issues/.merge_file_abcdef", b"", "git made it"),
        (".tmpABCDEF", b"my notes", "did not write"),
        (f"config/.notes.{DEAD}.0.tmp", b"my notes", "did not write"),
        (f"issues/{B}.json.tmp", b"my notes", "did not write"),
        ("todo.lock.meta", b"my notes", "no lock of that name"),
        ("a.lock.meta", b"my notes", "did not write"),
    ],
)
def test_what_the_tracker_did_not_write_stays(name: str, data: bytes, word: str) -> None:
    contents: dict[str, object] = {path(A): issue(A), "a.lock": b"", name: data}
    ages = dict.fromkeys(contents, 2.0 * 86_400)
    machine = Machine(dead=[DEAD], free=["a.lock", "todo.lock"], ages=ages)
    made, context = mended(on_disk(contents, machine), codes=["temp-stale", "lock-meta-stale"])
    assert made.changes == {}
    assert [word in said for said in left(made, context)] == [True]


def test_the_temp_of_a_claims_index_that_does_not_load_goes_after_that_was_built_again() -> None:
    contents: dict[str, object] = {CLAIMS: b"", CLAIMS_INDEX: b"{", CLAIMS_TEMP: b"{}"}
    made, context = mended(on_disk(contents, GONE), codes=["temp-stale"])
    assert made.changes == {}
    assert left(made, context) == ["the claims index does not load: it may hold what that lost"]
    made, _ = mended(on_disk(contents, GONE), unsafe=True, codes=["temp-stale", "claims-index-mismatch"])
    assert made.changes.keys() == {CLAIMS_INDEX, CLAIMS_TEMP}


def test_a_temp_that_a_restore_takes_goes_a_round_later() -> None:
    temp = temp_of(path(B))
    contents: dict[str, object] = {path(A): issue(A), path(B): TORN, temp: SOUND, "index.json": INDEX}
    mending = ["json-unparsable", "temp-stale"]
    made, context = mended(on_disk(contents, GONE), copies={path(B): SOUND}, codes=mending)
    assert made.changes == {path(B): SOUND, temp: None}
    assert left(made, context) == []


# Metadata of locks.


@pytest.mark.parametrize(("meta", "lock"), [(META, LOCK), ("a.lock.meta", "a.lock")])
def test_metadata_goes_and_the_lock_stays(meta: str, lock: str) -> None:
    contents = {meta: b'{"pid": 4711}', lock: b""}
    made, _ = mended(on_disk(contents, Machine(dead=[DEAD], free=[lock])), codes=["lock-meta-stale"])
    assert made.changes == {meta: None}
    made, _ = mended(on_disk(contents, Machine(dead=[DEAD])), codes=["lock-meta-stale"])
    assert made.changes == {}


# Transactions that the tracker cannot finish.

OLD = bytes_of(issue(B, title="as it was"))
NEW = bytes_of(issue(B, title="as it was to become"))
STUCK = {"root": "data", "relative": path(A)}


def action(
    target: str, old: bytes | None, new: bytes | None, backup: str = "", kind: str = "write_file"
) -> dict[str, object]:
    what = {"kind": kind, "backup": backup} if backup else {"kind": kind}
    return {
        "path": {"root": "data", "relative": target},
        "expected": identity(old) if old is not None else None,
        "final_identity": identity(new) if new is not None else None,
        "action": what,
    }


def journal(*actions: dict[str, object], decision: str = "prepared") -> bytes:
    first = {"path": STUCK, "expected": WAS, "final_identity": OTHER, "action": {"kind": "write_file"}}
    return json.dumps({"version": 3, "decision": decision, "actions": [first, *actions]}).encode()


def with_transaction(data: bytes, **more: object) -> dict[str, object]:
    return {
        "index.json": INDEX,
        JOURNAL: data,
        f"{CONTROL}backups/backup-1": OLD,
        f"{CONTROL}stages/file-1": NEW,
    } | more


UNDONE = action(path(B), OLD, NEW, "backups/backup-1")


@pytest.mark.parametrize(
    ("data", "there", "back"),
    [
        (journal(UNDONE), None, OLD),
        (journal(UNDONE, decision="rolled_back"), None, OLD),
        (journal(UNDONE, decision="committed"), None, None),
        (journal(UNDONE), SOUND, None),
        (journal(UNDONE), TORN, None),
        (journal(UNDONE), Entry("link"), None),
        (journal(action(path(B), OLD, NEW)), None, OLD),
        (journal(action(path(B), OLD, NEW, "backups/backup-9")), None, OLD),
        (journal(action(path(B), OLD, None, "backups/backup-1", "delete_file")), None, OLD),
        (journal(action(path(B), None, NEW, "backups/backup-1")), None, OLD),
        (journal(action(path(B), None, NEW)), None, None),
        (journal(action(path(B), TORN, NEW, "backups/backup-1")), None, None),
        (journal(action(path(B), OLD, NEW, "../../../index.json")), None, OLD),
        (b"{", None, None),
    ],
)
def test_what_is_away_comes_back_and_the_transaction_is_moved_whole(data: bytes, there: object, back: bytes) -> None:
    contents = with_transaction(data) | ({} if there is None else {path(B): there})
    snapshot = on_disk(contents, Machine())
    assert [problem.code for problem in unsettled(snapshot)] == ["transaction-stuck"]
    made, _ = mended(snapshot, unsafe=True, codes=["transaction-stuck"])
    moved = {name: one for name, one in contents.items() if name.startswith(CONTROL)}
    expected: dict[str, object] = {KEPT + name[len(CONTROL) :]: one for name, one in moved.items()}
    expected |= dict.fromkeys((*moved, CONTROL, f"{CONTROL}backups/", f"{CONTROL}stages/"))
    assert made.changes == expected | ({} if back is None else {path(B): back})
    assert unsettled(Overlay(snapshot, made.changes)) == []
    assert made.fixes == {"transaction-stuck": 1}


@pytest.mark.parametrize(
    "relative",
    ["../../etc/passwd", "/etc/passwd", "issues/../x.json", "issues//x.json", ".index.lock", "", "issues/a\0"],
)
def test_a_journal_that_names_what_is_no_record_brings_nothing_back(relative: str) -> None:
    data = journal(action(relative, OLD, NEW, "backups/backup-1"))
    made, _ = mended(on_disk(with_transaction(data), Machine()), unsafe=True, codes=["transaction-stuck"])
    assert {name for name in made.changes if not name.startswith("tmp/")} == set()
    assert made.fixes == {"transaction-stuck": 1}


def test_plain_repairs_leave_it_and_all_else_is_mended_after_it() -> None:
    contents = with_transaction(journal(UNDONE))
    made, context = mended(on_disk(contents, Machine()), codes=["transaction-stuck"])
    assert (made.changes, left(made, context)) == ({}, ["mending it means choosing: --unsafe-fixes does"])
    # Without the file that comes back the index would lose an id.
    made, _ = mended(on_disk(contents, Machine()), unsafe=True)
    assert "index.json" not in made.changes
    assert made.changes[path(B)] == OLD


def test_a_transaction_with_a_link_in_it_is_left() -> None:
    contents = with_transaction(journal(), **{f"{CONTROL}stages/link": Entry("link")})
    made, context = mended(on_disk(contents, Machine()), unsafe=True, codes=["transaction-stuck"])
    assert made.changes == {}
    assert left(made, context) == [f"{CONTROL}stages/link is not a file that can be moved"]


def test_a_lock_stays_where_it_is_and_the_rest_of_the_transaction_goes() -> None:
    contents = with_transaction(journal(), **{f"{CONTROL}stages/my.lock": b""})
    made, _ = mended(on_disk(contents, Machine()), unsafe=True, codes=["transaction-stuck"])
    assert made.fixes == {"transaction-stuck": 1}
    assert made.changes[JOURNAL] is None
    assert made.changes.keys().isdisjoint({CONTROL, f"{CONTROL}stages/", f"{CONTROL}stages/my.lock"})


def test_a_run_that_comes_back_broken_is_put_aside_and_no_directory_goes_that_never_was() -> None:
    run = "gate-runs/zz/result.json"
    contents = with_transaction(journal(action(run, OLD, NEW, "backups/backup-1")))
    made, _ = mended(on_disk(contents, Machine()), unsafe=True, codes=["transaction-stuck", "run-malformed"])
    assert made.changes[f"gate-runs-corrupt/zz/{run.rpartition('/')[2]}"] == OLD
    assert made.changes.keys().isdisjoint({run, "gate-runs/zz/"})


def test_two_of_them_and_what_was_moved_before_keep_apart() -> None:
    second = f"../.jit-bootstrap/transactions/{'9' * 32}/"
    contents = with_transaction(
        b"{",
        **{
            f"{KEPT}stages/file-1": NEW,
            f"{KEPT}journal.json": b"another",
            f"{second}journal.json": b"{",
            f"{second}empty/": Entry("directory"),
            "../.jit-bootstrap/transaction-protocol-v1": b"",
        },
    )
    snapshot = on_disk(contents, Machine())
    made, _ = mended(snapshot, unsafe=True, codes=["transaction-stuck"])
    assert made.changes[f"tmp/stuck-transactions/{HEX}-2/journal.json"] == b"{"
    assert made.changes[f"tmp/stuck-transactions/{'9' * 32}/journal.json"] == b"{"
    assert {f"{second}", f"{second}empty/"} <= {name for name, one in made.changes.items() if one is None}
    assert not any(name.startswith(KEPT) for name in made.changes)


def test_a_move_that_was_interrupted_goes_on_where_it_was() -> None:
    contents = with_transaction(b"{", **{f"{KEPT}journal.json": b"{", f"{KEPT}backups/backup-0": b"gone before"})
    made, _ = mended(on_disk(contents, Machine()), unsafe=True, codes=["transaction-stuck"])
    assert made.changes.keys() >= {JOURNAL, f"{KEPT}stages/file-1"}
    assert f"{KEPT}journal.json" not in made.changes


def clear_away(files: MemoryFiles, place: Place) -> None:
    """What ``--fix --unsafe-fixes`` does to a stuck transaction, and all that the plan needs for it."""
    there = contents_of(files.tree())
    listed: dict[str, object] = {}
    for name, data in there.items():
        if name[-1] != "/":
            listed[name.removeprefix("store:")] = data
        elif not any(other.startswith(name) and other != name for other in there):
            listed[name.removeprefix("store:")] = Entry("directory")
    made, _ = mended(on_disk(listed, Machine()), unsafe=True, codes=["transaction-stuck"])
    plan: dict[str, Change] = {}
    for name, after in made.changes.items():
        rooted = f"store:{name}"
        plan[rooted] = Change.remove_directory() if name[-1] == "/" else Change.of(there.get(rooted), after)
    if plan:
        execute(plan, place, note=Note(), wait=0, settling=transactions_in(plan))


def test_after_a_crash_at_any_call_it_is_finished_or_taken_back() -> None:
    contents = {**store_of(issue(A)), **with_transaction(journal(UNDONE))}
    planted = {f"store:{name}": bytes_of(one) for name, one in contents.items()}
    start = Disk(Row(planted, lambda now: now))
    whole = start.copied()
    clear_away(whole.files, whole.place)
    before, after = start.contents(), whole.contents()
    assert after[f"store:{path(B)}"] == OLD
    at = 0
    while True:
        at += 1
        disk = start.copied()
        disk.files.revive(Fault(at, None))
        try:
            clear_away(disk.files, disk.place)
        except Crash:
            disk.files.revive()
        else:
            break
        other = disk.copied()
        clear_away(disk.files, disk.place)
        # A directory without a journal may stay behind: it harms nobody, and the tracker removes it.
        assert {name: one for name, one in disk.contents().items() if name[-1] != "/"} == {
            name: one for name, one in after.items() if name[-1] != "/"
        }, at
        for each in (disk, other):
            undo_all(each)
            assert each.contents() == before, at
    assert at > 50


# With real git, as a user types it.


def dead_process() -> int:
    """The id of a process that has just ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def everything_below(top: Path) -> dict[str, bytes | None]:
    """All files, and all directories with None; git's own are among them."""
    return {
        str(each.relative_to(top)): (os.readlink(each).encode() if each.is_symlink() else each.read_bytes())
        if each.is_symlink() or each.is_file()
        else None
        for each in sorted(top.rglob("*"))
    }


def test_the_temp_of_a_dead_writer_is_the_first_copy_and_then_goes(scratch: Scratch) -> None:
    target = scratch.data / f"issues/{scratch.ids[0]}.json"
    document = json.loads(target.read_bytes())
    document["title"] = "A title that is in no commit"
    newer = json.dumps(document, indent=2, ensure_ascii=False).encode()
    temp = target.with_name(f".{target.name}.{dead_process()}.0.tmp")
    temp.write_bytes(newer)
    target.write_bytes(b"")
    needless = scratch.data / f".index.json.{dead_process()}.3.tmp"
    needless.write_bytes(b"{")
    before = bytes_below(scratch.data)
    done = check(scratch.top, "--fix")
    assert done.returncode == 0, done.stdout
    assert target.read_bytes() == newer
    assert not temp.exists()
    assert not needless.exists()
    assert hooks(scratch.top, "undo").returncode == 0
    assert bytes_below(scratch.data) == before


def test_the_temp_of_a_process_that_runs_stays(scratch: Scratch) -> None:
    temp = scratch.data / f".index.json.{os.getpid()}.0.tmp"
    temp.write_bytes(b"{")
    check(scratch.top, "--fix")
    assert temp.exists()


def test_metadata_of_a_dead_holder_goes_unless_the_lock_is_held(scratch: Scratch) -> None:
    lock = scratch.top / ".git/jit/locks/claims.lock"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"")
    meta = lock.with_name("claims.lock.meta")
    data = json.dumps({"pid": dead_process(), "agent_id": "system:list"}).encode()
    meta.write_bytes(data)
    inode = lock.stat().st_ino
    with held(lock):
        check(scratch.top, "--fix")
        assert meta.exists()
    done = check(scratch.top, "--fix")
    assert (done.returncode, meta.exists()) == (0, False), done.stdout
    assert lock.stat().st_ino == inode
    assert hooks(scratch.top, "undo").returncode == 0
    assert meta.read_bytes() == data


def plant(scratch: Scratch, decision: str = "prepared", *, is_stuck: bool) -> dict[str, bytes | None]:
    """A transaction over two issues, one of them away; stuck when the other was edited since. What lies there now."""
    edited, away = (scratch.data / f"issues/{one}.json" for one in scratch.ids[:2])
    old = [edited.read_bytes(), away.read_bytes()]
    new = [data.replace(b"pier", b"quay") for data in old]
    names = [f"issues/{one}.json" for one in scratch.ids[:2]]
    actions = [action(names[at], old[at], new[at], f"backups/backup-{at}") for at in range(2)]
    folder = scratch.data / CONTROL
    for place in ("stages", "backups"):
        (folder / place).mkdir(parents=True)
    document = {"version": 3, "decision": decision, "actions": actions}
    (folder / "journal.json").write_bytes(json.dumps(document).encode())
    for at in range(2):
        (folder / f"backups/backup-{at}").write_bytes(old[at])
        (folder / f"stages/file-{at}").write_bytes(new[at])
    away.unlink()
    if is_stuck:
        edited.write_bytes(old[0].replace(b"pier", b"ship"))
    return everything_below(scratch.data)


def test_a_stuck_transaction_is_cleared_away_and_comes_back(scratch: Scratch) -> None:
    away = scratch.data / f"issues/{scratch.ids[1]}.json"
    old = away.read_bytes()
    before = plant(scratch, is_stuck=True)
    untouched = everything_below(scratch.top)
    for arguments in ((), ("--fix",), ("--fix", "--dry-run"), ("--fix", "--unsafe-fixes", "--select", "index")):
        refused = check(scratch.top, *arguments)
        assert refused.returncode == 3, refused.stdout
        remedy = "explain transaction-stuck" if "--select" in arguments else "jit-check --fix --unsafe-fixes"
        assert remedy in refused.stdout
        assert everything_below(scratch.top) == untouched
    dry = check(scratch.top, "--fix", "--unsafe-fixes", "--dry-run")
    assert "transaction-stuck" in dry.stdout, dry.stdout
    assert everything_below(scratch.top) == untouched
    done = check(scratch.top, "--fix", "--unsafe-fixes")
    assert done.returncode == 0, done.stdout
    assert away.read_bytes() == old
    assert not (scratch.data / CONTROL).exists()
    kept = everything_below(scratch.data / KEPT)
    assert {name: data for name, data in kept.items() if data is not None} == {
        name.removeprefix(CONTROL): data for name, data in before.items() if name.startswith(CONTROL) and data
    }
    assert scratch.git("status", "--short") == f" M {scratch.issue(scratch.ids[0])}\n"
    assert check(scratch.top).returncode == 0
    assert "there is nothing that --fix can mend" in check(scratch.top, "--fix", "--unsafe-fixes").stdout
    taken = hooks(scratch.top, "undo")
    assert taken.returncode == 0, taken.stdout
    after = everything_below(scratch.data)
    assert {name: one for name, one in after.items() if not name.endswith(".lock")} == before


@pytest.mark.parametrize("decision", ["prepared", "committed", "rolled_back"])
def test_beside_a_pending_transaction_no_byte_changes(scratch: Scratch, decision: str) -> None:
    plant(scratch, is_stuck=False)
    if decision != "prepared":
        index = 1 if decision == "committed" else 0
        source = ("backups/backup-", "stages/file-")[index]
        for at in range(2):
            data = (scratch.data / CONTROL / f"{source}{at}").read_bytes()
            (scratch.data / f"issues/{scratch.ids[at]}.json").write_bytes(data)
        journal_file = scratch.data / JOURNAL
        journal_file.write_bytes(journal_file.read_bytes().replace(b'"prepared"', f'"{decision}"'.encode()))
    assert_untouched(scratch, "jit recover")


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        ({f".jit/tmp/transactions/cleanup-{HEX}/journal.json": b"{}"}, "--unsafe-fixes"),
        ({f".jit/tmp/transactions/cleanup-{HEX}/{name}": b"{}" for name in ("journal.json", "stages/file-0")},
         "jit recover"),
        ({".jit-bootstrap/transaction-protocol-v1": b"", f".jit-bootstrap/transactions/{HEX}/journal.json": b"{}"},
         "jit recover"),
        ({f"jit-stage-{HEX}/index.json": b"{}"}, "jit recover"),
        ({f".jit/{JOURNAL}": b'{"decision": "prep'}, "--unsafe-fixes"),
        ({".jit/tmp/transactions/notes.txt": b""}, "move it out of there"),
        ({".jit-bootstrap/notes.txt": b""}, "move it out of there"),
    ],
)  # fmt: skip
def test_in_no_crash_state_of_v1_do_plain_repairs_change_a_byte(
    scratch: Scratch, files: dict[str, bytes], remedy: str
) -> None:
    for name, data in files.items():
        (scratch.top / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch.top / name).write_bytes(data)
    assert_untouched(scratch, remedy)


def assert_untouched(scratch: Scratch, remedy: str) -> None:
    """Plain repairs say what to do, and change nothing at all, though there is something to mend."""
    (scratch.data / f"issues/{scratch.ids[2]}.json").write_bytes(b"")
    before = everything_below(scratch.top)
    refused = check(scratch.top, "--fix")
    assert (refused.returncode, remedy in refused.stdout) == (3, True), refused.stdout
    assert everything_below(scratch.top) == before


def test_one_that_waits_keeps_a_stuck_one_from_being_cleared_away(scratch: Scratch) -> None:
    plant(scratch, is_stuck=True)
    other = scratch.data / "tmp/transactions" / ("9" * 32)
    other.mkdir()
    (other / "journal.json").write_bytes(b"{}")
    before = everything_below(scratch.top)
    refused = check(scratch.top, "--fix", "--unsafe-fixes")
    assert (refused.returncode, "jit recover" in refused.stdout) == (3, True), refused.stdout
    assert everything_below(scratch.top) == before


def test_the_locks_of_the_trackers_are_waited_for(scratch: Scratch) -> None:
    plant(scratch, is_stuck=True)
    (scratch.data / ".repo-write.lock").write_bytes(b"")
    before = everything_below(scratch.top)
    with held(scratch.data / ".repo-write.lock"):
        refused = check(scratch.top, "--fix", "--unsafe-fixes")
    assert (refused.returncode, "is held by another process" in refused.stdout) == (3, True), refused.stdout
    assert everything_below(scratch.top) == before
