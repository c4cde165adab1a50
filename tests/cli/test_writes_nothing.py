"""No command that judges writes: not the store, not the git index, not a byte of ``.git``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import watched_command
from git_scratch import commit_all, git

from jit_hooks.testing.stores import healthy_tracker
from jit_hooks.testing.tracker import documents_of, issue_path

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: dict[str, tuple[str, ...]] = {
    "worktree": ("check",),
    "worktree, everything": ("check", "--all", "--verbose", "--json"),
    "staged": ("check", "--staged"),
    "commit": ("check", "--commit", "HEAD"),
    "range": ("check", "--range", "HEAD~1..HEAD"),
    "history": ("check", "--range", "HEAD"),
    "one issue": ("check", "--only", "0000"),
    "one family": ("check", "--select", "index,file"),
    "help": ("check", "--help"),
    "no such option": ("check", "--unheard-of"),
    "explain": ("hooks", "explain", "index-misses-issue"),
    "schema": ("hooks", "schema", "issue"),
    "pre-commit": ("hooks", "pre-commit"),
    "pre-commit of a store elsewhere": ("hooks", "pre-commit", "--store", "elsewhere/.jit/"),
    "pre-merge-commit": ("hooks", "pre-merge-commit"),
    "post-merge": ("hooks", "post-merge", "0"),
    "post-merge, squashed": ("hooks", "post-merge", "1"),
}


def fingerprints(top: Path) -> dict[str, tuple[int, int, str]]:
    """Every name below a directory with its mode, its time of change and the digest of its bytes."""
    found = {}
    for path in sorted(top.rglob("*")):
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[str(path.relative_to(top))] = (status.st_mode, status.st_mtime_ns, digest)
    return found


def lay_out(top: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def make(top: Path, state: str) -> None:
    """A repository of two commits, and in it what the state says."""
    tracker = healthy_tracker(0, "v1")

    def now() -> dict[str, bytes]:
        documents = documents_of(tracker.files)
        return {**{f".jit/{path}": data for path, data in tracker.files.items()}, **documents}

    lay_out(top, now())
    commit_all(top)
    ready = next(one for one, issue in tracker.issues().items() if issue["state"] == "in_progress")
    tracker.update(ready, title="Another title")
    lay_out(top, now())
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "two")
    tracker.update(ready, title="A third title")
    new = tracker.create("New", labels=["epic:harbour", "type:task"])
    tracker.dep_add(new, ready)
    lay_out(top, now())
    if state == "forgotten":
        git(top, "add", f".jit/{issue_path(new)}", ".jit/events.jsonl")
    elif state != "unstaged":
        git(top, "add", "-A")
    if state == "damaged":
        (top / ".jit" / issue_path(ready)).write_bytes(b"{")
        (top / ".jit" / "index.json").unlink()
        git(top, "add", "-A")
    if state == "pending":
        journal = top / ".jit" / "tmp" / "transactions" / ("0" * 32) / "journal.json"
        lay_out(top, {str(journal.relative_to(top)): b"{}"})
    for path in (top / ".jit" / "index.json", top / ".jit" / "config.toml"):
        if path.exists():  # git's note of the file is out of date: a look that is not careful writes it anew
            os.utime(path, (1_790_000_000, 1_790_000_000))


STATES = ("healthy", "unstaged", "forgotten", "damaged", "pending")
SHORT = ("worktree", "staged", "pre-commit", "pre-merge-commit", "post-merge")
"""What is run in states that differ only for these."""


@pytest.fixture(scope="module")
def tops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One repository for each state; nothing may change in it, so all tests share it."""
    return {state: tmp_path_factory.mktemp(state) for state in STATES}


@pytest.mark.parametrize("state", STATES)
def test_no_command_writes(tops: dict[str, Path], state: str) -> None:
    top = tops[state]
    make(top, state)
    before = fingerprints(top)
    wrong: list[str] = []
    codes: dict[str, int] = {}
    for name, words in COMMANDS.items():
        if state in ("unstaged", "pending") and name not in SHORT:
            continue
        made = subprocess.run(
            [sys.executable, "-B", str(Path(watched_command.__file__)), *words],
            cwd=top,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        codes[name] = made.returncode
        if (
            made.returncode == watched_command.TRIED
            or made.returncode not in (0, 1, 2, 3)
            or "Traceback" in made.stderr
        ):
            wrong.append(f"{name}: {made.returncode} {made.stderr}")
        after = fingerprints(top)
        if after != before:
            changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
            wrong.append(f"{name} changed {changed}")
            before = after
    assert not wrong, "\n".join(wrong)
    assert codes["worktree"] == {"damaged": 1, "pending": 3}.get(state, 0), codes
    assert codes["pre-commit"] == {"damaged": 1, "forgotten": 1}.get(state, 0), codes
    assert codes.get("no such option", 2) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("open('made', 'w')", "open"),
        ("os.open('made', os.O_WRONLY | os.O_CREAT)", "open"),
        ("os.mkdir('made')", "os.mkdir"),
        ("os.rename('seen', 'made')", "os.rename"),
        ("os.chmod('seen', 0o600)", "os.chmod"),
        ("subprocess.run(['git', 'status'])", "git"),
        ("subprocess.run(['true'])", "true"),
        ("os.posix_spawnp('git', ['git', 'add', '.'], {'GIT_OPTIONAL_LOCKS': '0'})", "add"),
    ],
)
def test_the_watch_sees_a_write(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "seen").touch()
    program = (
        "import os, subprocess, sys\n"
        f"sys.path.insert(0, {str(Path(watched_command.__file__).parent)!r})\n"
        f"from watched_command import tried, watch\nsys.addaudithook(watch)\n{text}\n"
        f"assert any({says!r} in one for one in tried), tried"
    )
    made = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
