"""A small merge storm: branches of real tracker work, merged one after the other in any order."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from jit_hooks.merge.atoms import atoms
from jit_hooks.merge.audit import audit
from jit_hooks.merge.conflict import read_conflict
from jit_hooks.merge.merging import KINDS, MERGED, OPEN, merge
from jit_hooks.merge.values import read_values
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store
from jit_hooks.testing.tracker import RefusedError, Tracker

if TYPE_CHECKING:
    from jit_hooks.testing.tracker import Era

Content = dict[str, bytes]

BRANCHES, STEPS = 6, 9


def start(seed: int, era: Era) -> Tracker:
    """A store with eight issues, some of which depend on each other, and two gates."""
    tracker = Tracker(seed, era)
    tracker.init()
    tracker.gate_define("tests", "Tests", "The suite runs", command="run-tests")
    tracker.gate_define("review", "Review", "Somebody looked")
    ids = [tracker.create(f"Issue {number}", labels=["type:task"]) for number in range(8)]
    for issue in ids[:3]:
        tracker.gate_add(issue, "tests", "review")
    tracker.dep_add(ids[0], ids[1])
    tracker.dep_add(ids[2], ids[3])
    return tracker


def work(tracker: Tracker, seed: int, *, apart: int = -1) -> None:
    """Commands one after the other; `apart` keeps a branch to issues of its own, and from deleting any."""
    rng = random.Random(seed)
    tracker.rng.seed(seed)
    ids = tracker.ids()
    mine = ids if apart < 0 else ids[apart::BRANCHES]
    for step in range(STEPS):
        issue, other = rng.choice(mine), rng.choice(mine)
        commands: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
            ("create", (f"New {seed} {step}",), {"labels": ["type:bug"]}),
            ("claim", (issue, f"agent:{seed}"), {}),
            ("set_state", (issue, rng.choice(("done", "gated", "rejected", "ready"))), {}),
            ("update", (issue,), {"description": f"Text {seed} {step}"}),
            ("update", (issue,), {"labels": ["type:task", f"epic:{seed}"]}),
            ("dep_add", (issue, other), {}),
            ("dep_remove", (issue, other), {}),
            ("gate_add", (issue, "tests"), {}),
            ("gate_pass", (issue, "review"), {}),
            ("gate_run", (issue, "tests"), {"exit_code": rng.randrange(2)}),
            ("document_add", (issue, f"docs/{seed}.md"), {}),
            ("release", (issue,), {}),
            ("delete", (issue,), {}),
        ]
        name, arguments, named = rng.choice(commands[: -1 if apart >= 0 else None])
        try:
            tracker.do(name, *arguments, **named)
        except RefusedError:
            continue


def united(base: Content, ours: Content, theirs: Content) -> tuple[Content, set[str]]:
    """What git would leave: files of one side, files the driver merged; and the paths a person must look at."""
    result: Content = {}
    asked: set[str] = set()
    for path in sorted(base.keys() | ours.keys() | theirs.keys()):
        before, left, right = base.get(path), ours.get(path), theirs.get(path)
        if left == right or right == before:
            found = left
        elif left == before:
            found = right
        elif left is None or right is None:
            asked.add(path)  # git asks: deleted here, changed there
            found = None
        else:
            found, is_open = one_file(path, before, left, right)
            if is_open:
                asked.add(path)
        if found is not None:
            result[path] = found
    return result, asked


def one_file(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
    kind = layout.kind_of(path)
    assert kind in KINDS, path
    name = layout.issue_id_of(path) if kind == "issue" else ""
    found = merge(kind, base, ours, theirs, name=name)
    assert found.status in (MERGED, OPEN), (path, found.reason)
    assert found.document == merge(kind, base, theirs, ours, name=name).document or found.status == OPEN
    if found.status == MERGED:
        return found.document, False
    parts = read_conflict(found.document)
    assert parts is not None
    return parts[0], True


def taken_apart(files: Content) -> dict[str, object]:
    """A store by its atoms; of the log the lines."""
    return {
        path: frozenset(data.splitlines())
        if path == layout.LOG
        else atoms(layout.kind_of(path), read_values(data)[0])
        if layout.kind_of(path) in KINDS
        else data
        for path, data in files.items()
    }


def assert_nothing_lost(result: Content, ours: Content, theirs: Content, base: Content, asked: set[str]) -> None:
    lines = Counter(result[layout.LOG].splitlines())
    assert lines == Counter({*ours[layout.LOG].splitlines(), *theirs[layout.LOG].splitlines()})
    stores = [Store(Files(files)) for files in (result, ours, theirs, base)]
    everything = result.keys() | ours.keys() | theirs.keys()
    paths = [path for path in everything if not result.get(path) == ours.get(path) == theirs.get(path)]
    found = audit(stores[0], (stores[1], stores[2]), (stores[3],), paths)
    legal = ("merge-duplicate-work", "merge-lost-path", "merge-both-dropped", "merge-own-edit")
    assert [problem for problem in found if problem.code not in legal] == []
    index = stores[0].issue_index
    assert index is not None
    assert index.alive_set.isdisjoint(index.deleted_set)
    for path in everything - base.keys():
        assert path in result or path in asked


@pytest.mark.parametrize("era", ["june", "v1"])
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_in_a_storm(seed: int, era: Era) -> None:
    tracker = start(seed, era)
    sides = []
    for number in range(BRANCHES):
        branch = tracker.fork()
        work(branch, 100 * seed + number)
        sides.append(branch.files)
    ours = sides[0]
    for theirs in sides[1:]:
        result, asked = united(tracker.files, ours, theirs)
        assert_nothing_lost(result, ours, theirs, tracker.files, asked)
        ours = result


@pytest.mark.parametrize("era", ["june", "v1"])
@pytest.mark.parametrize("seed", range(6))
def test_work_on_issues_of_ones_own_unites_without_a_question_in_any_order(seed: int, era: Era) -> None:
    tracker = start(seed, era)
    sides = []
    for number in range(BRANCHES):
        branch = tracker.fork()
        work(branch, 100 * seed + number, apart=number)
        sides.append(branch.files)
    results = []
    for order in (sides, sides[::-1], random.Random(seed).sample(sides, len(sides))):
        ours = order[0]
        for theirs in order[1:]:
            ours, asked = united(tracker.files, ours, theirs)
            assert asked == set()
        results.append(ours)
    assert taken_apart(results[0]) == taken_apart(results[1]) == taken_apart(results[2])
    assert results[0][layout.LOG] == results[1][layout.LOG] == results[2][layout.LOG]
    for path in results[0]:
        assert results[0][path] == results[1][path] == results[2][path], path
