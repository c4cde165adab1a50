from __future__ import annotations

import time

import pytest
from memory_stores import GONE, A, B, C, D, E, check, issue, opened, path, problems, store_of, v1

from jit_hooks.checks.dependency import dependency_cycle, dependency_redundant
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Entry

Case = dict[str, object]
Expected = list[tuple[str, str]]

CHAIN = store_of(issue(A, B), issue(B, C), v1(C))


def deleted(paths: Case, issue_id: str) -> Case:
    rest = {name: content for name, content in paths.items() if name != path(issue_id)}
    index = paths["index.json"]
    assert isinstance(index, dict)
    alive = [other for other in index["all_ids"] if other != issue_id]
    return {**rest, "index.json": {**index, "all_ids": alive, "deleted_ids": [issue_id]}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CHAIN, CHAIN, [], id="all-there"),
        pytest.param(CHAIN, store_of(issue(A, GONE), issue(B, C), v1(C)), [(path(A), GONE)], id="random"),
        pytest.param(CHAIN, store_of(issue(A, GONE, GONE), issue(B, C), v1(C)), [(path(A), GONE)], id="told-once"),
        pytest.param(CHAIN, deleted(CHAIN, C), [(path(B), C)], id="deleted-under-an-issue-not-written"),
        pytest.param(CHAIN, store_of(issue(A, "../x"), issue(B, C), v1(C)), [(path(A), "../x")], id="no-name"),
        pytest.param(CHAIN, {**CHAIN, path(C): b"{"}, [], id="there-and-does-not-load"),
        pytest.param(CHAIN, {**CHAIN, path(C): Entry("link")}, [], id="there-as-a-link"),
        pytest.param(CHAIN, {**CHAIN, path(A): issue(A, GONE, labels=...)}, [], id="dependent-does-not-load"),
    ],
)
def test_dependency_missing(before: Case, after: Case, expected: Expected) -> None:
    check("dependency-missing", before, after, *expected)


def test_dependency_missing_tells_deleted_from_never_staged() -> None:
    [was_deleted] = problems("dependency-missing", deleted(CHAIN, C), CHAIN)
    assert "which was deleted" in was_deleted.message
    assert was_deleted.remedy == "jit dep rm {id} {subject}"
    assert was_deleted.related == (path(C), "index.json")
    [never] = problems("dependency-missing", store_of(issue(A, GONE)))
    assert "never been in this store" in never.message
    lost = {name: content for name, content in CHAIN.items() if name != path(C)}
    [listed] = problems("dependency-missing", lost)
    assert "the issue index lists" in listed.message
    [gone] = problems("dependency-missing", lost, CHAIN)
    assert 'cccccccc "Title of c"' in gone.message


RING = store_of(issue(A, B), issue(B, C), v1(C, A))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CHAIN, RING, [(path(A), f"{A} {B} {C}")], id="closed-by-one-edge"),
        pytest.param(CHAIN, store_of(issue(A, B), issue(B, C), v1(C, C)), [(path(C), C)], id="self-edge"),
        pytest.param(CHAIN, store_of(issue(A, B), issue(B, A, C), v1(C)), [(path(A), f"{A} {B}")], id="pair"),
        pytest.param(
            CHAIN,
            store_of(issue(A, B), issue(B, A, C), v1(C, B)),
            [(path(A), f"{A} {B}")],
            id="two-circles-through-one-issue-are-one-problem",
        ),
        pytest.param(
            CHAIN,
            store_of(issue(A, B), issue(B, A), v1(C, D), issue(D, C)),
            [(path(A), f"{A} {B}"), (path(C), f"{C} {D}")],
            id="apart",
        ),
        pytest.param(
            RING,
            store_of(issue(A, B, D), issue(B, C), v1(C, A), v1(D)),
            [(path(A), f"{A} {B} {C}")],
            id="carried",
        ),
        pytest.param(CHAIN, store_of(issue(A, B), issue(B, C), v1(C), v1(D, A)), [], id="new-issue-on-top"),
        pytest.param(
            CHAIN,
            store_of(issue(A, B), issue(B, C), v1(C, D), v1(D, A)),
            [(path(A), f"{A} {B} {C} {D}")],
            id="through-a-new-issue",
        ),
        pytest.param({}, RING, [(path(A), f"{A} {B} {C}")], id="first-commit"),
        pytest.param(
            deleted(store_of(issue(A, B), issue(B, C), v1(C, A)), C),
            RING,
            [(path(A), f"{A} {B} {C}")],
            id="brought-back",
        ),
        pytest.param({**RING, path(C): b"{"}, RING, [(path(A), f"{A} {B} {C}")], id="loads-again"),
        pytest.param(CHAIN, {**RING, path(C): v1(C, A, labels=...)}, [], id="does-not-load"),
    ],
)
def test_dependency_cycle(before: Case, after: Case, expected: Expected) -> None:
    check("dependency-cycle", before, after, *expected)


def test_dependency_cycle_shows_the_path_with_titles() -> None:
    [found] = problems("dependency-cycle", RING)
    assert found.message.endswith('aaaaaaaa "Title of a" -> bbbbbbbb "Title of b" -> cccccccc "Title of c" -> aaaaaaaa')
    assert found.pointer == "/dependencies/0"


@pytest.mark.parametrize("full", [True, False])
def test_dependency_cycle_is_closed_by_an_issue_that_was_missing(full: bool) -> None:
    dangling = {path(A): v1(A, D)}
    store = opened({**dangling, path(D): v1(D, A)})
    focus = Focus([path(D)], everything=full, parents=(opened(dangling),))
    assert [found.code for found in dependency_cycle(store, focus)] == ["dependency-cycle"]


def long_ring(length: int) -> Case:
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(length)]
    return store_of(*(issue(one, other) for one, other in zip(ids, [*ids[1:], ids[0]], strict=True)))


def test_a_long_circle_is_named_by_a_digest_and_shown_in_part() -> None:
    [found] = problems("dependency-cycle", long_ring(3000))
    assert len(found.subject) == 64
    assert "2993 more" in found.message


def test_dependency_redundant_is_not_quadratic_on_a_long_chain_with_shortcuts() -> None:
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(4000)]
    chain = [issue(ids[0]), issue(ids[1], ids[0])]
    chain += [issue(ids[at], ids[at - 1], ids[0]) for at in range(2, len(ids))]
    store = opened(store_of(*chain))
    assert sum(1 for _ in store.issues()) == len(ids)
    start = time.process_time()
    found = list(dependency_redundant(store, Focus(everything=True)))
    assert len(found) == len(ids) - 2
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(store_of(issue(A, B, C), v1(B), v1(C)), [], id="once"),
        pytest.param(store_of(issue(A, B, B, B), v1(B)), [(path(A), B)], id="three-times-is-one"),
        pytest.param(store_of(issue(A, B, B, labels=...), v1(B)), [], id="does-not-load"),
    ],
)
def test_dependency_duplicate(after: Case, expected: Expected) -> None:
    check("dependency-duplicate", CHAIN, after, *expected)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CHAIN, CHAIN, [], id="chain"),
        pytest.param(CHAIN, store_of(issue(A, B, C), issue(B, C), v1(C)), [(path(A), C)], id="own-edge"),
        pytest.param(
            store_of(issue(A, B, C), issue(B), v1(C)),
            store_of(issue(A, B, C), issue(B, C), v1(C)),
            [(path(A), C)],
            id="made-so-by-an-edge-below",
        ),
        pytest.param(
            store_of(issue(A, B, D), issue(B, C), issue(C), v1(D)),
            store_of(issue(A, B, D), issue(B, C), issue(C, D), v1(D)),
            [(path(A), D)],
            id="made-so-two-below",
        ),
        pytest.param(CHAIN, store_of(issue(A, B, B), issue(B, C), v1(C)), [], id="a-duplicate-is-not-implied"),
        pytest.param(CHAIN, store_of(issue(A, B, C), issue(B, C), v1(C, B)), [], id="a-circle-below"),
        pytest.param(
            store_of(issue(A, B, C), issue(B, C), v1(C, B)),
            store_of(issue(A, B, C), issue(B, C), v1(C)),
            [(path(A), C)],
            id="shown-when-the-circle-goes",
        ),
        pytest.param(
            CHAIN,
            store_of(issue(A, B, C), issue(B, C), v1(C), v1(D, E), v1(E, D)),
            [(path(A), C)],
            id="a-circle-elsewhere",
        ),
        pytest.param(CHAIN, {**CHAIN, path(A): issue(A, B, C), path(B): b"{"}, [], id="between-does-not-load"),
    ],
)
def test_dependency_redundant(before: Case, after: Case, expected: Expected) -> None:
    check("dependency-redundant", before, after, *expected)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(CHAIN, CHAIN, [], id="chain"),
        pytest.param(CHAIN, store_of(issue(A, B), issue(B), v1(C)), [(path(C), "")], id="lost-its-only-edge"),
        pytest.param(CHAIN, store_of(issue(A, B), issue(B, C), v1(C), v1(D)), [(path(D), "")], id="new"),
        pytest.param(store_of(v1(A)), store_of(v1(A)), [], id="the-only-issue"),
        pytest.param(store_of(v1(A)), store_of(v1(A), v1(B)), [(path(A), ""), (path(B), "")], id="no-longer-the-only"),
        pytest.param(CHAIN, deleted(deleted(CHAIN, A), B), [], id="the-only-one-left"),
        pytest.param(
            store_of(v1(A, B), v1(B), v1(C, B), v1(D, C)),
            store_of(v1(A), v1(B), v1(C, B), v1(D, C)),
            [(path(A), "")],
            id="dropped-its-edge",
        ),
        pytest.param(CHAIN, {**CHAIN, path(B): b"{"}, [], id="who-names-it-does-not-load"),
        pytest.param(
            {**store_of(issue(A, B), v1(B), v1(C), issue(D, B)), path(D): b"{"},
            store_of(issue(A, B), v1(B), v1(C), issue(D, B)),
            [(path(C), "")],
            id="known-once-all-load",
        ),
    ],
)
def test_issue_isolated(before: Case, after: Case, expected: Expected) -> None:
    check("issue-isolated", before, after, *expected)
