"""GitPython's answers and git's own: the same where both can answer, git's where GitPython cannot."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from jit_hooks.git.command import Git
from jit_hooks.git.differences import Differences, _by_git, _by_library, differences

if TYPE_CHECKING:
    from pathlib import Path

VARIANTS = {"plain": [], "sha256": ["--object-format=sha256"], "index-v4": ["-c", "index.version=4"]}


def make(top: Path, variant: str, *, committed: bool) -> None:
    """A store with one file of each kind of difference."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=top, check=True)

    top.mkdir()
    git("init", "-q", *(option for option in VARIANTS[variant] if option.startswith("--")))
    if variant == "index-v4":
        git("config", "index.version", "4")
    for name in ("kept", "changed", "gone"):
        (top / ".jit").mkdir(exist_ok=True)
        (top / ".jit" / name).write_text(name)
    (top / "outside").write_text("outside")
    git("add", "-A")
    if committed:
        git("commit", "-q", "-m", "store")
    (top / ".jit" / "staged").write_text("staged")
    git("add", "-A")
    (top / ".jit" / "changed").write_text("changed since")
    (top / ".jit" / "gone").unlink()
    (top / ".jit" / "new").write_text("new")
    (top / "outside").write_text("changed, but not of the store")


EXPECTED = Differences((".jit/staged",), (".jit/changed", ".jit/gone"), (".jit/new",))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_repository_gets_an_answer(tmp_path: Path, variant: str) -> None:
    make(tmp_path / "r", variant, committed=True)
    assert differences(str(tmp_path / "r"), ".jit/") == EXPECTED


def test_both_agree(tmp_path: Path) -> None:
    make(tmp_path / "r", "plain", committed=True)
    assert _by_library(str(tmp_path / "r"), ".jit/") == EXPECTED
    assert _by_git(Git(str(tmp_path / "r")), ".jit/") == EXPECTED


def test_before_the_first_commit_everything_is_staged(tmp_path: Path) -> None:
    make(tmp_path / "r", "plain", committed=False)
    staged = (".jit/changed", ".jit/gone", ".jit/kept", ".jit/staged")
    assert _by_library(str(tmp_path / "r"), ".jit/").staged == staged
    assert _by_git(Git(str(tmp_path / "r")), ".jit/").staged == staged
