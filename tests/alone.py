"""Tests that know nothing of the machine they run on: no user's git configuration, no ``GIT_*`` of a caller."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

import jit_hooks

if TYPE_CHECKING:
    from pathlib import Path

SEAL = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "@1780000000 +0000",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "@1780000000 +0000",
}
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(jit_hooks.__file__)))
"""What child processes need on their path to import the same package."""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment of its own for git, in this process and its children."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in SEAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GIT_AUTHOR_DATE")  # hooks read it
    monkeypatch.setenv("PYTHONPATH", PACKAGE, prepend=os.pathsep)


def git(top: Path, *arguments: str, stdin: bytes = b"") -> str:
    """What a git command prints."""
    made = subprocess.run(["git", *arguments], cwd=top, input=stdin, capture_output=True, check=True)
    return made.stdout.decode().strip()


def commit_all(top: Path) -> str:
    """A new repository at ``top`` with everything there in one commit; its id."""
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "all")
    return git(top, "rev-parse", "HEAD")
