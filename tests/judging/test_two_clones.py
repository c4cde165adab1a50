"""The same damage, repaired in two clones at different times by different people, becomes the same bytes."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import write_witness
from git_scratch import LONG_AGO, git
from proofs import over
from scenes import FURTHEST, lay_tree

from jit_hooks.cli.place import find_place, request_for
from jit_hooks.disk.files import Files
from jit_hooks.journal.undo import entries, undo
from jit_hooks.judging.mending import Choice, mend
from jit_hooks.place import Place
from jit_hooks.repairs import BY_CODE
from jit_hooks.testing.damage import DAMAGES, Damage, Scene, damaged

if TYPE_CHECKING:
    from pathlib import Path

    from jit_hooks.testing.tracker import Era

ERAS: tuple[Era, ...] = ("june", "v1")
OF_ONE_MACHINE = {"transaction-stuck", "temp-stale", "lock-meta-stale", *(code for code in BY_CODE if "claim" in code)}
CASES = [
    pytest.param(damage, era, id=f"{era}-{damage.name}")
    for number, damage in enumerate(damage for damage in DAMAGES if damage.code in BY_CODE)
    for era in [next(era for era in ERAS[number % 2 :] + ERAS if era in damage.eras)]
    if damage.needs not in (*FURTHEST, "merge") and "on disk only" not in damage.note
]
"""Each damage of what clones share, by turns in the store of one tracker and of the other."""


def write(top: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(data)


def clone(origin: Path, top: Path, scene: Scene) -> None:
    """A clone of what the scene comes from, with the damage in its worktree."""
    top.parent.mkdir(parents=True, exist_ok=True)
    git(origin.parent, "clone", "--quiet", "--template=", str(origin), str(top))
    for path in scene.parents[0].keys() - scene.files.keys():
        (top / ".jit" / path).unlink()
    lay_tree(scene, top)


def mended(top: Path, now: str) -> tuple[dict[str, bytes], set[str]]:
    """The store after every repair there is, lock files aside, which are empty; the codes that are left."""
    place = find_place(str(top))
    request = request_for(place, "worktree")
    assert request is not None
    choice = Choice(unsafe=True, everything=True)
    with write_witness.writes() as seen:
        report = mend(replace(request, now=now, wait=0.0), choice, time=now, command="test")
    place.close()
    assert not write_witness.out_of_place(seen, top)
    assert seen or not report.repairs or not report.repairs.plan
    return bytes_below(top / ".jit"), {problem.code for problem in report.problems}


def bytes_below(top: Path) -> dict[str, bytes]:
    """Every file but the trackers' locks, which are empty."""
    files = (path for path in top.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(top)): path.read_bytes() for path in files}


def undone(top: Path) -> dict[str, bytes]:
    """The store after every repair is taken back."""
    place = Place(str(top / ".jit"), str(top / ".git"), str(top))
    with write_witness.writes() as seen:
        while any(entry.state == "done" and not entry.undoes for entry in entries(place)):
            undo(None, place)
    assert not write_witness.out_of_place(seen, top)
    return bytes_below(top / ".jit")


@over("damage, era", CASES, few=6)
def test_two_clones_come_to_the_same_bytes(damage: Damage, era: Era, tmp_path: Path) -> None:
    scene = damaged(damage, era)
    later = (datetime.fromisoformat(scene.now) + timedelta(days=3)).isoformat()
    origin = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "--template=", str(origin))
    write(origin / ".jit", scene.parents[0])
    write(origin, scene.parent_outside)
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message=store", **LONG_AGO)
    here, there = tmp_path / "here", tmp_path / "far off" / "and named otherwise"
    clone(origin, here, scene)
    for path in reversed(list(scene.files)):
        scene.files[path] = scene.files.pop(path)
    clone(origin, there, scene)
    before = bytes_below(here / ".jit")
    one, other = mended(here, scene.now), mended(there, later)
    assert one == other
    assert one[0] != before or damage.code in one[1]
    assert undone(here) == before


def test_a_write_out_of_place_is_seen(tmp_path: Path) -> None:
    (tmp_path / ".jit").mkdir()
    with write_witness.writes() as seen:
        (tmp_path / ".jit" / "by the test").touch()
        files = Files({"store": (str(tmp_path), (".jit",)), "above": (str(tmp_path.parent), ())})
        for path in ("store:in place", "above:out of place"):
            files.write_new(path, b"")
        files.rename("store:in place", "above:moved")
    where = [os.path.basename(one.path) for one in write_witness.out_of_place(seen, tmp_path)]
    assert where == ["by the test", "by the test", "out of place", "moved"]
    assert "in place" in [os.path.basename(one.path) for one in seen]
