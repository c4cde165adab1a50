"""The merge driver as git runs it: real processes, real merges."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from git_scratch import git, run
from merge_edits import ID, START, Document, index_bytes, issue_bytes, log_bytes, log_line
from project import ROOT

from jit_hooks.hooks import driver
from jit_hooks.install.hook_place import find_hook_place
from jit_hooks.install.merge_driver import DRIVER, NET, install_driver
from jit_hooks.merge.conflict import UNFINISHED, read_conflict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ISSUE = f".jit/issues/{ID}.json"
INDEX, LOG = ".jit/index.json", ".jit/events.jsonl"
OTHER = "00000002-0000-4000-8000-000000000002"

START_DRIVER = (
    "import sys; sys.path.insert(0, sys.argv[1]); from jit_hooks.hooks.entry import main; sys.exit(main(sys.argv[2:]))"
)
COMMAND = [sys.executable, "-I", "-S", "-c", START_DRIVER, str(ROOT), "merge"]


Files = Mapping[str, object]


class Scratch:
    """A repository whose store merges through the driver; files are given as documents or bytes.

    The driver is the one that is installed, unless a command is given.
    """

    def __init__(self, top: Path, command: str = "") -> None:
        self.top = top
        top.mkdir()
        git(top, "init", "-q", "-b", "main")
        install_driver(find_hook_place(str(top)), str(ROOT))
        if command:
            git(top, "config", f"merge.{DRIVER}.driver", f"{command} %O %A %B %P; {NET}")

    def commit(self, **files: object) -> None:
        """Write and commit; the keys are `issue`, `index`, `log`, `other`; None removes."""
        paths = {"issue": ISSUE, "index": INDEX, "log": LOG, "other": f".jit/issues/{OTHER}.json"}
        for name, content in files.items():
            path = self.top / paths[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else issue_bytes(content))  # type: ignore[arg-type]
        git(self.top, "add", "-A")
        git(self.top, "commit", "-qm", "change")

    def branches(self, base: Files, ours: Files, theirs: Files) -> None:
        """A base, `main` ahead of it by ours and `side` by theirs."""
        self.commit(**base)
        git(self.top, "checkout", "-qb", "side")
        self.commit(**theirs)
        git(self.top, "checkout", "-q", "main")
        self.commit(**ours)

    def read(self, path: str = ISSUE) -> bytes:
        return (self.top / path).read_bytes()

    def document(self, path: str = ISSUE) -> Document:
        document: Document = json.loads(self.read(path))
        return document

    def status(self) -> str:
        return git(self.top, "status", "--porcelain")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repository")


def changed(**members: object) -> Document:
    return {**START, **members}


LINES = [log_line(number, 0, number) for number in range(3)]
BASE = {"issue": changed(), "index": index_bytes({"schema_version": 2, "all_ids": [ID], "deleted_ids": []}),
        "log": log_bytes(LINES)}  # fmt: skip


def side(number: int, **members: object) -> dict[str, object]:
    """A branch that changes the issue, creates another one and appends an event."""
    ids = [ID, f"0000000{number}-0000-4000-8000-00000000000{number}"]
    return {
        "issue": changed(**members),
        "index": index_bytes({"schema_version": 2, "all_ids": ids, "deleted_ids": []}),
        "log": log_bytes([*LINES, log_line(1, number, 10 + number)]),
    }


def assert_united(scratch: Scratch) -> None:
    document = scratch.document()
    assert (document["title"], document["priority"]) == ("ours", "high")
    assert len(scratch.document(INDEX)["all_ids"]) == 3
    assert scratch.read(LOG) == log_bytes([*LINES, log_line(1, 3, 13), log_line(1, 4, 14)])
    assert scratch.status() == ""


def merge_side(scratch: Scratch) -> None:
    git(scratch.top, "merge", "-q", "--no-edit", "side")


def rebase_side(scratch: Scratch) -> None:
    git(scratch.top, "rebase", "-q", "side")


def pick_side(scratch: Scratch) -> None:
    git(scratch.top, "cherry-pick", "side")


@pytest.mark.parametrize("how", [merge_side, rebase_side, pick_side])
def test_work_on_two_branches_unites_by_itself(scratch: Scratch, how: Callable[[Scratch], None]) -> None:
    scratch.branches(BASE, side(3, title="ours"), side(4, priority="high"))
    how(scratch)
    assert_united(scratch)


def test_it_runs_in_a_linked_worktree(scratch: Scratch, tmp_path: Path) -> None:
    scratch.branches(BASE, side(3, title="ours"), side(4, priority="high"))
    linked = tmp_path / "linked"
    git(scratch.top, "worktree", "add", "-q", str(linked), "-b", "third", "main")
    git(linked, "merge", "-q", "--no-edit", "side")
    assert json.loads((linked / ISSUE).read_bytes())["title"] == "ours"
    assert json.loads((linked / ISSUE).read_bytes())["priority"] == "high"


def test_stash_pop_and_revert_merge_too(scratch: Scratch) -> None:
    scratch.commit(**BASE)
    (scratch.top / ISSUE).write_bytes(issue_bytes(changed(title="ours")))
    git(scratch.top, "stash", "-q")
    scratch.commit(issue=changed(priority="high"))
    git(scratch.top, "stash", "pop", "-q")
    assert (scratch.document()["title"], scratch.document()["priority"]) == ("ours", "high")
    git(scratch.top, "commit", "-qam", "both")
    git(scratch.top, "revert", "--no-edit", "HEAD~1")
    assert (scratch.document()["title"], scratch.document()["priority"]) == ("ours", "normal")


def test_a_true_conflict_stops_reads_well_and_is_finished_by_hand(scratch: Scratch) -> None:
    scratch.branches(BASE, {"issue": changed(title="ours", priority="low")}, {"issue": changed(title="theirs")})
    done = run(scratch.top, "git", "merge", "--no-edit", "side")
    assert done.returncode == 1
    assert f'issue {ID[:8]}: title: base "Title", ours "ours", theirs "theirs"' in done.stdout
    assert f"to finish: edit between the markers, then git add {ISSUE}" in done.stdout
    assert scratch.status() == f"UU {ISSUE}\n"
    parts = read_conflict(scratch.read())
    assert parts is not None
    assert [json.loads(part)["title"] for part in parts] == ["ours", "Title", "theirs"]
    (scratch.top / ISSUE).write_bytes(parts[2])
    git(scratch.top, "add", ISSUE)
    git(scratch.top, "commit", "-q", "--no-edit")
    assert (scratch.document()["title"], scratch.document()["priority"]) == ("theirs", "low")


def test_a_rebase_names_the_sides_by_what_they_are(scratch: Scratch) -> None:
    scratch.branches(BASE, {"issue": changed(title="mine")}, {"issue": changed(title="upstream")})
    assert run(scratch.top, "git", "rebase", "side").returncode == 1
    assert b'<<<<<<< already here: title\n  "title": "upstream",' in scratch.read()
    assert b'  "title": "mine",\n>>>>>>> being applied: title\n' in scratch.read()


def test_a_criss_cross_merge_leaves_a_contested_title_open(scratch: Scratch) -> None:
    scratch.branches(BASE, {"issue": changed(title="ours")}, {"issue": changed(title="theirs", priority="high")})
    for branch, other, title in (("one", "side", "ours"), ("two", "main", "theirs")):
        git(scratch.top, "checkout", "-qb", branch, "main" if branch == "one" else "side")
        run(scratch.top, "git", "merge", "--no-edit", other)
        (scratch.top / ISSUE).write_bytes(issue_bytes(changed(title=title, priority="high")))
        git(scratch.top, "commit", "-qam", "resolved")
    done = run(scratch.top, "git", "merge", "--no-edit", "one")
    assert done.returncode == 1, done.stdout
    parts = read_conflict(scratch.read())
    assert parts is not None
    assert {json.loads(parts[0])["title"], json.loads(parts[2])["title"]} == {"ours", "theirs"}
    assert "title" not in json.loads(parts[1])


def test_checkout_brings_a_settled_conflict_back(scratch: Scratch) -> None:
    scratch.branches(BASE, {"issue": changed(title="ours")}, {"issue": changed(title="theirs", priority="high")})
    run(scratch.top, "git", "merge", "--no-edit", "side")
    before = scratch.read()
    git(scratch.top, "checkout", "--ours", "--", ISSUE)
    git(scratch.top, "add", ISSUE)
    assert scratch.document()["priority"] == "normal"
    git(scratch.top, "checkout", "-m", "--", ISSUE)
    assert scratch.read() == before
    parts = read_conflict(before)
    assert parts is not None
    assert {json.loads(part)["priority"] for part in parts} == {"high"}


def test_a_recorded_resolution_is_never_replayed(scratch: Scratch) -> None:
    git(scratch.top, "config", "rerere.enabled", "true")
    scratch.branches(BASE, {"issue": changed(title="ours")}, {"issue": changed(title="theirs")})
    for priority in ("low", "high"):
        assert run(scratch.top, "git", "merge", "--no-edit", "side").returncode == 1
        assert b"<<<<<<< ours: title" in scratch.read()
        (scratch.top / ISSUE).write_bytes(issue_bytes(changed(title="both", priority=priority)))
        git(scratch.top, "add", ISSUE)
        git(scratch.top, "commit", "-q", "--no-edit")
        git(scratch.top, "reset", "-q", "--hard", "HEAD~1")


def test_an_edit_that_rename_detection_brings_to_another_issue_is_refused(scratch: Scratch) -> None:
    text = "the same long text of both issues\n" * 20
    mine, other = changed(description=text), {**changed(description=text), "id": OTHER}
    scratch.branches(
        {"issue": mine}, {"issue": None, "other": other}, {"issue": {**mine, "state": "done", "assignee": "agent:a"}}
    )
    done = run(scratch.top, "git", "merge", "--no-edit", "side")
    assert done.returncode == 1
    assert "different records" in done.stdout
    assert scratch.read(f".jit/issues/{OTHER}.json").startswith(b"<<<<<<< ours: not merged: ")


def test_labels_of_a_namespace_that_the_settings_call_unique_conflict(scratch: Scratch) -> None:
    sides = [{"issue": changed(labels=[label])} for label in ("area:x", "area:y")]
    (scratch.top / ".jit").mkdir()
    (scratch.top / ".jit" / "config.toml").write_text('[namespaces.area]\ndescription = ""\nunique = true\n')
    scratch.branches({"issue": changed(labels=["area:o"])}, *sides)
    assert run(scratch.top, "git", "merge", "--no-edit", "side").returncode == 1
    assert b"<<<<<<< ours: labels" in scratch.read()


def test_an_event_one_side_lost_stays_and_stops_unless_the_settings_accept_it(scratch: Scratch) -> None:
    more = {"log": log_bytes([*LINES, log_line(1, 4, 14)])}
    scratch.branches(BASE, {"log": log_bytes(LINES[:2])}, more)
    done = run(scratch.top, "git", "merge", "--no-edit", "side")
    assert done.returncode == 1
    assert "a log only grows" in done.stdout
    assert scratch.read(LOG) == log_bytes([*LINES, log_line(1, 4, 14)])
    git(scratch.top, "merge", "--abort")
    accept = '[[accept]]\ncode = "event-lost"\nrecord = "e0-2"\nreason = "holds a password"\n'
    (scratch.top / ".jit" / "hooks.toml").write_text(accept)
    git(scratch.top, "merge", "-q", "--no-edit", "side")
    assert scratch.read(LOG) == log_bytes([*LINES[:2], log_line(1, 4, 14)])


def test_a_missing_driver_leaves_the_text_merge_with_markers(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository", "/no/such/jit-hooks merge")
    scratch.branches(BASE, {"issue": changed(title="ours")}, {"issue": changed(title="theirs")})
    assert run(scratch.top, "git", "merge", "--no-edit", "side").returncode == 1
    assert scratch.status() == f"UU {ISSUE}\n"
    assert b"<<<<<<< ours\n" in scratch.read()


def test_a_killed_driver_leaves_a_marker(tmp_path: Path) -> None:
    kill = "import os; from jit_hooks.merge import merging; merging.merge = lambda *a, **k: os.kill(os.getpid(), 9); "
    program = START_DRIVER.replace("from jit_hooks.hooks", f"{kill}from jit_hooks.hooks")
    command = shlex.join([sys.executable, "-I", "-S", "-c", program, str(ROOT), "merge"])
    scratch = Scratch(tmp_path / "repository", command)
    git(scratch.top, "config", f"merge.{DRIVER}.driver", f"{command} %O %A %B %P")
    scratch.branches(BASE, {"issue": changed(title="ours")}, {"issue": changed(title="theirs")})
    assert run(scratch.top, "git", "merge", "--no-edit", "side").returncode != 0
    assert scratch.status() == f"UU {ISSUE}\n"
    assert scratch.read().endswith(b"\n" + UNFINISHED)


# -- the driver by itself ------------------------------------------------------------------------------


def call(where: Path, base: bytes, ours: bytes, theirs: bytes, path: str = ISSUE) -> subprocess.CompletedProcess[str]:
    for name, content in zip("OAB", (base, ours, theirs), strict=True):
        (where / name).write_bytes(content)
    return subprocess.run([*COMMAND, "O", "A", "B", path], cwd=where, capture_output=True, text=True, check=False)


def test_exit_codes_and_the_file_left(tmp_path: Path) -> None:
    base, ours, theirs = (issue_bytes(changed(title=title)) for title in ("o", "a", "b"))
    assert call(tmp_path, base, ours, issue_bytes(changed(title="o", priority="low"))).returncode == 0
    assert json.loads((tmp_path / "A").read_bytes())["title"] == "a"
    assert call(tmp_path, base, ours, theirs).returncode == 1
    assert call(tmp_path, base, ours, b"{").returncode == 3
    whole = (tmp_path / "A").read_bytes()
    assert whole.startswith(b"<<<<<<< ours: not merged: theirs ends in the middle of the document\n")
    assert ours in whole
    assert call(tmp_path, base, ours, theirs, ".jit/rules.toml").returncode == 3
    assert [name.name for name in tmp_path.iterdir() if name.suffix] == []


def test_a_replay_of_a_recorded_resolution_is_refused_quietly(tmp_path: Path) -> None:
    base, ours, theirs = (issue_bytes(changed(title=title)) for title in ("o", "a", "b"))
    call(tmp_path, base, ours, theirs)
    conflict = (tmp_path / "A").read_bytes()
    done = call(tmp_path, conflict, conflict, theirs)
    assert (done.returncode, done.stderr) == (3, "")
    assert (tmp_path / "A").read_bytes() == conflict


def test_control_characters_of_a_store_are_shown_escaped(tmp_path: Path) -> None:
    base, ours, theirs = (issue_bytes(changed(title=title)) for title in ("o", "a\x1b[2J\u202e", "b"))
    done = call(tmp_path, base, ours, theirs)
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr
    assert "\\u202e" in done.stderr


def test_a_long_log_keeps_its_start_byte_for_byte(tmp_path: Path) -> None:
    start = log_bytes([log_line(number, 0, number) for number in range(6000)]) + b"torn\r\n\r\n"
    assert len(start) > 3 * driver.BLOCK
    done = call(tmp_path, start, start + log_line(2, 3, 9) + b"\n", start + log_line(1, 4, 8) + b"\n", LOG)
    assert done.returncode == 0
    assert (tmp_path / "A").read_bytes()[: driver.BLOCK] == start[: driver.BLOCK]
    lines = (tmp_path / "A").read_bytes().splitlines()
    assert lines == [*start.rstrip().splitlines(), log_line(1, 4, 8), log_line(2, 3, 9)]


def test_a_log_of_one_long_line_and_logs_around_a_block_merge(tmp_path: Path) -> None:
    for size in (driver.BLOCK - 1, driver.BLOCK, driver.BLOCK + 1, 3 * driver.BLOCK + 5):
        junk = b"x" * (size - 1) + b"\n"
        base, ours, theirs = junk, junk + log_line(1, 3, 1) + b"\n", junk + log_line(1, 4, 2) + b"\n"
        assert call(tmp_path, base, ours, theirs, LOG).returncode == 0
        assert (tmp_path / "A").read_bytes() == junk + log_bytes([log_line(1, 3, 1), log_line(1, 4, 2)])


def test_a_full_disk_takes_the_file_away_so_that_git_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, title in zip("OAB", ("o", "a", "b"), strict=True):
        (tmp_path / name).write_bytes(issue_bytes(changed(title=title)))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert driver.main(["O", "A", "B", ISSUE]) == 3
    assert sorted(os.listdir(tmp_path)) == ["B", "O"]


def test_a_merge_that_takes_too_long_is_left_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sides = [issue_bytes(changed(title=title)) for title in "oab"]
    for name, content in zip("OAB", sides, strict=True):
        (tmp_path / name).write_bytes(content)

    def hang(*_: object, **__: object) -> None:
        while True:
            pass

    monkeypatch.setattr(driver, "TIME_LIMIT", 1)
    monkeypatch.setattr(driver, "merge", hang)
    assert driver.main(["O", "A", "B", ISSUE]) == 3
    assert b"longer than 1 seconds" in (tmp_path / "A").read_bytes()


def test_a_fault_of_ours_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, title in zip("OAB", "oab", strict=True):
        (tmp_path / name).write_bytes(issue_bytes(changed(title=title)))
    monkeypatch.setattr(driver, "merge", lambda *_, **__: 1 // 0)
    assert driver.main(["O", "A", "B", ISSUE]) == 3
    assert b"ZeroDivisionError" in (tmp_path / "A").read_bytes()


def test_wrong_words_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert driver.main(["O", "A"]) == 2
    assert "usage" in capfd.readouterr().err


def test_it_starts_without_what_it_does_not_need() -> None:
    heavy = (
        "dataclasses",
        "enum",
        "json",
        "re",
        "typing",
        "tomllib",
        "subprocess",
        "inspect",
        "typer",
        "git",
        "pathlib",
        "jit_hooks.git",
    )
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import jit_hooks.hooks.entry, jit_hooks.hooks.driver; "
        "import jit_hooks.merge.issue, jit_hooks.merge.log, jit_hooks.store.validators; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
