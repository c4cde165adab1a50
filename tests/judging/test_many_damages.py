"""Many damages at once beside honest uncommitted work: what ``--fix`` keeps, mends and hands to people."""

from __future__ import annotations

import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from git_scratch import git
from project import CORPUS
from proofs import part, proof
from rough_damage import Rough

from jit_hooks.checks import BY_CODE
from jit_hooks.cli.place import find_place, request_for
from jit_hooks.errors import NoEntryError
from jit_hooks.journal import undo
from jit_hooks.judging.mending import Choice, mend
from jit_hooks.place import place_of
from jit_hooks.testing.stores import healthy_tracker
from jit_hooks.testing.tracker import Tracker

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.judging.report import Report

BUNDLE = CORPUS / "just-in-time-jit-history.bundle"
TOKEN = re.compile(rb'"(?:[^"\\\x00-\x1f\x80-\xff]|\\["\\/bfnrtu])*"')


def lay(store: Path, files: dict[str, bytes]) -> None:
    for there in [there for there in store.rglob("*") if there.is_file()]:
        if str(there.relative_to(store)) not in files:
            there.unlink()
    for path, data in files.items():
        (store / path).parent.mkdir(parents=True, exist_ok=True)
        (store / path).write_bytes(data)


def files_of(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def fix(top: Path, *, unsafe: bool = False) -> Report:
    place = find_place(str(top))
    try:
        request = request_for(place, "worktree")
        assert request is not None
        return mend(request, Choice(unsafe=unsafe), command="jit-check --fix")
    finally:
        place.close()


def undo_all(top: Path) -> None:
    place = find_place(str(top))
    request = request_for(place, "worktree")
    assert request is not None
    while True:
        try:
            assert request.repository is not None
            entry = undo.undo(None, place_of(request.repository, request.root))
        except NoEntryError:
            place.close()
            return
        assert entry.left == {}


@pytest.fixture(params=part(["june", "v1", "corpus"], few=2, of="many damages", one_in=1))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Tracker]:
    """A committed store, and the tracker that goes on writing it."""
    top = tmp_path / "work"
    if request.param == "corpus":
        if not BUNDLE.exists():
            pytest.skip("the corpus is not here")
        subprocess.run(["git", "clone", "--quiet", "--branch=main", str(BUNDLE), str(top)], check=True)
        return top, Tracker(1, "june", files_of(top / ".jit"))
    tracker = healthy_tracker(3, request.param, issues=60)
    git(tmp_path, "init", "--quiet", str(top))
    lay(top / ".jit", tracker.files)
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message=start")
    return top, tracker


@proof
def test_honest_work_stays_and_all_can_be_taken_back(store: tuple[Path, Tracker]) -> None:
    top, tracker = store
    committed = dict(tracker.files)
    rng = random.Random(7)
    for _ in range(12):
        tracker.random_edit(rng)
    honest = {path: data for path, data in tracker.files.items() if committed.get(path) != data}
    files = dict(tracker.files)
    tail = files["events.jsonl"][len(committed["events.jsonl"]) :]
    count = 1000 if len(files) > 1000 else 100
    rough = Rough(files, 11, honest.keys(), len(committed["events.jsonl"]))
    rough.plant(count)
    lay(top / ".jit", files)
    damaged = files_of(top / ".jit")

    report = fix(top)
    mended = files_of(top / ".jit")
    for path, data in honest.items():
        if path not in ("index.json", "events.jsonl"):
            assert mended[path] == data, path
    assert tail in mended["events.jsonl"]
    everything = b"\n".join(mended.values())
    for path, data in damaged.items():
        for token in set(TOKEN.findall(data)):
            assert token in everything, (path, token)
    assert report.repairs is not None
    for problem in [e for e in report.errors if not e.code.startswith(("event", "run", "text"))]:
        assert problem.identity in report.repairs.left or BY_CODE[problem.code].repair == "human", problem

    again = fix(top)
    assert again.repairs is not None
    assert again.repairs.plan == []
    assert files_of(top / ".jit") == mended
    undo_all(top)
    assert files_of(top / ".jit") == damaged
