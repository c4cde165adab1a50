"""The manifest's hooks as a user gets them: built from this checkout by each framework, in a repository of his own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, forget_index, git, run

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parent.parent

CACHES = {
    name: os.environ.get(name, str(Path.home() / ".cache" / tool))
    for name, tool in (("PIP_CACHE_DIR", "pip"), ("UV_CACHE_DIR", "uv"))
}
"""Where dependencies that were once downloaded lie; everything else of the user's home is out of sight."""


def try_repo(framework: str, scratch: Scratch, checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A hook from an environment that the framework makes for it; `jit-check` unless another is named."""
    return run(scratch.top, framework, "try-repo", str(checkout), *(words or ("jit-check",)), "--verbose", **CACHES)


@pytest.fixture
def checkout(tmp_path: Path, sealed_git: None) -> Path:
    """This project as committed in a repository of its own: what it is now, committed or not."""
    copy = tmp_path / "jit-hooks"
    ignored = shutil.ignore_patterns(".git", ".venv", "*cache*", "build", "dist", ".hypothesis", "tests", "benchmarks")
    shutil.copytree(ROOT, copy, ignore=ignored)
    git(copy, "init", "--quiet", "--template=")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message=checkout")
    return copy


@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
def test_a_commit_that_only_deletes_is_judged_by_the_built_hook(
    framework: str, scratch: Scratch, checkout: Path, tmp_path: Path
) -> None:
    if shutil.which(framework) is None or (framework == "prek" and shutil.which("uv") is None):
        pytest.skip(f"{framework} is not installed")
    git(scratch.top, "rm", "--quiet", scratch.issue(scratch.ids[0]))
    done = try_repo(framework, scratch, checkout)
    assert done.returncode == 1, done.stdout
    assert "error[index-lists-missing]" in done.stdout, done.stdout
    assert "git commit --no-verify" in done.stdout


@pytest.mark.parametrize("framework", ["prek"])
def test_a_push_is_judged_by_the_built_hook(framework: str, scratch: Scratch, checkout: Path) -> None:
    if shutil.which(framework) is None or (framework == "prek" and shutil.which("uv") is None):
        pytest.skip(f"{framework} is not installed")
    forget_index(scratch)
    scratch.git("stash", "--quiet")
    scratch.git("checkout", "--quiet", "-b", "elsewhere")
    between = ("--from-ref", "main~1", "--to-ref", "main")
    done = try_repo(framework, scratch, checkout, "jit-pre-push", "--hook-stage", "pre-push", *between)
    assert done.returncode == 1, done.stdout
    assert "error[index-misses-issue]" in done.stdout, done.stdout
    assert "git push --no-verify" in done.stdout
