"""The merge driver is set up with the hooks, proved, and taken away without a trace, in real repositories."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from git_scratch import Scratch, git, new_scratch, run

from jit_hooks.errors import InstallError
from jit_hooks.install.hook_files import install, install_merge_driver, uninstall
from jit_hooks.install.hook_place import find_hook_place
from jit_hooks.install.merge_driver import DRIVER, command, configured, split_attributes, unmarked
from jit_hooks.install.status import Guard, status

if TYPE_CHECKING:
    from pathlib import Path


def driver_in(where: Path) -> Guard:
    """How it stands with the merge driver."""
    return next(guard for guard in status(str(where)).guards if guard.hook == "merge driver")


def attributes(top: Path) -> Path:
    return top / ".git" / "info" / "attributes"


def unite(one: Scratch, top: Path | None = None) -> None:
    """Two branches create an issue each and are merged: the issue index holds both, without a conflict."""
    top = top or one.top
    ids = {}
    git(top, "checkout", "-q", "-b", "side")
    for branch in ("side", "main"):
        git(top, "checkout", "-q", branch)
        side = Scratch(top, one.tracker.fork(), one.ids, one.prefix, laid=set(one.laid))
        side.tracker.rng.seed(branch)
        ids[branch] = side.tracker.create(f"Made on {branch}", labels=["type:task"])
        side.lay()
        side.record(branch)
    git(top, "merge", "--quiet", "--no-edit", "side")
    said = git(top, "show", f"HEAD:{one.prefix}index.json")
    assert all(issue in said for issue in ids.values())


@pytest.mark.parametrize(
    "before",
    [None, b"", b"*.txt text\n", b"*.txt text", b"\n\n", b"# caf\xe9\r\n"],
    ids=["absent", "empty", "lines", "no-newline", "blank", "odd"],
)
def test_uninstalling_leaves_attributes_and_configuration_as_they_were(scratch: Scratch, before: bytes | None) -> None:
    path, config = attributes(scratch.top), scratch.top / ".git" / "config"
    path.parent.mkdir(exist_ok=True)
    if before is not None:
        path.write_bytes(before)
    settings = config.read_bytes()
    install(str(scratch.top))
    assert path.read_bytes().startswith(before or b"")
    assert not unmarked(find_hook_place(str(scratch.top)))
    uninstall(str(scratch.top))
    assert (path.read_bytes() if path.exists() else None) == before
    assert config.read_bytes() == settings


def test_lines_that_others_add_stay_where_they_are(scratch: Scratch) -> None:
    path = attributes(scratch.top)
    install(str(scratch.top))
    path.write_bytes(b"*.a text\n" + path.read_bytes() + b"*.z text\n")
    git(scratch.top, "config", f"merge.{DRIVER}.driver", "an older line")
    assert install(str(scratch.top))[-1] == "merge driver: installed"
    before, ours, behind = split_attributes(path.read_bytes())
    assert (before, behind) == (b"*.a text\n", b"*.z text\n")
    assert ours is not None
    uninstall(str(scratch.top))
    assert path.read_bytes() == b"*.a text\n*.z text\n"


def test_what_is_committed_for_clones_without_us_is_beaten(scratch: Scratch) -> None:
    (scratch.top / ".gitattributes").write_text(".jit/*.jsonl merge=union\n.jit/index.json -merge\n", encoding="utf-8")
    scratch.record()
    install(str(scratch.top))
    unite(scratch)


@pytest.mark.parametrize("prefix", [".jit/", "sub [x]/.jit/", "tracker data/", 'caf\xe9 "q"/.jit/'])
def test_wherever_the_store_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    one = new_scratch(tmp_path / "work", prefix=prefix)
    monkeypatch.setenv("JIT_DATA_DIR", str(one.data))
    install(str(one.top))
    found = driver_in(one.top)
    assert (found.state, found.live) == ("installed", True), found
    unite(one)


def test_linked_worktrees_merge_too(scratch: Scratch, tmp_path: Path) -> None:
    git(scratch.top, "checkout", "--quiet", "--detach")
    git(scratch.top, "worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    install(str(tmp_path / "linked"))
    assert driver_in(scratch.top).live
    unite(scratch, tmp_path / "linked")


def test_a_worktree_of_a_bare_repository_merges(scratch: Scratch, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(scratch.top), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    install(str(tmp_path / "bare.git"))
    assert driver_in(tmp_path / "bare.git").live
    unite(scratch, tmp_path / "linked")


def test_status_tells_which_half_is_missing(scratch: Scratch) -> None:
    install(str(scratch.top))
    place = find_hook_place(str(scratch.top))
    line = configured(place)
    git(scratch.top, "config", "--unset", f"merge.{DRIVER}.driver")
    found = driver_in(scratch.top)
    assert (found.state, found.live) == ("disabled", False)
    assert "as text" in found.detail
    git(scratch.top, "config", f"merge.{DRIVER}.driver", line)
    with attributes(scratch.top).open("a") as file:
        file.write(".jit/issues/* -merge\n")
    found = driver_in(scratch.top)
    assert (found.state, found.live) == ("disabled", False)
    assert ".jit/issues/0.json" in found.detail


@pytest.mark.parametrize("program", ["/no/such/python", "true"])
def test_status_tries_the_line_that_is_configured(scratch: Scratch, program: str) -> None:
    install(str(scratch.top))
    line = configured(find_hook_place(str(scratch.top)))
    git(scratch.top, "config", f"merge.{DRIVER}.driver", line.replace(sys.executable, program))
    found = driver_in(scratch.top)
    assert (found.state, found.live) == ("outdated", False)
    assert "exit code" in found.detail
    assert status(str(scratch.top)).exit_code == 1


def test_a_driver_that_is_gone_leaves_a_conflict_of_text(scratch: Scratch) -> None:
    install(str(scratch.top))
    line = configured(find_hook_place(str(scratch.top)))
    git(scratch.top, "config", f"merge.{DRIVER}.driver", line.replace(sys.executable, "/no/such/python"))
    with pytest.raises(AssertionError):
        unite(scratch)
    assert "UU .jit/index.json\n" in git(scratch.top, "status", "--porcelain")
    assert "<<<<<<< ours\n" in (scratch.data / "index.json").read_text(encoding="utf-8")


def test_a_percent_sign_in_a_path_is_not_gits(tmp_path: Path) -> None:
    line = command("/opt/100%P/lib", [".jit/"])
    assert "100%%P/lib" in line
    assert run(tmp_path, "sh", "-n", "-c", line).returncode == 0


def test_the_driver_alone_where_a_framework_runs_the_hooks(scratch: Scratch) -> None:
    hooks = scratch.top / ".git" / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n")
    with pytest.raises(InstallError, match="--merge-driver"):
        install(str(scratch.top))
    assert install_merge_driver(str(scratch.top)) == ["merge driver: installed"]
    assert [path.name for path in hooks.iterdir()] == ["pre-commit"]
    assert driver_in(scratch.top).live
    unite(scratch)


def test_every_store_of_a_repository_is_merged(tmp_path: Path) -> None:
    one = new_scratch(tmp_path / "work", prefix="a/.jit/")
    other = Scratch(one.top, one.tracker.fork(), one.ids, "b/.jit/")
    other.lay()
    other.record()
    install(str(one.top))
    place = find_hook_place(str(one.top))
    assert set(place.stores) == {"a/.jit/", "b/.jit/"}
    assert not unmarked(place)
    unite(other)
