"""Every damage that a repair mends, mended in memory: gone or left with a reason, nothing lost, nothing new, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from damage_repairs import mended, snapshot_of
from drafts import drafted
from proofs import over

from jit_hooks.checks import BY_CODE as CHECK_OF
from jit_hooks.checks import CHECKS
from jit_hooks.judging.rounds import Draft, Known
from jit_hooks.repairs import BY_CODE
from jit_hooks.repairs.context import Context
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import kind_of
from jit_hooks.store.snapshot import Files, Overlay, Snapshot
from jit_hooks.store.store import Store
from jit_hooks.testing.damage import DAMAGES, Damage, damaged, healthy_scene

if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.testing.damage import Scene
    from jit_hooks.testing.tracker import Era

ERAS: tuple[Era, ...] = ("june", "v1")
CASES = [
    pytest.param(damage, era, id=f"{era}-{damage.name}")
    for damage in DAMAGES
    for era in ERAS
    if era in damage.eras and damage.code in BY_CODE
]
WORD = re.compile(r"[\w.:+-]{2,}")


def text_of(snapshot: Snapshot) -> str:
    """All that can be read in a store; bytes that no text holds are spaces."""
    texts = []
    for path in (*snapshot.entries(), *(snapshot.control_entries() or ())):
        data = snapshot.read(path)
        if type(data) is bytes and kind_of(path) not in ("temp", "lock", "transaction"):
            encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
            texts.append(data.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace"))
    return "\n".join(texts)


def words_of(text: str) -> set[str]:
    """The words of a text; one that a byte went out of is not readable."""
    return set(WORD.findall(re.sub(r"\w*\ufffd\w*", " ", text)))


def errors(mended: Draft) -> set[tuple[str, str, str]]:
    return {problem.identity for problem in mended.problems if CHECK_OF[problem.code].severity == "error"}


@over("damage, era", CASES, few=50)
def test_it_is_mended_or_left_with_a_reason(damage: Damage, era: Era) -> None:
    scene = damaged(damage, era)
    snapshot = snapshot_of(scene, damage)
    before, _ = mended_nothing(snapshot, scene)
    harmed = {problem.identity for problem in before.problems if problem.code == damage.code}
    assert harmed, "the scene does not show the damage"
    first, context = mended(snapshot, scene, unsafe=False)
    left = {problem.identity for problem in first.problems}
    for identity in harmed & left:
        assert context.left.get(identity), f"{identity} is neither mended nor left with a reason"
    assert errors(first) <= errors(before)
    after = text_of(Overlay(snapshot, first.changes))
    # Stale metadata says who held a lock, and the journal keeps it; a lost edit takes the place of what it changed.
    if damage.code not in ("lock-meta-stale", "merge-lost-edit"):
        assert [word for word in words_of(text_of(snapshot)) if word not in after] == []
    again, _ = mended(snapshot_of(damaged(damage, era), damage), scene, unsafe=False)
    assert again.changes == first.changes, "other bytes when repeated"
    second, _ = mended(Overlay(snapshot, first.changes), scene, unsafe=False)
    assert second.changes == {}
    assert identities(second.first[1]) == identities(first.problems), (
        "rounds that judge a part find what judging all does"
    )


@over("damage, era", CASES, few=50)
def test_what_is_known_of_a_store_before_changes_no_repair(damage: Damage, era: Era) -> None:
    """A plan that is made again takes what did not change meanwhile from the one before."""
    scene = damaged(damage, era)
    snapshot, healthy = snapshot_of(scene, damage), snapshot_of(healthy_scene(era), damage)
    before, _ = mended(healthy, scene, unsafe=False)
    paths = {*names_in(snapshot), *names_in(healthy)}
    unlike = {path for path in paths if snapshot.read(path) != healthy.read(path)}
    unlike |= {path for path in paths if snapshot.entries().get(path) != healthy.entries().get(path)}
    fresh, said = mended(snapshot, scene, unsafe=False)
    known, said_again = mended(snapshot, scene, unsafe=False, known=Known(*before.first, unlike))
    assert known.changes == fresh.changes
    assert identities(known.problems) == identities(fresh.problems)
    assert said_again.left == said.left


def names_in(snapshot: Snapshot) -> set[str]:
    return {*snapshot.entries(), *(snapshot.control_entries() or ())}


def identities(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return sorted(problem.identity for problem in problems)


@over("damage, era", CASES, few=50)
def test_unsafe_fixes_end_and_add_no_error(damage: Damage, era: Era) -> None:
    scene = damaged(damage, era)
    snapshot = snapshot_of(scene, damage)
    before, _ = mended_nothing(snapshot, scene)
    harmed = {problem.identity for problem in before.problems if problem.code == damage.code}
    first, context = mended(snapshot, scene, unsafe=True)
    for identity in harmed & {problem.identity for problem in first.problems}:
        assert context.left.get(identity)
    assert errors(first) <= errors(before)
    second, _ = mended(Overlay(snapshot, first.changes), scene, unsafe=True)
    assert second.changes == {}
    if BY_CODE[damage.code].unsafe:
        safe, _ = mended(snapshot, scene, unsafe=False)
        assert safe.changes == {}
        assert first.changes or harmed <= context.left.keys()


def mended_nothing(snapshot: Snapshot, scene: Scene) -> tuple[Draft, Context]:
    """What judging finds before any repair."""
    pinned = {"HEAD": scene.parent_outside}
    parents, bases = (
        tuple(Store(Files(files, documents=scene.parent_outside, at_commits=pinned)) for files in stores)
        for stores in (scene.parents, scene.bases)
    )
    there = snapshot.entries()
    paths = {path for files in scene.parents for path in {*files, *there} if files.get(path) != snapshot.read(path)}
    context = Context(parents=parents, bases=bases, accepted=Accepted())
    focus = Focus(paths, everything=True, parents=parents, bases=bases)
    return drafted(snapshot, focus, CHECKS, context, lambda _: False), context
