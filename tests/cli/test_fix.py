"""``--fix``, ``--dry-run`` and ``undo`` as a user types them, with real git."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from commands import bytes_below, check, hooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from git_scratch import Scratch


def hurt(scratch: Scratch) -> dict[str, bytes]:
    """A cut issue, an issue index that is gone, an issue that is gone, and a label that stands twice."""
    cut, gone, twice = (scratch.data / f"issues/{scratch.ids[number]}.json" for number in (0, 1, 2))
    cut.write_bytes(cut.read_bytes()[:-9])
    gone.unlink()
    (scratch.data / "index.json").unlink()
    document = json.loads(twice.read_text())
    document["labels"] *= 2
    twice.write_text(json.dumps(document, indent=2))
    return bytes_below(scratch.data)


def test_what_was_hurt_comes_back_and_can_be_taken_back(scratch: Scratch) -> None:
    whole = bytes_below(scratch.data)
    before = hurt(scratch)
    refused = check(scratch.top)
    assert (refused.returncode, "jit-check --fix" in refused.stdout) == (1, True)
    dry = check(scratch.top, "--fix", "--dry-run")
    assert (dry.returncode, "--fix would mend: " in dry.stdout) == (1, True)
    assert bytes_below(scratch.data) == before
    done = check(scratch.top, "--fix")
    assert (done.returncode, "mended: " in done.stdout) == (0, True), done.stdout
    assert bytes_below(scratch.data) == whole
    assert "there is nothing that --fix can mend" in check(scratch.top, "--fix").stdout
    taken = hooks(scratch.top, "undo")
    assert (taken.returncode, "takes back entry 1" in taken.stdout) == (0, True), taken.stdout
    assert bytes_below(scratch.data) == before
    assert "taken back" in hooks(scratch.top, "undo", "--list").stdout


def test_nothing_a_repair_leaves_is_offered_to_git(scratch: Scratch) -> None:
    hurt(scratch)
    check(scratch.top, "--fix")
    assert scratch.git("status", "--short", "--untracked-files=all") == ""


def test_the_report_of_a_repair_is_valid_json(scratch: Scratch) -> None:
    from jit_hooks import schemas

    hurt(scratch)
    for arguments in (("--fix", "--dry-run"), ("--fix",)):
        document = json.loads(check(scratch.top, *arguments, "--json").stdout)
        assert list(schemas.violations("report", document)) == []
        assert next(change["path"] for change in document["plan"]) == ".jit/index.json"
    assert document["fixes_applied"]["index-absent"] == 1
    assert document["journal_entry"] == "1"


def test_a_staged_deletion_is_not_undone(scratch: Scratch) -> None:
    scratch.git("rm", "-q", f".jit/issues/{scratch.ids[1]}.json")
    done = check(scratch.top, "--fix")
    assert not (scratch.data / f"issues/{scratch.ids[1]}.json").exists()
    assert "Not repaired: no copy of the issue is in git" in done.stdout, done.stdout


def test_a_torn_record_newer_than_every_copy_is_not_replaced(scratch: Scratch) -> None:
    path = scratch.data / f"issues/{scratch.ids[0]}.json"
    document = json.loads(path.read_text())
    document["title"] = "A title that is in no copy"
    torn = json.dumps(document, indent=2).encode()[:-20]
    path.write_bytes(torn)
    done = check(scratch.top, "--fix")
    assert (done.returncode, path.read_bytes()) == (1, torn)
    assert "--unsafe-fixes would take that" in done.stdout.replace("\n  ", " ")
    assert check(scratch.top, "--fix", "--unsafe-fixes").returncode == 0
    assert hooks(scratch.top, "undo").returncode == 0
    assert path.read_bytes() == torn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dry-run",), "--dry-run goes with --fix"),
        (("--unsafe-fixes",), "--unsafe-fixes goes with --fix"),
        (("--fix", "--staged"), "--fix repairs the worktree, not what --staged names"),
        (("--fix", "--commit", "HEAD"), "--fix repairs the worktree, not what --commit names"),
    ],
)
def test_options_that_do_not_go_together(scratch: Scratch, arguments: tuple[str, ...], said: str) -> None:
    done = check(scratch.top, *arguments)
    assert (done.returncode, said in done.stdout) == (2, True), done.stdout


def test_outside_git_nothing_is_repaired(tmp_path: Path, scratch: Scratch) -> None:
    (scratch.top / ".git").rename(tmp_path / "away")
    done = check(scratch.top, "--fix")
    assert (done.returncode, "git repository" in done.stdout) == (2, True), done.stdout


@pytest.mark.parametrize("left", [None, "result.json.tmp"])
def test_a_bare_gate_run_is_brought_by_the_worktree_it_lies_in(scratch: Scratch, left: str | None) -> None:
    run_directory = scratch.data / "gate-runs" / scratch.ids[0]
    run_directory.mkdir(parents=True)
    if left is not None:
        (run_directory / left).write_bytes(b"{")
        os.utime(run_directory / left, (0, 0))
    assert "warning[run-result-missing]" in check(scratch.top).stdout
    done = check(scratch.top, "--fix")
    assert (done.returncode, "1 run-result-missing" in done.stdout) == (0, True), done.stdout
    assert not run_directory.exists()
    assert hooks(scratch.top, "undo").returncode == 0
    assert run_directory.exists()


def test_a_broken_gate_run_is_kept_where_it_stops_nothing(scratch: Scratch) -> None:
    name = f"{scratch.ids[0]}/result.json"
    broken = scratch.data / "gate-runs" / name
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b'{"schema_version": 1, "run_')
    done = check(scratch.top, "--fix")
    assert "gate-runs-corrupt/" in done.stdout, done.stdout
    assert (scratch.data / "gate-runs-corrupt" / name).read_bytes() == b'{"schema_version": 1, "run_'
    assert not broken.parent.exists()
    assert scratch.git("status", "--short", "--untracked-files=all") == ""
    assert hooks(scratch.top, "undo").returncode == 0
    assert broken.read_bytes() == b'{"schema_version": 1, "run_'


def test_an_old_store_is_brought_up_to_date_and_back(scratch: Scratch) -> None:
    scratch.tracker.delete(scratch.tracker.create("Never mind"))
    scratch.lay()
    index, issues = scratch.data / "index.json", sorted((scratch.data / "issues").iterdir())
    events = [json.loads(line) for line in (scratch.data / "events.jsonl").read_bytes().splitlines()]
    created = {event["issue_id"]: event["timestamp"] for event in events if event["type"] == "issue_created"}
    for issue in issues:
        document = json.loads(issue.read_text())
        del document["created_at"], document["updated_at"]
        issue.write_text(json.dumps(document, indent=2))
    document = json.loads(index.read_text())
    index.write_text(json.dumps({"schema_version": 1, "all_ids": document["all_ids"]}, indent=2))
    scratch.record("an old store")
    old = bytes_below(scratch.data)
    assert check(scratch.top).returncode == 0
    assert check(scratch.top, "--fix").returncode == 0
    assert bytes_below(scratch.data) == old
    done = check(scratch.top, "--fix", "--unsafe-fixes", "--all")
    assert (done.returncode, "1 index-outdated" in done.stdout, "6 issue-malformed" in done.stdout) == (0, True, True)
    assert len(document["deleted_ids"]) == 1
    assert json.loads(index.read_text()) == document
    for issue in issues:
        after = json.loads(issue.read_text())
        assert (after["created_at"], after["context"]["timestamps_derived_from"]) == (created[issue.stem], "events")
    assert "there is nothing that --fix can mend" in check(scratch.top, "--fix", "--unsafe-fixes", "--all").stdout
    assert hooks(scratch.top, "undo").returncode == 0
    assert bytes_below(scratch.data) == old


def broken_run(scratch: Scratch) -> Path:
    path = scratch.data / "gate-runs/11111111-2222-4333-8444-555555555555/result.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"cut')
    return path


def linked_quarantine(scratch: Scratch) -> None:
    broken_run(scratch)
    (scratch.top / "out").mkdir()
    (scratch.data / "gate-runs-corrupt").symlink_to("../out")


def torn_log_with_a_directory_for_its_lines(scratch: Scratch) -> None:
    log = scratch.data / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"torn')
    (scratch.data / "events.jsonl.bak").mkdir()


def directory_for_index(scratch: Scratch) -> None:
    (scratch.data / "index.json").unlink()
    (scratch.data / "index.json").mkdir()


def huge_temp(scratch: Scratch) -> None:
    path = scratch.data / ".index.json.999999.0.tmp"
    path.touch()
    os.truncate(path, 70 << 20)
    os.utime(path, (1_700_000_000, 1_700_000_000))


def torn_log_left_out(scratch: Scratch) -> None:
    log = scratch.data / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"torn')
    scratch.record("torn")
    scratch.git("sparse-checkout", "set", "--no-cone", "/*", "!/.jit/events.jsonl")


@pytest.mark.parametrize(
    ("stands_in_the_way", "says"),
    [
        (linked_quarantine, "gate-runs-corrupt is no directory"),
        (torn_log_with_a_directory_for_its_lines, "events.jsonl.bak is a directory"),
        (directory_for_index, "index.json is a directory"),
        (huge_temp, ".index.json.999999.0.tmp is too large to be read"),
        (torn_log_left_out, "a sparse checkout leaves events.jsonl out of the worktree"),
    ],
)
def test_what_cannot_be_repaired_stops_no_other_repair(
    scratch: Scratch, stands_in_the_way: Callable[[Scratch], None], says: str
) -> None:
    stands_in_the_way(scratch)
    issue = scratch.data / f"issues/{scratch.ids[0]}.json"
    whole = issue.read_bytes()
    issue.write_bytes(whole[:-9])
    before = bytes_below(scratch.data)
    done = check(scratch.top, "--fix", "--all", "--verbose")
    assert (done.returncode in (0, 1), says in " ".join(done.stdout.split())) == (True, True), done.stdout
    name = str(issue.relative_to(scratch.data))
    assert bytes_below(scratch.data) == before | {name: whole}
    assert check(scratch.top, "--fix", "--all").returncode == done.returncode
    assert bytes_below(scratch.data) == before | {name: whole}


def test_what_was_set_aside_stays_while_something_else_stands_in_its_place(scratch: Scratch) -> None:
    run_file = broken_run(scratch)
    aside = scratch.data / "gate-runs-corrupt" / run_file.parent.name / "result.json"
    assert check(scratch.top, "--fix").returncode == 0
    run_file.parent.mkdir()
    run_file.write_text("an honest run")
    undone = hooks(scratch.top, "undo")
    assert (undone.returncode, "holds bytes of a file that is left" in undone.stdout) == (1, True), undone.stdout
    assert (aside.read_text(), run_file.read_text()) == ('{"cut', "an honest run")


def test_one_path_that_cannot_be_taken_back_keeps_no_other(scratch: Scratch) -> None:
    index = scratch.data / "index.json"
    cut = index.read_bytes()[:-9]
    index.write_bytes(cut)
    run_file = broken_run(scratch)
    assert check(scratch.top, "--fix").returncode == 0
    run_file.parent.write_text("a file")
    assert hooks(scratch.top, "undo").returncode == 1
    assert (index.read_bytes(), run_file.parent.read_text()) == (cut, "a file")


def test_copies_of_private_files_are_private(scratch: Scratch) -> None:
    log, run_file = scratch.data / "events.jsonl", broken_run(scratch)
    log.write_bytes(log.read_bytes() + b'{"torn')
    for path in (log, run_file):
        path.chmod(0o600)
    assert check(scratch.top, "--fix").returncode == 0
    made = [scratch.data / "events.jsonl.bak", *(scratch.data / "gate-runs-corrupt").glob("*/*")]
    made += (scratch.top / ".git/jit-hooks/journal/objects").iterdir()
    assert len(made) == 4
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in made} == {path.name: "0o600" for path in made}


def test_a_list_of_what_is_ignored_that_is_a_link_stops_no_repair(scratch: Scratch) -> None:
    ignored = scratch.top / ".git/info/exclude"
    ignored.parent.mkdir(exist_ok=True)
    ignored.unlink(missing_ok=True)
    ignored.symlink_to(scratch.top / "mine")
    (scratch.data / "index.json").unlink()
    done = check(scratch.top, "--fix")
    assert (done.returncode, "jit-hooks undo 1" in done.stdout) == (0, True), done.stdout
    assert "info/exclude: is a symbolic link" in " ".join(done.stdout.split())
    assert not (scratch.top / "mine").exists()


def test_a_repository_that_was_moved_can_be_taken_back(scratch: Scratch) -> None:
    before = hurt(scratch)
    assert check(scratch.top, "--fix").returncode == 0
    moved = scratch.top.rename(scratch.top.parent / "moved")
    assert hooks(moved, "undo", "1").returncode == 0
    assert bytes_below(moved / ".jit") == before


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("temp", "store:../../victim/.notes.7.j1-1.tmp"),
        ("temp", "common:../victim/.notes.7.j1-1.tmp"),
        ("temp", "nope:.notes.7.j1-1.tmp"),
        ("temp", "store:\ud800/.notes.7.j1-1.tmp"),
        ("before", "a\0b"),
        ("before_mode", 10**30),
        ("before_mode", -5),
        ("path", "store:a\0b"),
        ("path", "nope:ab"),
        ("path", "ab"),
        ("path", "store:\ud800"),
        ("path", "store:../../victim/notes"),
        ("path", "common:config"),
    ],
)
def test_an_entry_that_was_changed_by_hand_is_not_followed(scratch: Scratch, member: str, value: object) -> None:
    victim = scratch.top.parent / "victim/.notes.7.j1-1.tmp"
    victim.parent.mkdir()
    victim.touch()
    index = scratch.data / "index.json"
    whole = index.read_bytes()
    index.write_bytes(whole[:-9])
    assert check(scratch.top, "--fix").returncode == 0
    entries = scratch.top / ".git/jit-hooks/journal/entries"
    entry = json.loads((entries / "1.json").read_text())
    changes = entry["changes"]
    if member == "path":
        changes[value] = changes["store:index.json"]
    else:
        changes["store:index.json"][member] = value
    (entries / "1.json").write_text(json.dumps(entry))
    (entries / "1.outcome.json").unlink()
    (entries / f"{'9' * 240}.json").write_text("{}")
    refused = hooks(scratch.top, "undo", "1")
    assert (refused.returncode, "this entry is torn, or was changed by hand" in refused.stdout) == (3, True), refused
    assert index.read_bytes() == whole
    index.write_bytes(whole[:-9])
    assert check(scratch.top, "--fix").returncode == 0
    assert (index.read_bytes(), victim.exists()) == (whole, True)
