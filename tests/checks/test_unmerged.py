"""An everyday merge conflict: what stands on an unmerged file is not judged, and the next step is to resolve it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.testing.tracker import Tracker


def conflict(scratch: Scratch, theirs: Callable[[Tracker], object], ours: Callable[[Tracker], object]) -> list[str]:
    """Merge two branches that do not go together; the unmerged paths."""
    side = scratch.tracker.fork()
    side.rng.seed("side")  # or both draw the same ids
    theirs(side)
    git(scratch.top, "checkout", "--quiet", "-b", "side")
    scratch.lay(side)
    scratch.record("side")
    git(scratch.top, "checkout", "--quiet", "main")
    ours(scratch.tracker)
    scratch.laid = set(scratch.tracker.files)
    scratch.lay()
    scratch.record("ours")
    assert scratch.try_git("merge", "--no-edit", "side").returncode == 1
    return git(scratch.top, "diff", "--name-only", "--diff-filter=U").split()


def judged(scratch: Scratch, *arguments: str) -> tuple[str, dict[str, object], dict[str, str]]:
    """What the check of the git index says: text, problems by code, and reasons by skipped code."""
    command = (sys.executable, "-c", "from jit_hooks.cli import check; check()", "--staged", *arguments)
    document = json.loads(run(scratch.top, *command, "--json").stdout)
    blocking = [problem for problem in document["problems"] if problem["severity"] == "error"]
    problems = {problem["path"]: problem["code"] for problem in blocking}
    return (
        run(scratch.top, *command).stdout,
        problems,
        {skipped["code"]: skipped["reason"] for skipped in document["skipped_checks"]},
    )


def test_two_new_issues_conflict_in_issue_index_and_log(scratch: Scratch) -> None:
    new = "Count the gulls"
    unmerged = conflict(scratch, lambda tracker: tracker.create(new), lambda tracker: tracker.create(new))
    assert unmerged == [".jit/events.jsonl", ".jit/index.json"]
    said, problems, skipped = judged(scratch)
    assert problems == dict.fromkeys(unmerged, "unmerged-entry")
    assert skipped["event-lost"] == skipped["event-created-missing"] == "events.jsonl is unmerged"
    assert skipped["index-misses-issue"] == skipped["index-absent"] == "index.json is unmerged"
    assert "git restore" not in said
    assert "git show" not in said
    assert said.rstrip().endswith(f"next:  resolve the conflict, then: git add {' '.join(unmerged)}")


def test_an_unmerged_issue_is_not_gone(scratch: Scratch) -> None:
    first = scratch.ids[0]
    unmerged = conflict(
        scratch,
        lambda tracker: tracker.update(first, title="Build the long pier"),
        lambda tracker: tracker.update(first, title="Build the short pier"),
    )
    assert scratch.issue(first) in unmerged
    _, problems, _ = judged(scratch)
    assert set(problems.values()) == {"unmerged-entry"}


@pytest.mark.parametrize("name", ["gates.json", "config.toml"])
def test_nothing_is_said_of_what_stands_on_an_unmerged_file(scratch: Scratch, name: str) -> None:
    scratch.tracker.gate_define("lint", "Lint")
    scratch.tracker.gate_add(scratch.ids[0], "lint")
    scratch.lay()
    scratch.record()

    def edit(said: str) -> Callable[[Tracker], object]:
        if name == "gates.json":
            return lambda tracker: tracker.gate_define(said, said)
        return lambda tracker: tracker.files.update({name: tracker.files[name] + f'\n[{said}]\nx = "y"\n'.encode()})

    unmerged = conflict(scratch, edit("theirs"), edit("ours"))
    assert f".jit/{name}" in unmerged
    _, problems, skipped = judged(scratch)
    assert problems == dict.fromkeys(unmerged, "unmerged-entry")
    assert f"{name} is unmerged" in skipped.values()


def test_a_resolved_conflict_passes(scratch: Scratch) -> None:
    first = scratch.ids[0]
    conflict(
        scratch,
        lambda tracker: tracker.write_event("issue_updated", first, updated_by="x", fields=[]),
        lambda tracker: tracker.write_event("issue_updated", first, updated_by="y", fields=[]),
    )
    log = scratch.data / "events.jsonl"
    marks = ("<<<<<<<", "=======", ">>>>>>>")
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join(line for line in lines if not line.startswith(marks)), encoding="utf-8")
    said, _, _ = judged(scratch)
    assert "resolve" not in said, "it is resolved, only not staged"
    assert scratch.paste(said) == "git add .jit/events.jsonl"
    assert judged(scratch)[1] == {}
