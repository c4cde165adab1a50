"""A hook that nobody told where the store is, as under pre-commit and prek, finds every store it answers for."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, new_scratch, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def hook(where: Path, name: str = "pre-commit", *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", "from jit_hooks.cli import hooks; hooks()", name, *arguments)
    return run(where, *command, **variables)


def lose_index(scratch: Scratch) -> None:
    git(scratch.top, "rm", "--quiet", "--cached", scratch.path("index.json"))


@pytest.mark.parametrize("prefix", ["proj/.jit/", "a b/[c]/.jit/"])
def test_a_store_below_is_judged(tmp_path: Path, prefix: str) -> None:
    scratch = new_scratch(tmp_path / "work", prefix=prefix)
    assert hook(scratch.top).returncode == 0
    lose_index(scratch)
    refused = hook(scratch.top)
    assert (refused.returncode, "error[index-absent]" in refused.stdout) == (1, True), refused.stdout
    assert hook(scratch.top, GIT_PREFIX="elsewhere/").returncode == 1


def test_a_store_that_only_head_has_is_judged(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="proj/.jit/")
    git(scratch.top, "rm", "-r", "--quiet", "proj")
    refused = hook(scratch.top)
    assert (refused.returncode, "error[issue-vanished]" in refused.stdout) == (1, True), refused.stdout


def test_a_store_that_a_fast_forward_took_away_is_told(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="proj/.jit/")
    git(scratch.top, "checkout", "--quiet", "-b", "side")
    git(scratch.top, "rm", "-r", "--quiet", "proj")
    git(scratch.top, "commit", "--quiet", "--message=gone")
    git(scratch.top, "checkout", "--quiet", "main")
    git(scratch.top, "merge", "--quiet", "--ff-only", "side")
    assert "error[issue-vanished]" in hook(scratch.top, "post-merge", "0").stdout


def test_each_of_several_stores_is_judged(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="a/.jit/")
    shutil.copytree(scratch.top / "a", scratch.top / "b")
    scratch.record()
    for name in ("a", "b"):
        git(scratch.top, "rm", "--quiet", "--cached", f"{name}/.jit/index.json")
        refused = hook(scratch.top)
        assert (refused.returncode, f"{name}/.jit/index.json" in refused.stdout) == (1, True), refused.stdout
        given = hook(scratch.top, "pre-commit", "--store", "a/.jit/", "--store", "b/.jit/")
        assert (given.returncode, f"{name}/.jit/index.json" in given.stdout) == (1, True), given.stdout
        git(scratch.top, "reset", "--quiet", "--hard")


def check(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(where, sys.executable, "-c", "from jit_hooks.cli import check; check()", *arguments)


@pytest.mark.parametrize("source", [(), ("--staged",), ("--commit", "HEAD"), ("--range", "HEAD")])
def test_the_only_store_is_judged_from_above_it_too(tmp_path: Path, source: tuple[str, ...]) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="a b/proj/.jit/")
    for where in (scratch.top, scratch.top / "a b"):
        assert "is healthy" in check(where, *source).stdout
    git(scratch.top, "rm", "--quiet", scratch.path("index.json"))
    git(scratch.top, "commit", "--quiet", "--message=without the issue index")
    for where in (scratch.top, scratch.top / "a b"):
        done = check(where, *source, "--all")
        assert (done.returncode, "error[index-absent]  a b/proj/.jit/index.json" in done.stdout) == (1, True)
    (scratch.top / "docs").mkdir()
    assert "nothing to judge" in check(scratch.top / "docs").stdout


def test_of_several_stores_below_one_is_to_be_named(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="a/.jit/")
    shutil.copytree(scratch.top / "a", scratch.top / "b c")
    scratch.record()
    done = check(scratch.top, "--range", "HEAD")
    assert done.returncode == 2
    assert "there are 2 issue stores below this directory: say which by its own, one of a, 'b c'" in done.stdout
    assert "is healthy" in check(scratch.top, "--range", "HEAD", "b c").stdout


def test_the_named_store_is_judged(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work", prefix="state/data/")
    lose_index(scratch)
    assert hook(scratch.top, JIT_DATA_DIR="state/data").returncode == 1
    assert hook(scratch.top, JIT_DATA_DIR="data", GIT_PREFIX="state/").returncode == 1
    assert hook(scratch.top, JIT_DATA_DIR=str(scratch.data)).returncode == 1
    shutil.rmtree(scratch.top / "state")
    assert hook(scratch.top, JIT_DATA_DIR="state/data").returncode == 1


def test_a_named_store_that_is_not_of_this_repository_hides_none(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work")
    lose_index(scratch)
    assert hook(scratch.top, JIT_DATA_DIR=str(tmp_path / "other")).returncode == 1
    assert hook(scratch.top, JIT_DATA_DIR="no/such/place").returncode == 1


def test_a_hook_typed_below_the_top_judges_the_same(tmp_path: Path) -> None:
    scratch = new_scratch(tmp_path / "work")
    lose_index(scratch)
    assert hook(scratch.data / "issues").returncode == 1


def test_a_repository_without_a_store_has_nothing_to_judge(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--template=", "empty")
    done = hook(tmp_path / "empty")
    assert (done.returncode, done.stdout) == (0, "")


def test_where_git_cannot_tell_nothing_passes(tmp_path: Path) -> None:
    assert hook(tmp_path).returncode == 3
