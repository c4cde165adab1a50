"""What two innocent branches break together is told with the parent that brought each part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jit_hooks.checks import CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.merge.audit import Audit
from jit_hooks.store import layout
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store
from jit_hooks.testing.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.problem import Problem

    Edit = Callable[[Tracker, list[str]], object]


def begun() -> tuple[Tracker, list[str]]:
    tracker = Tracker(7, "june")
    tracker.init()
    ids = [tracker.create(title, labels=["type:task"]) for title in ("Sow", "Water", "Reap")]
    tracker.gate_define("taste", "Taste")
    return tracker, ids


def meet(ours: Edit, theirs: Edit) -> tuple[list[Problem], list[str]]:
    """What the merge of two branches brings, file by file; one file that both wrote is united by hand."""
    tracker, ids = begun()
    sides = (tracker.fork(), tracker.fork())
    for side, edit in zip(sides, (ours, theirs), strict=True):
        edit(side, ids)
    base = dict(tracker.files)
    result = dict(base)
    for side in sides:
        for path in base.keys() | side.files.keys():
            if side.files.get(path) != base.get(path):
                result.pop(path, None)
                if path in side.files:
                    result[path] = side.files[path]
    log = len(base[layout.LOG])
    result[layout.LOG] = base[layout.LOG] + b"".join(side.files[layout.LOG][log:] for side in sides)
    paths = {p for side in sides for p in side.files.keys() | base.keys() if side.files.get(p) != base.get(p)}
    parents = tuple(Store(Files(side.files)) for side in sides)
    focus = Focus(paths, parents=parents, bases=(Store(Files(base)),))
    return find_problems(Store(Files(result)), focus, CHECKS).problems, ids


def the(problems: list[Problem], code: str) -> str:
    (message,) = (problem.message for problem in problems if problem.code == code)
    return message


def test_a_circle_of_two_edges() -> None:
    problems, ids = meet(lambda side, i: side.dep_add(i[0], i[1]), lambda side, i: side.dep_add(i[1], i[0]))
    a, b = (issue[:8] for issue in ids[:2])
    message = the(problems, "dependency-cycle")
    assert f"{a} -> {b} comes from the first parent" in message
    assert f"{b} -> {a} comes from the second parent" in message


def test_an_edge_to_an_issue_that_the_other_one_deleted() -> None:
    problems, ids = meet(lambda side, i: side.delete(i[1]), lambda side, i: side.dep_add(i[0], i[1]))
    assert the(problems, "dependency-missing").endswith(
        f"; the dependency comes from the second parent, that {ids[1][:8]} is gone comes from the first parent"
    )


def test_a_gate_required_here_and_removed_there() -> None:
    problems, _ = meet(lambda side, i: side.gate_undefine("taste"), lambda side, i: side.gate_add(i[0], "taste"))
    assert the(problems, "gate-unregistered").endswith(
        "; the requirement comes from the second parent, that no gate is called so comes from the first parent"
    )


def test_done_against_a_gate_asked_for_meanwhile() -> None:
    def finish(side: Tracker, ids: list[str]) -> None:
        side.force(ids[0], "done")

    def demand(side: Tracker, ids: list[str]) -> None:
        side.gate_add(ids[0], "taste")

    tracker, ids = begun()
    sides = (tracker.fork(), tracker.fork())
    finish(sides[0], ids)
    demand(sides[1], ids)
    path = layout.issue_path(ids[0])
    united = json.loads(sides[1].files[path]) | {"state": "done"}
    result = sides[1].files | {path: json.dumps(united, indent=2).encode()}
    focus = Focus([path], parents=tuple(Store(Files(s.files)) for s in sides), bases=(Store(Files(tracker.files)),))
    problems = find_problems(Store(Files(result)), focus, CHECKS).problems
    assert the(problems, "done-gate-open").endswith(
        "; `done` comes from the first parent, the requirement of `taste` comes from the second parent"
    )


def test_what_one_parent_had_already_is_told_as_ever() -> None:
    def circle(side: Tracker, ids: list[str]) -> None:
        for one, other in (ids[:2], ids[1::-1]):
            path = layout.issue_path(one)
            side.files[path] = json.dumps(side.issue(one) | {"dependencies": [other]}, indent=2).encode()

    problems, _ = meet(lambda side, i: side.update(i[2], title="Glean"), circle)
    assert "parent" not in the(problems, "dependency-cycle")


def test_without_merge_bases_nothing_is_claimed() -> None:
    tracker, _ = begun()
    store = Store(Files(tracker.files))
    found = find_problems(store, Focus(["index.json"], parents=(store, store)), CHECKS)
    assert "not known" in found.skipped["merge-lost-edit"]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_parent_has_a_name(count: int) -> None:
    tracker, _ = begun()
    stores = tuple(Store(Files(tracker.files)) for _ in range(count))
    audit = Audit(stores[0], stores, (), ())
    assert len({audit.side(number) for number in range(count)}) == count
