"""What an attack on the first version found, each as a test."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from git_scratch import Scratch, git, new_scratch, run, scratch, sealed_git

from jit_hooks.git import Git, GitIndexSnapshot, Repository, is_plain_revision
from jit_hooks.report.commands import quote
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.reader import read_json_lines
from jit_hooks.store.records import Record
from jit_hooks.worktree import WorktreeSnapshot

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["git", "new_scratch", "run", "scratch", "sealed_git"]


def test_more_than_the_cache_holds_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jit_hooks.git._CACHE_BYTES", 1000)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".jit").mkdir()
    for number in range(20):
        (tmp_path / ".jit" / f"{number:02}").write_bytes(b"%d" % number * 200)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    snapshot = GitIndexSnapshot(Repository(Git(str(tmp_path))))
    assert snapshot.read("00") == b"0" * 200
    assert [path for path, data in snapshot.read_many(snapshot.entries()) if data is None] == []


def test_a_name_cannot_end_the_quotes_of_dash(tmp_path: Path) -> None:
    word = quote("\x01'; touch PWNED #.json")
    subprocess.run(["sh", "-c", f"true {word}"], cwd=tmp_path, check=False)
    assert not (tmp_path / "PWNED").exists()


def test_torn_lines_cannot_complete_each_other_with_a_number_that_only_equals_the_mark() -> None:
    assert read_json_lines([b'{"a":1},47.11e2,{"b":2}', b'{"c":[1', b"2]}"]) is None


def test_a_revision_of_thousands_of_steps_is_not_passed_on() -> None:
    assert not is_plain_revision("HEAD" + "^0" * 300)


def test_a_long_number_in_toml_is_a_fault_of_the_file() -> None:
    record = Record("config.toml", b"x = " + b"9" * 5000, Accepted())
    assert record.fault is not None
    assert record.fault.code == "toml-unparsable"


def test_a_linked_directory_is_not_read_through(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.json").write_text("{}")
    (tmp_path / ".jit").mkdir()
    (tmp_path / ".jit" / "issues").symlink_to(tmp_path / "outside")
    assert WorktreeSnapshot(str(tmp_path / ".jit")).read("issues/x.json") is None


def test_an_announced_issue_blocks_nobody(scratch: Scratch) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    issue = scratch.top / ".jit" / "issues" / "3f2a81c0-1111-4111-8111-111111111111.json"
    issue.write_text("{}")
    subprocess.run(["git", "add", "-N", str(issue)], cwd=scratch.top, check=True)
    done = subprocess.run(hook, cwd=scratch.top, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_remedy_names_the_path(scratch: Scratch) -> None:
    hook = [sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", "pre-commit"]
    (scratch.top / ".jit" / "worktree.json").write_text("{}")
    subprocess.run(["git", "add", "-f", ".jit/worktree.json"], cwd=scratch.top, check=True)
    done = subprocess.run(hook, cwd=scratch.top, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "git rm --cached .jit/worktree.json" in done.stdout
    assert "{path}" not in done.stdout
