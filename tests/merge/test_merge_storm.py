"""A small merge storm: branches of real tracker work, merged one after the other in any order."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from audits import audit
from merge_storm import Content, is_true_conflict, storm
from proofs import over

from jit_hooks.merge.atoms import atoms
from jit_hooks.merge.conflict import read_conflict
from jit_hooks.merge.merging import KINDS, MERGED, OPEN, merge
from jit_hooks.merge.values import read_values
from jit_hooks.store import layout
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from jit_hooks.testing.tracker import Era

BRANCHES = 6


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
@over("seed", range(12), few=2)
def test_nothing_is_lost_in_a_storm(seed: int, era: Era) -> None:
    base, sides = storm(seed, era, BRANCHES, apart=False)
    ours = sides[0]
    for theirs in sides[1:]:
        result, asked = united(base, ours, theirs)
        for path in asked:
            assert is_true_conflict(path, base.get(path), ours.get(path), theirs.get(path)), path
        assert_nothing_lost(result, ours, theirs, base, asked)
        ours = result


def test_what_counts_as_a_true_conflict() -> None:
    base = b'{"state": "ready", "title": "a", "labels": ["type:task"], "updated_at": "1", "gates_required": []}'
    path = "issues/00000001-0000-4000-8000-000000000001.json"

    def changed(*pairs: tuple[bytes, bytes]) -> bytes:
        data = base
        for old, new in pairs:
            data = data.replace(old, new)
        return data

    title, other = (b'"a"', b'"b"'), (b'"a"', b'"c"')
    saved, done, gate = (b'"1"', b'"2"'), (b'"ready"', b'"done"'), (b"[]", b'["tests"]')
    rows = [
        ([title, saved], [saved], False),
        ([title], [title], False),
        ([title], [other], True),
        ([title], [(b"task", b"bug")], False),
        ([(b"task", b"epic")], [(b"task", b"bug")], True),
        ([done], [gate], True),
        ([done], [title], False),
    ]
    for ours, theirs, expected in rows:
        assert is_true_conflict(path, base, changed(*ours), changed(*theirs)) is expected, (ours, theirs)
        assert is_true_conflict(path, base, changed(*theirs), changed(*ours)) is expected, (ours, theirs)
    assert is_true_conflict(path, base, None, changed(title))
    assert not is_true_conflict("index.json", base, changed(title), changed(other))


@pytest.mark.parametrize("era", ["june", "v1"])
@over("seed, branches", [*((seed, BRANCHES) for seed in range(6)), (6, 8), (7, 32)], few=2)
def test_work_on_issues_of_ones_own_unites_without_a_question_in_any_order(seed: int, branches: int, era: Era) -> None:
    base, sides = storm(seed, era, branches, apart=True)
    results = []
    for order in (sides, sides[::-1], random.Random(seed).sample(sides, len(sides))):
        ours = order[0]
        for theirs in order[1:]:
            ours, asked = united(base, ours, theirs)
            assert asked == set()
        results.append(ours)
    for side in sides:
        assert set(side[layout.LOG].splitlines()) <= set(results[0][layout.LOG].splitlines())
        for path in side.keys() - base.keys():
            assert path in results[0]
    assert taken_apart(results[0]) == taken_apart(results[1]) == taken_apart(results[2])
    for path in results[0]:
        assert results[0][path] == results[1][path] == results[2][path], path
