"""A transaction of the tracker waits: the worktree is not judged, the git index is, and both say why."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, run

from jit_hooks.checks import BY_CODE
from jit_hooks.cli.hooks_app import manual_page

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@pytest.fixture
def waiting(scratch: Scratch) -> Scratch:
    """A store in whose worktree a transaction waits, and a healthy commit that is staged."""
    leave(scratch.data / "tmp" / "transactions" / ("0" * 32))
    (scratch.top / ".git" / "info").mkdir(exist_ok=True)
    (scratch.top / ".git" / "info" / "exclude").write_text(".jit/tmp/\n", encoding="utf-8")
    scratch.tracker.create("Count the gulls", labels=["type:task"])
    scratch.lay()
    scratch.add_all()
    return scratch


def leave(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "journal.json").write_text('{"decision": "prepared"}', encoding="utf-8")


def hook(where: Path, name: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", name)


def check(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import check; check()", *arguments)


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit"])
def test_a_hook_judges_the_git_index_and_says_in_one_line_what_waits(waiting: Scratch, name: str) -> None:
    done = hook(waiting.top, name)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"jit-hooks: {name}: a transaction of the tracker waits in the worktree")
    assert "(transaction-pending: .jit/tmp/transactions/" in line
    assert line.endswith("; to fix: jit recover")


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit"])
def test_a_broken_git_index_is_refused_and_the_worktree_is_no_cure(waiting: Scratch, name: str) -> None:
    git(waiting.top, "rm", "--quiet", "--cached", waiting.path("index.json"))
    done = hook(waiting.top, name)
    assert done.returncode == 1
    assert "error[index-absent]" in done.stdout
    assert "transaction-pending" in done.stdout
    assert "git add" not in done.stdout


def test_a_store_that_was_being_made_is_seen_too(waiting: Scratch) -> None:
    (waiting.data / "tmp" / "transactions" / ("0" * 32) / "journal.json").unlink()
    assert hook(waiting.top, "pre-commit").stdout == ""
    leave(waiting.top / ".jit-bootstrap" / "transactions" / "a")
    assert "transaction-pending" in hook(waiting.top, "pre-commit").stdout


def test_the_check_of_the_git_index_says_so(waiting: Scratch) -> None:
    done = check(waiting.top, "--staged")
    assert done.returncode == 0
    assert "transaction-pending" in done.stdout
    assert "jit recover" in done.stdout


def test_the_check_of_the_worktree_names_the_code(waiting: Scratch) -> None:
    done = check(waiting.top)
    assert done.returncode == 3
    assert "(transaction-pending)" in done.stdout
    assert "jit recover" in done.stdout
    said = check(waiting.top, "--json").stdout
    document = json.loads(said[said.index("{\n") :])
    assert (document["verdict"], document["stats"]["code"]) == ("not-judged", "transaction-pending")
    assert manual_page(BY_CODE["transaction-pending"])
