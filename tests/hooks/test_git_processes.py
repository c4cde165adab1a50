"""How many git processes a command starts, as git itself tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from commands import check
from git_scratch import git, run

from jit_hooks.install.hook_files import install

if TYPE_CHECKING:
    from pathlib import Path

    from git_scratch import Scratch


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which git tells what it starts."""
    path = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(path))
    return path


def forget_last_id(scratch: Scratch) -> None:
    """Take an id out of the issue index, and stage that."""
    index = scratch.data / "index.json"
    document = json.loads(index.read_text(encoding="utf-8"))
    document["all_ids"].pop()
    index.write_text(json.dumps(document, indent=2), encoding="utf-8")
    git(scratch.top, "add", ".jit")


def started(trace: Path) -> list[list[str]]:
    """The command lines of all git processes since the trace began."""
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return [event["argv"] for event in events if event["event"] == "start"]


def test_a_refused_commit_starts_few(scratch: Scratch, trace: Path) -> None:
    install(str(scratch.top))
    forget_last_id(scratch)
    trace.unlink()
    done = run(scratch.top, "git", "commit", "-q", "-m", "x")
    assert done.returncode == 1, f"{done.stdout}{done.stderr}"
    assert "index-misses-issue" in f"{done.stdout}{done.stderr}"
    own = [words for words in started(trace) if "commit" not in words]
    assert len(own) <= 6, own


@pytest.mark.parametrize(("words", "most", "code"), [((), 6, 1), (("--fix",), 9, 0)], ids=["look", "fix"])
def test_a_look_and_a_repair_start_few(
    scratch: Scratch, trace: Path, words: tuple[str, ...], most: int, code: int
) -> None:
    forget_last_id(scratch)
    trace.unlink()
    done = check(scratch.top, *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert len(started(trace)) <= most, started(trace)
