"""The event log and gate runs repaired where they lie: real git, real files, a journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git

from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.judging.mending import mend
from jit_hooks.judging.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.judging.report import Report


def fixed(top: Path) -> Report:
    """``--fix`` in one worktree."""
    head = git(top, "rev-parse", "HEAD").strip()
    request = Request("worktree", str(top / ".jit"), Repository(Git(str(top))), (head,), now="2026-06-22T00:00:00Z")
    return mend(request, time="2026-06-22T00:00:00Z", command="test")


def test_what_was_torn_stands_whole_and_a_second_repair_finds_nothing(scratch: Scratch) -> None:
    log, run = scratch.data / "events.jsonl", scratch.data / "gate-runs" / "11111111-0000-4000-8000-000000000001"
    before = log.read_bytes()
    lines = before.splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], lines[2][:90], *lines[3:]]) + b'{"type":"issue_upd')
    run.mkdir(parents=True)
    (run / "result.json").write_bytes(b'{"run_id": "11111111')
    bare = scratch.data / "gate-runs" / "22222222-0000-4000-8000-000000000002"
    bare.mkdir()
    report = fixed(scratch.top)
    assert log.read_bytes() == before
    assert (scratch.data / "events.jsonl.bak").read_bytes() == b'{"type":"issue_upd\n'
    assert not run.exists()
    assert not bare.exists()
    aside = scratch.data / "gate-runs-corrupt" / run.name / "result.json"
    assert aside.read_bytes() == b'{"run_id": "11111111'
    assert report.repairs is not None
    assert report.repairs.fixes == {"event-unparsable": 2, "json-unparsable": 1, "run-result-missing": 1}
    again = fixed(scratch.top)
    assert again.repairs is not None
    assert again.repairs.plan == []
    assert git(scratch.top, "diff", "HEAD") == ""


def test_an_event_of_another_worktree_is_taken_from_there(scratch: Scratch) -> None:
    other = scratch.top.parent / "other"
    git(scratch.top, "worktree", "add", "--quiet", "-b", "side", str(other))
    scratch.tracker.create("Caulk the hull", labels=["type:task"])
    scratch.lay()
    new = scratch.tracker.index()["all_ids"][-1]
    copied = other / ".jit" / "issues" / f"{new}.json"
    copied.write_bytes((scratch.data / "issues" / copied.name).read_bytes())
    fixed(other)
    ours, theirs = (top / ".jit" / "events.jsonl" for top in (scratch.top, other))
    assert theirs.read_bytes() == ours.read_bytes()
    assert json.loads(theirs.read_bytes().splitlines()[-1])["issue_id"] == new


@pytest.mark.parametrize("is_committed", [False, True])
def test_what_is_known_to_be_newer_than_the_copy_is_named(scratch: Scratch, is_committed: bool) -> None:
    """An issue is edited, its event is appended, and the file is left empty by a power loss."""
    issue = scratch.data / "issues" / f"{scratch.ids[0]}.json"
    old = issue.read_bytes()
    scratch.tracker.update(scratch.ids[0], title="Build the long pier")
    scratch.lay()
    if is_committed:
        scratch.record("edited")
    new = issue.read_bytes()
    issue.write_bytes(b"")
    report = fixed(scratch.top)
    assert report.repairs is not None
    said = report.repairs.sources[f"issues/{issue.name}"]
    if is_committed:
        assert said == "as in the git index"
        assert issue.read_bytes() == new
    else:
        last = json.loads((scratch.data / "events.jsonl").read_bytes().splitlines()[-1])
        later = f"the event log tells of a later change, which it lacks: issue_updated at {last['timestamp'][:19]}Z"
        assert said == f"as in the git index; {later}"
        assert issue.read_bytes() == old
