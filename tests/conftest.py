"""What tests share: git sealed off from this machine, and small repositories with a store."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from git_scratch import IDENTITY, LONG_AGO, PACKAGE, Scratch, git, new_scratch

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["proofs", "live_stores"]

Document = dict[str, object]

# A suite that was started in the background inherits that interrupts are ignored, and hands it on to what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


_UNSET = ("SKIP", "XDG_CONFIG_HOME", "PYTHONUNBUFFERED")


@pytest.fixture(autouse=True)
def sealed_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No configuration of this machine, no variables of a calling git or framework: the suite may run inside a hook."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "PRE_COMMIT", "PREK", "JIT_")) or name in _UNSET:
            monkeypatch.delenv(name)
    for name, value in (
        ("HOME", str(tmp_path_factory.mktemp("home"))),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", os.devnull),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("LC_ALL", "C.UTF-8"),
        *IDENTITY.items(),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", PACKAGE, prepend=os.pathsep)


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A repository with a healthy store and no hooks."""
    return new_scratch(tmp_path / "work")


def issue_id(number: int) -> str:
    """A UUID of version 4 that is easy to read."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


class Repo:
    """A git repository with a store of June's tracker, for tests that run real processes."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.store = top / ".jit"

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments, **LONG_AGO)

    def write(self, path: str, content: object) -> Path:
        """One file of the store: bytes and text as they are, anything else as JSON."""
        target = self.store / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, indent=2)
            target.write_text(text, encoding="utf-8")
        return target

    def issue(self, number: int, title: str = "Title", *dependencies: str) -> str:
        """Write an issue file; its id. The issue index is not touched."""
        own = issue_id(number)
        document: Document = {
            "id": own,
            "title": title,
            "description": "",
            "state": "in_progress",
            "priority": "normal",
            "assignee": None,
            "dependencies": list(dependencies),
            "gates_required": [],
            "gates_status": {},
            "context": {},
            "documents": [],
            "labels": [],
            "created_at": "2026-05-01T12:00:00+00:00",
            "updated_at": "2026-05-01T12:00:00+00:00",
        }
        self.write(f"issues/{own}.json", document)
        return own

    def index(self, *ids: str, deleted: tuple[str, ...] = ()) -> None:
        """Write the issue index."""
        self.write("index.json", {"schema_version": 2, "all_ids": list(ids), "deleted_ids": list(deleted)})

    def commit(self, message: str = "change", *paths: str) -> str:
        """Stage everything, or these paths, and commit; the id."""
        self.git("add", "-A", "--", *(paths or (".",)))
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose one commit holds a healthy store of two issues."""
    top = tmp_path / "repository"
    top.mkdir()
    made = Repo(top)
    made.git("init", "-q", "-b", "main")
    first = made.issue(1, "First")
    made.index(first, made.issue(2, "Second", first))
    made.write("gates.json", {"gates": {}})
    made.write("events.jsonl", "")
    made.commit("store")
    return made
