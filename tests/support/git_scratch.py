"""Scratch repositories with a store, driven by real git and nothing of the caller's git."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jit_hooks
from jit_hooks.install.hook_files import install
from jit_hooks.testing.tracker import Tracker

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(jit_hooks.__file__)))
"""What child processes need on their path to import the same package."""


def run(where: Path, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """A command's exit code and what it said on both streams, together in ``stdout``."""
    return subprocess.run(
        arguments,
        cwd=where,
        env={**os.environ, **variables},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def git(where: Path, *arguments: str, stdin: str = "", **variables: str) -> str:
    """What a git command that must succeed says."""
    done = run(where, "git", *arguments, stdin=stdin, **variables)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}"
    return done.stdout


LONG_AGO = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00+0000", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00+0000"}
"""Dates of commits that prepare a test: a commit within the same second as its parent might be an amend."""


def new_tracker(seed: int = 0) -> tuple[Tracker, list[str]]:
    """A tracker with three issues that hang together, and their ids."""
    tracker = Tracker(seed, "june")
    tracker.init()
    ids = [tracker.create(title, labels=["type:task"]) for title in ("Build the pier", "Draw the pier", "Paint it")]
    tracker.dep_add(ids[0], ids[1])
    tracker.dep_add(ids[2], ids[0])
    return tracker, ids


@dataclass
class Scratch:
    """A repository with a store, and the tracker that writes it.

    Attributes:
        top: top of the worktree.
        tracker: writes the store in memory; ``lay`` brings it to the worktree.
        ids: of the issues there are at the start.
        prefix: where the store lies from the top.
        start: the directory git is started in.
    """

    top: Path
    tracker: Tracker
    ids: list[str]
    prefix: str = ".jit/"
    start: Path | None = None
    laid: set[str] = field(default_factory=set)

    @property
    def data(self) -> Path:
        """The store's directory."""
        return self.top / self.prefix

    def git(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        """What a git command says that must succeed."""
        return git(self.start or self.top, *arguments, stdin=stdin, **variables)

    def try_git(self, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """A git command that may fail."""
        return run(self.start or self.top, "git", *arguments, stdin=stdin, **variables)

    def lay(self, tracker: Tracker | None = None) -> None:
        """Bring what the tracker has written to the worktree."""
        files = (tracker or self.tracker).files
        for path in self.laid - files.keys():
            (self.data / path).unlink()
        for path, content in files.items():
            (self.data / path).parent.mkdir(parents=True, exist_ok=True)
            (self.data / path).write_bytes(content)
        self.laid = set(files)

    def add_all(self) -> None:
        """Stage the whole worktree."""
        git(self.top, "add", "--all")

    def record(self, message: str = "prepare") -> None:
        """Commit the whole worktree past all hooks."""
        self.add_all()
        git(self.top, "-c", f"core.hooksPath={os.devnull}", "commit", "--quiet", f"--message={message}", **LONG_AGO)

    def at(self, top: Path) -> Scratch:
        """The same store in another worktree."""
        return Scratch(top, self.tracker.fork(), self.ids, self.prefix, laid=set(self.laid))

    def path(self, store_path: str) -> str:
        """A store path from the top."""
        return self.prefix + store_path

    def issue(self, issue_id: str) -> str:
        """The path of an issue from the top."""
        return self.path(f"issues/{issue_id}.json")

    def paste(self, output: str) -> str:
        """Type into a shell the first ``git add`` that a refusal prints, where git was started."""
        found = re.search(r"git add [^\n]*", output)
        assert found, f"no git add in:\n{output}"
        done = run(self.start or self.top, "sh", "-c", found[0])
        assert done.returncode == 0, f"{found[0]}: {done.stdout}"
        return found[0]


def new_scratch(top: Path, *, prefix: str = ".jit/", init: tuple[str, ...] = (), commit: bool = True) -> Scratch:
    """A repository whose first commit holds a healthy store and one other file."""
    git(top.parent, "init", "--quiet", "--initial-branch=main", "--template=", *init, str(top))
    tracker, ids = new_tracker()
    scratch = Scratch(top, tracker, ids, prefix)
    scratch.lay()
    (top / "notes.txt").write_text("one\n", encoding="utf-8")
    if commit:
        scratch.record("start")
    return scratch


def commit_all(top: Path) -> str:
    """A new repository at ``top`` with everything there in one commit; its id."""
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "all", **LONG_AGO)
    return git(top, "rev-parse", "HEAD").strip()


def new_server(scratch: Scratch) -> Path:
    """A bare clone with the server's hook, to which the scratch repository pushes as ``origin``."""
    server = scratch.top.with_name("server.git")
    git(scratch.top.parent, "clone", "--quiet", "--bare", "--template=", str(scratch.top), str(server))
    git(scratch.top, "remote", "add", "origin", str(server))
    git(scratch.top, "fetch", "--quiet", "origin")
    git(scratch.top, "remote", "set-head", "origin", "main")
    install(str(server))
    return server


def forget_index(scratch: Scratch, title: str = "Moor the boats") -> None:
    """Commit an issue past all hooks, without its entry of the issue index; the entry lies in the worktree."""
    before = scratch.tracker.files["index.json"]
    scratch.tracker.create(title)
    scratch.lay()
    whole = (scratch.data / "index.json").read_bytes()
    (scratch.data / "index.json").write_bytes(before)
    scratch.record(f"{title}, without its entry")
    (scratch.data / "index.json").write_bytes(whole)
