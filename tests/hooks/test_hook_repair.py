"""Hooks that repair: only when the user chose so, or for what a true merge made; never the git index."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

HOOKS = "from jit_hooks.cli import hooks; hooks()"
CHECK = "from jit_hooks.cli import check; check()"


def hooks(scratch: Scratch, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(scratch.top, sys.executable, "-c", HOOKS, *arguments)


def check(scratch: Scratch, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(scratch.top, sys.executable, "-c", CHECK, *arguments)


def tear(scratch: Scratch, number: int = 0) -> bytes:
    """Cut the file of an issue; its whole bytes."""
    path = scratch.data / f"issues/{scratch.ids[number]}.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    return whole


@pytest.mark.parametrize("repair", [False, True])
def test_a_refused_commit_is_followed_by_a_repair_where_the_user_chose_so(scratch: Scratch, *, repair: bool) -> None:
    assert hooks(scratch, "install", *(["--repair"] if repair else [])).returncode == 0
    whole = tear(scratch)
    path = scratch.data / f"issues/{scratch.ids[0]}.json"
    scratch.tracker.create("Count the gulls")
    for name, data in scratch.tracker.files.items():
        if not name.endswith(f"{scratch.ids[0]}.json"):
            (scratch.data / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch.data / name).write_bytes(data)
    scratch.add_all()
    staged = scratch.git("ls-files", "-s")
    refused = scratch.try_git("commit", "--message=torn")
    assert (refused.returncode, "error[json-unparsable]" in refused.stdout) == (1, True), refused.stdout
    assert scratch.git("ls-files", "-s") == staged
    assert ("the worktree was repaired; nothing is staged" in refused.stdout) is repair
    assert (path.read_bytes() == whole) is repair
    if repair:
        assert "jit-hooks undo 1" in refused.stdout
        told = refused.stdout.split("then:  ")[1].splitlines()[0]
        assert told == f"git add .jit/issues/{scratch.ids[0]}.json"
        assert run(scratch.top, "sh", "-c", told).returncode == 0
        assert scratch.try_git("commit", "--message=whole").returncode == 0


def test_the_choice_is_seen_in_the_script_and_taken_back(scratch: Scratch) -> None:
    hook = scratch.top / ".git/hooks/pre-commit"
    hooks(scratch, "install", "--repair")
    assert "repair=--repair\n" in hook.read_text()
    assert "repair=\n" in (scratch.top / ".git/hooks/pre-push").read_text()
    hooks(scratch, "install")
    assert "repair=\n" in hook.read_text()


def two_branches(scratch: Scratch) -> None:
    """Branches that both add an issue; a merge driver keeps our issue index, so theirs hides."""
    scratch.git("config", "merge.keep-ours.driver", "true")
    (scratch.top / ".git/info").mkdir(exist_ok=True)
    with (scratch.top / ".git/info/attributes").open("a") as attributes:  # the last line for a file counts
        attributes.write(".jit/index.json merge=keep-ours\n.jit/events.jsonl merge=union\n")
    scratch.git("checkout", "--quiet", "-b", "theirs")
    theirs = scratch.at(scratch.top)
    theirs.tracker.rng.seed("theirs")
    theirs.tracker.create("Their issue")
    theirs.lay()
    theirs.record("theirs")
    scratch.git("checkout", "--quiet", "main")
    scratch.tracker.create("Our issue")
    scratch.lay()
    scratch.record("ours")


def test_what_a_true_merge_made_is_repaired_after_it(scratch: Scratch) -> None:
    hooks(scratch, "install")
    two_branches(scratch)
    merged = scratch.try_git("merge", "--no-verify", "--no-edit", "theirs")
    assert "error[index-misses-issue]" in merged.stdout, merged.stdout
    assert "the worktree was repaired; nothing is staged" in merged.stdout
    assert scratch.git("status", "--short").split()[1] == ".jit/index.json"
    assert check(scratch).returncode == 0
    titles = [json.loads(path.read_text())["title"] for path in (scratch.data / "issues").iterdir()]
    assert {"Their issue", "Our issue"} <= set(titles)


def test_what_a_parent_had_already_is_left_after_a_merge(scratch: Scratch) -> None:
    hooks(scratch, "install")
    two_branches(scratch)
    scratch.git("checkout", "--quiet", "theirs")
    path = scratch.data / f"issues/{scratch.ids[0]}.json"
    document = json.loads(path.read_text())
    document["labels"] *= 2
    path.write_text(json.dumps(document, indent=2))
    scratch.record("their own fault")
    scratch.git("checkout", "--quiet", "main")
    scratch.try_git("merge", "--no-verify", "--no-edit", "theirs")
    assert json.loads(path.read_text())["labels"] == document["labels"]


HURTS: dict[str, Callable[[Scratch], object]] = {
    "torn log": lambda scratch: append(scratch.data / "events.jsonl", b'{"torn'),
    "torn issue": tear,
    "issue removed": lambda scratch: (scratch.data / f"issues/{scratch.ids[0]}.json").unlink(),
    "issue index removed": lambda scratch: (scratch.data / "index.json").unlink(),
    "stray run": lambda scratch: stray_run(scratch),
}
"""What happens to a worktree and is not committed."""


def append(path: Path, data: bytes) -> None:
    path.write_bytes(path.read_bytes() + data)


def stray_run(scratch: Scratch) -> Path:
    """A broken run that git knows nothing of."""
    path = scratch.data / "gate-runs/11111111-2222-4333-8444-555555555555/result.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"cut')
    return path


def bytes_below(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


@pytest.mark.parametrize("hurt", HURTS)
def test_damage_that_lay_in_the_worktree_before_a_merge_is_left(scratch: Scratch, hurt: str) -> None:
    scratch.git("checkout", "--quiet", "-b", "theirs")
    path = scratch.data / f"issues/{scratch.ids[1]}.json"
    path.write_text(path.read_text().replace('"priority": "normal"', '"priority": "high"'))
    scratch.record("theirs")
    scratch.git("checkout", "--quiet", "main")
    (scratch.top / "ours").touch()
    scratch.record("ours")
    hooks(scratch, "install")
    HURTS[hurt](scratch)
    before = bytes_below(scratch.data)
    merged = scratch.try_git("merge", "--no-verify", "--no-edit", "theirs")
    assert "Merge made" in merged.stdout, merged.stdout
    assert "repaired" not in merged.stdout, merged.stdout
    after = bytes_below(scratch.data)
    assert {name for name in before | after if before.get(name) != after.get(name)} <= {f"issues/{scratch.ids[1]}.json"}


@pytest.mark.parametrize("gone", ["issues/{}.json", "index.json"])
def test_no_hook_brings_back_what_the_worktree_lacks_and_head_has(scratch: Scratch, gone: str) -> None:
    hooks(scratch, "install", "--repair")
    path = scratch.data / gone.format(scratch.ids[0])
    tear(scratch, 1)
    scratch.add_all()
    path.unlink()
    refused = scratch.try_git("commit", "--message=torn")
    assert "the worktree was repaired" in refused.stdout, refused.stdout
    assert not path.exists()
    assert check(scratch, "--fix").returncode == 0
    assert path.exists()


@pytest.mark.parametrize("hurt", ["torn log", "stray run"])
def test_the_command_that_a_repairing_hook_prints_works(scratch: Scratch, hurt: str) -> None:
    hooks(scratch, "install", "--repair")
    tear(scratch)
    scratch.add_all()
    HURTS[hurt](scratch)
    refused = scratch.try_git("commit", "--message=torn")
    told = refused.stdout.split("then:  ")[1].splitlines()[0]
    assert f"{scratch.ids[0]}.json" in told
    added = run(scratch.top, "sh", "-c", told)
    assert (added.returncode, added.stdout) == (0, "")
    assert scratch.try_git("diff", "--quiet").returncode == 0


def test_nothing_is_repaired_after_a_fast_forward(scratch: Scratch) -> None:
    scratch.git("checkout", "--quiet", "-b", "theirs")
    tear(scratch)
    scratch.record("torn")
    scratch.git("checkout", "--quiet", "main")
    hooks(scratch, "install")
    merged = scratch.try_git("merge", "theirs")
    assert "error[json-unparsable]" in merged.stdout, merged.stdout
    assert scratch.git("status", "--short") == ""


@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
def test_a_repair_that_the_framework_rolls_back_is_made_again(scratch: Scratch, framework: str) -> None:
    if shutil.which(framework) is None:
        pytest.skip(f"{framework} is not installed")
    entry = scratch.top / "judge.py"
    entry.write_text(f"import sys; sys.path.insert(0, {os.getcwd()!r})\n{HOOKS}\n")
    (scratch.top / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n  - id: jit-repair\n    name: jit-repair\n    language: system\n"
        f"    entry: {sys.executable} {entry} pre-commit --repair\n    always_run: true\n    pass_filenames: false\n"
        "    verbose: true\n"
    )
    scratch.record("configured")
    assert run(scratch.top, framework, "install").returncode == 0
    path = scratch.data / f"issues/{scratch.ids[0]}.json"
    whole = tear(scratch)
    torn = path.read_bytes()
    scratch.add_all()
    # An unstaged edit where the repair writes: putting it back over the repair fails, so the framework takes that back.
    unstaged = torn[:-3]
    path.write_bytes(unstaged)
    refused = scratch.try_git("commit", "--message=torn")
    assert refused.returncode != 0
    assert "the worktree was repaired" in refused.stdout, refused.stdout
    assert "rolling back" in refused.stdout.lower() or "restored" in refused.stdout.lower(), refused.stdout
    assert path.read_bytes() == unstaged
    path.write_bytes(torn)
    assert hooks(scratch, "undo").returncode == 0
    assert path.read_bytes() == torn
    assert check(scratch, "--fix").returncode == 0
    assert path.read_bytes() == whole
    scratch.add_all()
    (scratch.top / "notes.txt").write_text("two\n")
    scratch.add_all()
    assert scratch.try_git("commit", "--message=whole").returncode == 0
