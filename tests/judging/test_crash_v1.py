"""The tracker since v1 killed at any step of a transaction, and what makes one that it can no longer finish: V1 to V16.

While a transaction waits, ``--fix`` changes no byte, replaces no file and makes none, whatever else there is to mend.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from claims import NOW as CLAIMED_NOW
from claims import acquire, index, lease, lines
from commands import check
from crashed_stores import Desk, changes, codes_in, new_repository, told_in, tree_below, write_below
from v1_transaction import HEX, MARKER, Transaction, initialise, targets_between

from jit_hooks.checks import BY_CODE
from jit_hooks.errors import NotSettledError
from jit_hooks.judging.mending import SAFE, Choice
from jit_hooks.testing.damage import DEAD_PID
from jit_hooks.testing.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = "2026-12-01T12:00:00Z"
UNSAFE = Choice(unsafe=True)
CONTROL = f".jit/tmp/transactions/{HEX}"
KEPT = f".jit/tmp/stuck-transactions/{HEX}"
TEMP = f".jit/.index.json.{DEAD_PID}.0.tmp"
OUTSIDE = {".gitattributes": b".jit/events.jsonl merge=union\n"}


@dataclass(frozen=True)
class Scene:
    """A repository with a store of v1 that is committed, and a mutation of it that was not yet begun.

    Attributes:
        top: the directory around the store.
        before: the store, committed.
        after: the store that the mutation makes.
        ids: of the issues: the first is judged by a gate, the last is deleted.
    """

    top: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    ids: list[str]

    @property
    def desk(self) -> Desk:
        return Desk(self.top, NOW)

    def transaction(self, **outside: bytes) -> Transaction:
        """A transaction with targets of every kind; with ``outside`` it has a companion."""
        return Transaction(self.top, targets_between(self.before, self.after, outside))

    def path(self, name: str) -> str:
        """A store path in which ``{0}`` and so on stand for the ids."""
        return name.format(*self.ids)

    def stop(self, steps: Iterator[str], state: str, away: str = "") -> None:
        """Go on to the first stop that leaves a crash state, in which a file of the store is away if one is named."""
        for found in steps:
            if found == state and not (away and (self.top / ".jit" / self.path(away)).exists()):
                return
        pytest.fail(f"there is no {state}")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    tracker = Tracker(0, "v1")
    tracker.init()
    tracker.gate_define("auto", "Gate", command="true")
    labels = ["epic:harbour", "type:task"]
    ids = [tracker.create(title, labels=labels, gates=["auto"]) for title in ("Pier", "Quay", "Ship")]
    tracker.dep_add(ids[0], ids[1])
    tracker.dep_add(ids[2], ids[1])
    before = dict(tracker.files)
    tracker.gate_run(ids[1], "auto")
    tracker.delete(ids[2])
    top = tmp_path / "work"
    new_repository(top, {f".jit/{path}": data for path, data in before.items()})
    return Scene(top, before, dict(tracker.files), ids)


def inodes(top: Path) -> dict[str, tuple[int, int, int]]:
    """Every name below, of git's own too, with the mode, the object and the time it was last changed."""
    found = {}
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            found[os.path.relpath(path, top)] = (status.st_mode, status.st_ino, status.st_mtime_ns)
    return found


def assert_nothing_written(scene: Scene, code: str, remedy: str, *choices: Choice) -> None:
    """Looks and repairs are refused with the code and what to type, and no name, object or byte changes."""
    before = inodes(scene.top)
    with pytest.raises(NotSettledError) as caught:
        scene.desk.judge()
    assert (caught.value.code, caught.value.remedy) == (code, remedy)
    for choice in choices:
        with pytest.raises(NotSettledError) as caught:
            scene.desk.fix(choice)
        assert (caught.value.code, caught.value.remedy) == (code, remedy)
    assert inodes(scene.top) == before


def assert_harmless(scene: Scene, codes: set[str]) -> None:
    """What else there is to mend is mended; what is left of the transaction stays as it is."""
    assert codes_in(scene.desk.judge()) == {"temp-stale", *codes}
    copy = replace(scene, top=scene.top.with_name("copy"))
    shutil.copytree(scene.top, copy.top, symlinks=True)
    report = copy.desk.fix()
    assert codes_in(report) == codes
    gone = tree_below(scene.top).items() - tree_below(copy.top).items()
    assert dict(gone).keys() == {TEMP}
    shutil.rmtree(copy.top)


FOUND = {"V1": "transaction-residue", "V7": "transaction-residue", "": "", "stuck": "transaction-stuck"}
"""Crash state to code; all others are ``transaction-pending``."""


@pytest.mark.parametrize("end", ["journal-first", "stages-first", "rolled-back"])
def test_a_transaction_stopped_at_any_step(scene: Scene, end: str) -> None:
    write_below(scene.top, {TEMP: b"{"})
    transaction = scene.transaction(**OUTSIDE)
    steps = transaction.run(journal_first=end == "journal-first")
    if end == "rolled-back":
        steps = rolled_back(transaction)
    seen: list[str] = []
    for state in steps:
        if end == "journal-first" or state not in seen[-1:] or state == "V3":
            hold_to(scene, state)
        seen.append(state)
    passed = ["V1", "V2", "V3", "V5", "V6", "V1", "V7", ""]
    if end != "rolled-back":
        passed[3] = "V4"
    if end == "stages-first":
        passed.insert(5, "stuck")
    assert [state for at, state in enumerate(seen) if state != (seen[at - 1] if at else None)] == passed
    meant = scene.before if end == "rolled-back" else scene.after
    assert {path: (scene.top / ".jit" / path).read_bytes() for path in meant} == meant
    found = {str(path.relative_to(scene.top / ".jit")) for path in (scene.top / ".jit").rglob("*") if path.is_file()}
    assert {path for path in found if not path.endswith(".lock")} == {*meant, TEMP.removeprefix(".jit/")}


def rolled_back(transaction: Transaction) -> Iterator[str]:
    """All is published, and the tracker is killed before it commits; its next command takes everything back."""
    yield from transaction.prepare()
    yield from transaction.publish()
    yield from transaction.roll_back()


def hold_to(scene: Scene, state: str) -> None:
    code = FOUND.get(state, "transaction-pending")
    if code in ("", "transaction-residue"):
        assert_harmless(scene, {code} - {""})
    elif code == "transaction-stuck":
        assert_nothing_written(scene, code, "jit-check --fix --unsafe-fixes", SAFE)
    else:
        assert_nothing_written(scene, code, "jit recover", SAFE, UNSAFE)


@pytest.mark.parametrize("state", ["V2", "V3", "V4", "V6"])
def test_a_user_is_told_what_ends_a_transaction_that_waits(scene: Scene, state: str) -> None:
    write_below(scene.top, {TEMP: b"{"})
    scene.stop(scene.transaction(**OUTSIDE).run(), state)
    before = inodes(scene.top)
    done = check(scene.top, "--fix")
    assert (done.returncode, done.stdout.splitlines()[-1].strip()) == (3, "to fix:  jit recover"), done.stdout
    assert "(transaction-pending)" in done.stdout
    assert inodes(scene.top) == before


def test_a_store_whose_making_was_killed_is_seen_at_every_step(tmp_path: Path) -> None:
    top = tmp_path / "work"
    new_repository(top, {"notes.txt": b"one\n"})
    tracker = Tracker(0, "v1")
    tracker.init()
    said = []
    for state in initialise(top, tracker.files):
        before = inodes(top)
        done = check(top, "--fix")
        said.append((state, done.returncode, done.stdout.splitlines()[-1].strip()))
        assert inodes(top) == before
    nothing = "jit-check: nothing to judge: there is no issue store here"
    assert said == [
        ("V1", 0, nothing),
        ("V1", 0, nothing),
        *[("V8", 3, "to fix:  jit init")] * 2,
        *[("V8", 3, "to fix:  jit recover")] * 3,
        ("", 0, "there is nothing that --fix can mend"),
    ]


# What the tracker can no longer finish.


def rewrite(name: str) -> Callable[[Scene], None]:
    """An editor, or June's tracker, writes a file that is neither what it was nor what it was to become."""

    def change(scene: Scene) -> None:
        temp = scene.top / ".jit" / f".edited.json.{DEAD_PID}.0.tmp"
        temp.write_bytes(scene.before[scene.path(name)] + b"\n")
        temp.rename(scene.top / ".jit" / scene.path(name))

    return change


def checkout(scene: Scene) -> None:
    """Git brings back what is committed."""
    subprocess.run(["git", "checkout", "-q", "--", ".jit"], cwd=scene.top, check=True)


def reset(scene: Scene) -> None:
    """Git brings another commit, in which an issue says something else."""
    rewrite(FIRST)(scene)
    subprocess.run(["git", "commit", "-q", "-m", "other", "--", ".jit/issues"], cwd=scene.top, check=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=scene.top, check=True)


FIRST, LAST = "issues/{1}.json", "events.jsonl"

STUCK: dict[str, tuple[str, str, Callable[[Scene], None]]] = {
    "edited before anything was published": ("V2", "", rewrite(FIRST)),
    "edited while another file is away": ("V3", LAST, rewrite(FIRST)),
    "June's tracker saves a file that is away (V16)": ("V3", FIRST, rewrite(FIRST)),
    "one edited and one deleted": ("V3", "issues/{2}.json", rewrite("index.json")),
    "reset to another commit": ("V3", "issues/{2}.json", reset),
    "checked out after it was committed": ("V4", "", checkout),
    "edited while it is cleaned up": ("V6", "", rewrite("index.json")),
}
"""The crash state, the file that is away in it, and what changes a target then."""


@pytest.mark.parametrize(("state", "away", "change"), STUCK.values(), ids=STUCK)
def test_a_stuck_transaction_is_settled_only_when_that_is_asked_for(
    scene: Scene, state: str, away: str, change: Callable[[Scene], None]
) -> None:
    transaction = scene.transaction()
    scene.stop(transaction.run(), state, away)
    change(scene)
    old = {target.path: scene.before.get(target.path) for target in transaction.targets} if state < "V4" else {}
    hold_stuck(scene, {f".jit/{path}": data for path, data in old.items() if data is not None})


def hold_stuck(scene: Scene, old: dict[str, bytes]) -> None:
    """Plain repairs write nothing; unsafe ones bring back what is away, keep the rest, and move the transaction whole.

    Args:
        scene: the store.
        old: the bytes that targets had before, by path from the top.
    """
    assert_nothing_written(scene, "transaction-stuck", "jit-check --fix --unsafe-fixes", SAFE)
    before, objects = tree_below(scene.top), inodes(scene.top)
    replace(scene.desk, checks=(BY_CODE["transaction-stuck"],)).fix(UNSAFE)
    after, now = tree_below(scene.top), inodes(scene.top)
    moved = {path.split("/", 4)[4]: data for path, data in before.items() if is_below(path, TRANSACTIONS) and data}
    assert {path.split("/", 4)[4]: data for path, data in after.items() if is_below(path, QUARANTINE) and data} == moved
    assert list((scene.top / TRANSACTIONS).iterdir()) == []
    back = {path: data for path, data in old.items() if path not in before}
    stays = {path: data for path, data in before.items() if data is not None and not is_below(path, TRANSACTIONS)}
    assert {path: data for path, data in after.items() if data is not None and not is_below(path, QUARANTINE)} == {
        **stays,
        **back,
    }
    assert {path: now[path] for path in stays} == {path: objects[path] for path in stays}, "a file was written anew"
    scene.desk.undo()
    assert tree_below(scene.top) == before
    report = scene.desk.fix(UNSAFE)
    assert report.errors == [], told_in(report)
    again = scene.desk.fix(UNSAFE)
    assert again.repairs is not None
    assert again.repairs.plan == []


TRANSACTIONS, QUARANTINE = ".jit/tmp/transactions", ".jit/tmp/stuck-transactions"


def is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def test_a_journal_that_outlived_what_it_was_to_publish_is_moved_away(scene: Scene) -> None:
    scene.stop(scene.transaction().run(journal_first=False), "stuck")
    hold_stuck(scene, {})


def test_a_journal_whose_bytes_are_torn_is_moved_away(scene: Scene) -> None:
    """V11: nothing can be read of what it was about, so nothing comes back from it."""
    scene.stop(scene.transaction().run(), "V3")
    journal = scene.top / CONTROL / "journal.json"
    journal.write_bytes(journal.read_bytes()[:-9])
    hold_stuck(scene, {})


@pytest.mark.parametrize("version", [2, 4])
def test_a_journal_of_another_version_is_left_to_the_tracker_that_wrote_it(scene: Scene, version: int) -> None:
    """V11: which tracker is installed is not known here."""
    scene.stop(scene.transaction().run(), "V3", LAST)
    journal = scene.top / CONTROL / "journal.json"
    journal.write_bytes(journal.read_bytes().replace(b'"version": 3', b'"version": %d' % version))
    assert_nothing_written(scene, "transaction-pending", "jit recover", SAFE, UNSAFE)


def test_a_store_that_was_copied_is_left_to_the_tracker(scene: Scene) -> None:
    """V10: that a journal is of another place only the tracker can tell, by a digest that nobody else makes."""
    scene.stop(scene.transaction().run(), "V3", LAST)
    copy = replace(scene, top=scene.top.with_name("copy"))
    shutil.copytree(scene.top, copy.top, symlinks=True)
    assert_nothing_written(copy, "transaction-pending", "jit recover", SAFE, UNSAFE)


def test_a_journal_that_git_brought_is_told_as_what_git_holds(scene: Scene) -> None:
    """V10: committed in one clone, stuck in every other."""
    scene.stop(scene.transaction().run(), "V3", LAST)
    subprocess.run(["git", "add", "--force", ".jit"], cwd=scene.top, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "all of it"], cwd=scene.top, check=True)
    clone = replace(scene, top=scene.top.with_name("clone"))
    subprocess.run(["git", "clone", "-q", str(scene.top), str(clone.top)], check=True)
    before = inodes(clone.top)
    report = clone.desk.judge()
    assert "git rm -r --cached" in told_in(report)["transaction-tracked"]
    assert inodes(clone.top) == before


# Strangers, and what the tracker's own strictness makes grave.


def plain_file(scene: Scene) -> None:
    write_below(scene.top, {f"{TRANSACTIONS}/notes.txt": b"mine\n"})


def link(scene: Scene) -> None:
    (scene.top / "elsewhere").mkdir()
    (scene.top / ".jit" / "tmp").symlink_to(scene.top / "elsewhere")


def without_marker(scene: Scene) -> None:
    scene.stop(scene.transaction(**OUTSIDE).prepare(), "V2")
    shutil.rmtree(scene.top / ".jit" / "tmp")
    (scene.top / MARKER).unlink()


@pytest.mark.parametrize("plant", [plain_file, link, without_marker])
def test_beside_a_stranger_nothing_is_written(scene: Scene, plant: Callable[[Scene], None]) -> None:
    """V12."""
    write_below(scene.top, {TEMP: b"{"})
    plant(scene)
    before = inodes(scene.top)
    report = scene.desk.judge()
    assert {problem.code for problem in report.errors} == {"transaction-foreign"}
    assert told_in(report)["transaction-foreign"] == "look at it, and move it out of there"
    for choice in (SAFE, UNSAFE):
        with pytest.raises(NotSettledError) as caught:
            scene.desk.fix(choice)
        assert (caught.value.code, caught.value.remedy) == (
            "transaction-foreign",
            "look at it, and move it out of there",
        )
    assert inodes(scene.top) == before


Files = dict[str, bytes]


def torn(scene: Scene) -> Files:
    return {".jit/events.jsonl": scene.before["events.jsonl"] + b'{"id":"1f0e0d0c-0000-4000-8000-0000'}


def certified(scene: Scene) -> Files:
    """The tracker saw the torn line and went on behind it, which its next event says."""
    event = {"id": "1f0e0d0c-0000-4000-8000-000000000001", "isolated_torn_tail": True, "operation": "apply"}
    event |= {"profiles": [], "timestamp": "2026-08-07T00:00:00.000000001Z", "type": "profile_lifecycle"}
    line = json.dumps(event, separators=(",", ":"), sort_keys=True).encode()
    return {".jit/events.jsonl": torn(scene)[".jit/events.jsonl"] + b"\n" + line + b"\n"}


def listed(scene: Scene, **change: list[str]) -> Files:
    document = json.loads(scene.before["index.json"])
    document |= {name: document[name] + ids for name, ids in change.items()}
    return {".jit/index.json": json.dumps(document, indent=2).encode()}


def unlisted(scene: Scene) -> Files:
    document = json.loads(scene.before["index.json"])
    document["all_ids"] = document["all_ids"][:-1]
    return {".jit/index.json": json.dumps(document, indent=2).encode()}


def claims(scene: Scene) -> Files:
    taken, cut = lines(acquire(issue_id=scene.ids[0]), acquire("2" * 8, issue_id=scene.ids[1]))
    live = index(lease(issue_id=scene.ids[0]))
    return {".git/jit/claims.jsonl": taken + cut[:70], ".git/jit/claims.index.json": live}


@dataclass(frozen=True)
class Row:
    """What lies there, what a look finds, how ``--fix`` changes it, and which words tell of what stays."""

    plant: Callable[[Scene], Files]
    found: set[str]
    fixes: set[str]
    left: dict[str, str]
    committed: bool = False


UNASSIGNED = {"lease-without-assignee": "assign the issue, or end its lease"}
LEFT_ALONE = {"event-fragment-certified": "the tracker knows of it"}
ALIVE = {"index-deleted-alive": "decide whether the issue lives", "event-deleted-missing": "nothing to mend"}
ROWS = {
    "V13": Row(torn, {"event-unparsable"}, {"~ events.jsonl", "+ events.jsonl.bak"}, {}),
    "V13-certified": Row(certified, {*LEFT_ALONE}, set(), LEFT_ALONE),
    "V14": Row(
        lambda scene: listed(scene, all_ids=scene.ids[:1]), {"index-duplicate-id"}, {"~ index.json"}, {}
    ),
    "V14-in-HEAD": Row(
        lambda scene: listed(scene, all_ids=scene.ids[:1]), {"index-duplicate-id"}, {"~ index.json"}, {}, committed=True
    ),
    "V14-overlap": Row(lambda scene: listed(scene, deleted_ids=scene.ids[:1]), {*ALIVE}, set(), ALIVE),
    "V15": Row(
        claims,
        {"claim-unparsable", *UNASSIGNED},
        {"~ control:claims.jsonl", "+ control:claims.jsonl.bak"},
        UNASSIGNED,
    ),
    "V16": Row(unlisted, {"index-misses-issue"}, {"~ index.json"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_state_at_which_the_tracker_refuses(scene: Scene, row: Row) -> None:
    write_below(scene.top, {**row.plant(scene)})
    if row.committed:
        subprocess.run(["git", "commit", "-q", "-a", "-m", "as it is"], cwd=scene.top, check=True)
    desk = Desk(scene.top, CLAIMED_NOW)
    before = tree_below(scene.top)
    assert codes_in(desk.judge()) == row.found
    report = desk.fix()
    told = told_in(report)
    assert told.keys() == row.left.keys()
    assert {code: words for code, words in row.left.items() if words not in told[code]} == {}, told
    after = tree_below(scene.top)
    assert changes(before, after) == row.fixes
    sound = {f".jit/{path}": data for path, data in scene.before.items()}
    sound[".git/jit/claims.jsonl"] = claims(scene)[".git/jit/claims.jsonl"].splitlines(keepends=True)[0]
    changed = {path: data for path, data in after.items() if path in before and data != before[path]}
    assert changed == {path: sound[path] for path in changed}
    if row.fixes:
        desk.undo()
        assert tree_below(scene.top) == before
