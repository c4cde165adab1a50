"""The manifest's hooks as a user gets them, built from this checkout by each framework, and managers that only call."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, forget_index, git, new_server, run
from project import ROOT

import jit_hooks
from jit_hooks.errors import InstallError
from jit_hooks.git.hooks import HOOK_IDS, HOOKS
from jit_hooks.install.hook_files import install
from jit_hooks.install.status import status

if TYPE_CHECKING:
    import subprocess


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


MANAGERS = ROOT / "docs" / "how-to" / "hook-managers.md"
STUB = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'
RUNNER = 'file=$(dirname "$(dirname "$0")")/$(basename "$0")\n[ -f "$file" ] || exit 0\nsh -e "$file" "$@"\nexit $?\n'


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jit-hooks` on `PATH`, as the managers want it."""
    package = str(Path(jit_hooks.__file__).parents[1])
    body = f"import sys; sys.path.insert(0, {package!r}); from jit_hooks.cli import hooks; hooks()"
    start = tmp_path / "bin" / "jit-hooks"
    start.parent.mkdir()
    start.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(body)} "$@"\n')
    start.chmod(0o755)
    monkeypatch.setenv("PATH", f"{start.parent}:{os.environ['PATH']}")


@pytest.fixture
def husky(scratch: Scratch) -> Scratch:
    """A repository whose hooks husky runs: stubs in `.husky/_`, which start the file of their name above."""
    stubs = scratch.top / ".husky" / "_"
    stubs.mkdir(parents=True)
    (stubs / "h").write_text(RUNNER)
    for hook in HOOK_IDS:
        (stubs / hook).write_text(STUB)
        (stubs / hook).chmod(0o755)
    git(scratch.top, "config", "core.hooksPath", ".husky/_")
    (scratch.top / ".git" / "info").mkdir(exist_ok=True)
    (scratch.top / ".git" / "info" / "exclude").write_text(".husky\n")
    return scratch


@pytest.mark.parametrize("chain", [False, True])
def test_husky_is_not_chained_into_and_the_way_in_works(husky: Scratch, on_path: None, *, chain: bool) -> None:
    server = new_server(husky)
    (server / "hooks" / "pre-receive").unlink()
    before = {path.name: path.read_bytes() for path in (husky.top / ".husky" / "_").iterdir()}
    with pytest.raises(InstallError, match="husky runs the hooks here") as caught:
        install(str(husky.top), chain=chain)
    assert {path.name: path.read_bytes() for path in (husky.top / ".husky" / "_").iterdir()} == before
    assert caught.value.remedy in {guard.remedy for guard in status(str(husky.top)).guards}
    done = run(husky.top, "sh", "-c", caught.value.remedy)
    assert (done.returncode, "merge driver: installed" in done.stdout) == (0, True), done.stdout
    husky.tracker.create("Moor the boats")
    husky.lay()
    git(husky.top, "add", ".jit/issues")
    done = husky.try_git("commit", "--message=half")
    assert (done.returncode, "error[index-misses-issue]" in done.stdout) == (1, True), done.stdout
    git(husky.top, "commit", "--quiet", "--no-verify", "--message=half")
    done = husky.try_git("push", "origin", "HEAD~1:refs/heads/innocent", "HEAD:refs/heads/guilty")
    assert (done.returncode, "refused: refs/heads/guilty\n" in done.stdout) == (1, True), done.stdout


def test_lefthook_is_not_chained_into(scratch: Scratch) -> None:
    hooks = scratch.top / ".git" / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text(
        '#!/bin/sh\ncall_lefthook() { lefthook "$@"; }\ncall_lefthook run "pre-commit" "$@"\n'
    )
    for chain in (False, True):
        with pytest.raises(InstallError, match="lefthook runs the hooks here"):
            install(str(scratch.top), chain=chain)
    assert [path.name for path in hooks.iterdir()] == ["pre-commit"]


def test_the_page_gives_lefthook_every_hook_with_its_arguments_and_input() -> None:
    found = re.search(r"^    pre-commit:\n      jobs:\n(?:    .*\n)*", MANAGERS.read_text(), re.MULTILINE)
    assert found
    page = import_module("yaml").safe_load(textwrap.dedent(found[0]))
    words = {"post-merge": " {1}", "post-checkout": " {1} {2} {3}", "post-rewrite": " {1}", "pre-push": " {1} {2}"}
    assert page == {
        hook: {
            "jobs": [
                {"name": name, "run": f"jit-hooks {hook}{words.get(hook, '')}"}
                | ({"use_stdin": True} if HOOKS[hook].reads_stdin else {})
            ]
        }
        for hook, name in HOOK_IDS.items()
    }
