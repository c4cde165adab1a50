"""The jobs of `docs/how-to/ci.md`, run: their own commands, in clones as the services make them."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from git_scratch import Scratch, forget_index, git, run
from project import ROOT

import jit_hooks

if TYPE_CHECKING:
    import subprocess

PAGE = ROOT / "docs" / "how-to" / "ci.md"


def job(begins: str) -> Any:
    """The YAML of the page that begins with this line."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^    {re.escape(begins)}\n(?:    .*\n|\n(?=    ))*", text, re.MULTILINE)
    assert found
    return import_module("yaml").safe_load(textwrap.dedent(found[0]))


@pytest.fixture
def request_branch(scratch: Scratch, tmp_path: Path) -> Scratch:
    """A main branch and a branch `request` on it that forgets the issue index; `jit-check` on `PATH`."""
    git(scratch.top, "checkout", "--quiet", "-b", "request")
    forget_index(scratch)
    package = str(Path(jit_hooks.__file__).parents[1])
    body = f"import sys; sys.path.insert(0, {package!r}); from jit_hooks.cli import check; check()"
    start = tmp_path / "bin" / "jit-check"
    start.parent.mkdir()
    start.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(body)} "$@"\n')
    start.chmod(0o755)
    return scratch


def clone(scratch: Scratch, depth: int) -> Path:
    """What a service checks out: this deep, all of it for 0."""
    top = scratch.top.with_name(f"clone-{depth}")
    words = [f"--depth={depth}"] if depth else []
    git(scratch.top.parent, "clone", "--quiet", "--branch=request", *words, scratch.top.as_uri(), str(top))
    return top


def runs(top: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A job's line, as its service runs it."""
    path = f"{top.parent / 'bin'}:{os.environ['PATH']}"
    return run(top, "sh", "-ec", script, PATH=path, **variables)


def test_the_job_of_github(request_branch: Scratch) -> None:
    found = job("name: issue store")
    steps = found["jobs"]["jit-check"]["steps"]
    depth = steps[0]["with"]["fetch-depth"]
    check = next(step for step in steps if "jit-check" in step.get("run", ""))
    assert check["env"] == {"BASE": "origin/${{ github.base_ref }}"}
    done = runs(clone(request_branch, depth), check["run"], BASE="origin/main")
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=.jit/index.json,line=3,col=14,title=jit-check%3A index-misses-issue::")


def test_the_job_of_gitlab(request_branch: Scratch) -> None:
    found = job("jit-check:")["jit-check"]
    top = clone(request_branch, found["variables"]["GIT_DEPTH"])
    base, tip = git(request_branch.top, "rev-parse", "main", "request").split()
    line = next(line for line in found["script"] if line.startswith("jit-check"))
    done = runs(top, line, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA=tip)
    assert (done.returncode, done.stdout) == (1, "")
    report = json.loads((top / found["artifacts"]["reports"]["codequality"]).read_text())
    assert "index-misses-issue" in [entry["check_name"] for entry in report]
    assert found["artifacts"]["when"] == "always"


@pytest.mark.parametrize("range_", ["origin/main..HEAD", "HEAD"])
def test_a_clone_of_depth_1_says_not_judged_and_how_to_fetch_enough(request_branch: Scratch, range_: str) -> None:
    top = clone(request_branch, 1)
    done = runs(top, f"jit-check --range {range_} --output-format github")
    assert done.returncode == 3
    assert "::error title=jit-check%3A not-judged::not judged: " in done.stdout
    done = runs(top, f"jit-check --range {range_}")
    assert (done.returncode, done.stdout.startswith("jit-check: not judged: ")) == (3, True), done.stdout
    remedy = re.search(r"^  to fix:  (git fetch --unshallow.*)$", done.stdout, re.MULTILINE)
    assert remedy
    assert runs(top, remedy[1]).returncode == 0
    done = runs(top, f"jit-check --range {range_} --output-format github")
    assert done.returncode == 1
    assert "index-misses-issue" in done.stdout


def test_the_page_fetches_enough_for_a_clone_of_depth_1(request_branch: Scratch) -> None:
    top = clone(request_branch, 1)
    fetch = re.search(r"^    (git fetch --unshallow .*)$", PAGE.read_text(), re.MULTILINE)
    assert fetch
    assert runs(top, fetch[1]).returncode == 0
    assert runs(top, "jit-check --range origin/main..HEAD").returncode == 1


def test_a_partial_clone_is_not_judged_and_fetches_nothing_by_itself(request_branch: Scratch) -> None:
    git(request_branch.top, "config", "uploadpack.allowFilter", "true")
    top = request_branch.top.with_name("partial")
    words = ("--filter=blob:none", "--no-checkout", "--branch=request")
    git(request_branch.top.parent, "clone", "--quiet", *words, request_branch.top.as_uri(), str(top))
    missing = ("rev-list", "--objects", "--all", "--missing=print")
    before = git(top, *missing)
    done = runs(top, "jit-check --range origin/main..HEAD")
    assert done.returncode == 3
    assert done.stdout.startswith("jit-check: not judged: this is a partial clone")
    assert git(top, *missing) == before
    fetch = re.search(r"^  to fix:  (git fetch .*)$", done.stdout, re.MULTILINE)
    assert fetch
    assert fetch[1] in PAGE.read_text()
    assert runs(top, fetch[1]).returncode == 0
    assert runs(top, "jit-check --range origin/main..HEAD").returncode == 1
