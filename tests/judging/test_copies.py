"""A refusal says where the right bytes are, and never calls a copy sound without having judged it."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, new_scratch, run

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "Neither the worktree nor HEAD has a sound copy."


def refusal(scratch: Scratch, *codes: str) -> str:
    """What the hook says; wrapped lines put together."""
    command = "from jit_hooks.cli import hooks; hooks()"
    done = run(scratch.top, sys.executable, "-c", command, "pre-commit", "--store", scratch.prefix)
    assert done.returncode == 1, done.stdout
    for code in codes:
        assert f"error[{code}]" in done.stdout
    return re.sub(r"\n +", " ", done.stdout)


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(re.sub(old, new, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")


@pytest.mark.parametrize("prefix", [".jit/", "a\nb/.jit/", "a 'b'/.jit/"])
def test_head_has_the_file_and_the_command_brings_it_back(tmp_path: Path, prefix: str) -> None:
    scratch = new_scratch(tmp_path / "work", prefix=prefix)
    git(scratch.top, "rm", "--quiet", scratch.path("index.json"))
    said = refusal(scratch, "index-absent")
    found = re.search(r"HEAD has it: (git restore --staged [^\n]*)", said)
    assert found, said
    assert run(scratch.top, "bash", "-c", found[1]).returncode == 0
    assert git(scratch.top, "diff", "--cached", "--name-only") == ""


@pytest.mark.parametrize("prefix", [".jit/", "a\nb/.jit/"])
def test_head_has_a_sound_record(tmp_path: Path, prefix: str) -> None:
    scratch = new_scratch(tmp_path / "work", prefix=prefix)
    issue = scratch.top / scratch.issue(scratch.ids[0])
    edit(issue, '"priority": "[a-z]*"', '"priority": "norml"')
    scratch.add_all()
    found = re.search(r"HEAD has a copy without this fault: (git show [^\n]*)", refusal(scratch, "issue-malformed"))
    assert found
    assert '"priority": "normal"' in run(scratch.top, "bash", "-c", found[1]).stdout


@pytest.mark.parametrize("code", ["index-lists-missing", "registry-absent"])
def test_what_stands_on_a_file_that_is_gone(scratch: Scratch, code: str) -> None:
    gone = scratch.path("gates.json") if code == "registry-absent" else scratch.issue(scratch.ids[0])
    scratch.tracker.gate_define("lint", "Lint")
    scratch.tracker.gate_add(scratch.ids[1], "lint")
    scratch.lay()
    scratch.record()
    git(scratch.top, "rm", "--quiet", gone)
    assert f"HEAD has it: git restore --staged {gone}" in refusal(scratch, code)


@pytest.mark.parametrize("code", ["event-lost", "event-unparsable", "conflict-marker"])
def test_head_has_the_line_of_the_log(scratch: Scratch, code: str) -> None:
    log = scratch.data / "events.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    wrong = {"event-lost": "", "event-unparsable": '{"type":\n', "conflict-marker": "<<<<<<< a\n=======\n>>>>>>> b\n"}
    log.write_text("".join([lines[0], wrong[code], *lines[2 - (code == "conflict-marker") :]]), encoding="utf-8")
    scratch.add_all()
    assert "HEAD has a copy without this fault: git show HEAD:.jit/events.jsonl" in refusal(scratch, code)


def test_a_copy_that_is_worse_is_not_called_sound(scratch: Scratch) -> None:
    issue = scratch.top / scratch.issue(scratch.ids[0])
    whole = issue.read_bytes()
    issue.write_bytes(whole[:-9])
    scratch.record("broken")
    issue.write_bytes(whole.replace(b'"normal"', b'"norml"'))
    scratch.add_all()
    said = refusal(scratch, "issue-malformed")
    assert NOWHERE in said
    assert "git show" not in said


def test_the_other_side_of_a_merge_has_the_line(scratch: Scratch) -> None:
    git(scratch.top, "checkout", "--quiet", "-b", "side")
    ours = (scratch.data / "events.jsonl").read_bytes()
    scratch.tracker.update(scratch.ids[0], title="Build the long pier")
    scratch.lay()
    scratch.record("side")
    side = git(scratch.top, "rev-parse", "HEAD").strip()
    git(scratch.top, "checkout", "--quiet", "main")
    (scratch.top / "notes.txt").write_text("two\n", encoding="utf-8")
    scratch.record("ours")
    git(scratch.top, "merge", "--quiet", "--no-commit", "side")
    (scratch.data / "events.jsonl").write_bytes(ours)
    scratch.add_all()
    assert f"commit {side[:12]} has a copy without this fault: git show {side}:.jit/events.jsonl" in refusal(
        scratch, "event-lost"
    )


def test_nothing_has_a_sound_copy_of_a_new_record(scratch: Scratch) -> None:
    issue = scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    edit(scratch.top / scratch.issue(issue), '"priority": "[a-z]*"', '"priority": "norml"')
    scratch.add_all()
    shutil.rmtree(scratch.data)
    assert NOWHERE in refusal(scratch, "issue-malformed")
