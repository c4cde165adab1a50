"""Every damage of the catalogue, from every source that can show it: exactly its code, and only its check sees it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from proofs import over
from scenes import FURTHEST, Gallery, damages_of, memory_snapshot, shown_by, tree_of

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.errors import NotSettledError
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.hooks.bodies import HOOK_CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.judging.judge import judge
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store
from jit_hooks.testing.damage import DAMAGES, Damage, damaged, healthy_scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jit_hooks.checks import Check
    from jit_hooks.problem import Problem
    from jit_hooks.testing.damage import Scene
    from jit_hooks.testing.tracker import Era

ERAS: tuple[Era, ...] = ("june", "v1")
PAIRS: list[tuple[Era, Damage]] = [(era, damage) for era in ERAS for damage in damages_of(era, BY_CODE)]
CASES = [pytest.param(era, damage, id=f"{era}-{damage.name}") for era, damage in PAIRS if shown_by(damage, "memory")]


def in_memory(scene: Scene, checks: tuple[Check, ...] = CHECKS, *, everything: bool) -> list[Problem]:
    """What checks find in a scene that its first parent does not have."""
    now = memory_snapshot(scene)
    pinned = {"HEAD": scene.parent_outside}
    parents = tuple(Store(Files(files, documents=scene.parent_outside, at_commits=pinned)) for files in scene.parents)
    paths = {
        path
        for files in scene.parents
        for path in {*files, *now.entries()}
        if files.get(path) != now.read(path) or (path in files) != (now.entry(path) is not None)
    }
    bases = tuple(Store(Files(files, documents=scene.parent_outside, at_commits=pinned)) for files in scene.bases)
    focus = Focus(paths, everything=everything, parents=parents, bases=bases)
    found = find_problems(Store(now), focus, checks).problems
    before = find_problems(parents[0], Focus(everything=True), [c for c in checks if c.needs != "parents"]).problems
    known = {problem.identity for problem in before}
    return [problem for problem in found if problem.identity not in known]


def explain(problems: Sequence[Problem]) -> list[tuple[str, str, str]]:
    """Problems in a form that reads well in a failure."""
    return [(problem.code, problem.path, problem.message) for problem in problems]


def assert_exactly(damage: Damage, problems: Sequence[Problem]) -> None:
    """The damage's code is there, and nothing that the catalogue does not name."""
    codes = {problem.code for problem in problems}
    assert damage.code in codes, explain(problems)
    assert codes <= {damage.code, *damage.also}, explain(problems)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("everything", [True, False])
def test_a_healthy_store_has_no_problem(era: Era, everything: bool) -> None:
    assert explain(in_memory(healthy_scene(era), everything=everything)) == []


@pytest.mark.parametrize(("era", "damage"), CASES)
@pytest.mark.parametrize("everything", [True, False], ids=["full", "focus"])
def test_a_damage_raises_exactly_its_code(era: Era, damage: Damage, everything: bool) -> None:
    assert_exactly(damage, in_memory(damaged(damage, era), everything=everything))


@pytest.mark.parametrize(("era", "damage"), CASES)
def test_only_its_own_check_sees_a_damage(era: Era, damage: Damage) -> None:
    others = tuple(check for check in CHECKS if check.code != damage.code)
    codes = {problem.code for problem in in_memory(damaged(damage, era), others, everything=True)}
    assert codes <= set(damage.also)


def test_every_code_has_a_damage() -> None:
    assert {damage.code for damage in DAMAGES} >= set(BY_CODE)


@pytest.fixture(scope="module")
def galleries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gallery]:
    """One repository an era, with a commit for every damage."""
    return {era: Gallery(tmp_path_factory.mktemp(f"gallery-{era}"), era, damages_of(era, BY_CODE)) for era in ERAS}


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Variables for git that are taken out again."""
    before = dict(os.environ)
    yield {}
    os.environ.clear()
    os.environ.update(before)


SOURCES = [
    pytest.param(source, era, damage, id=f"{source}-{era}-{damage.name}")
    for source in ("commit", "git-index", "worktree")
    for era, damage in PAIRS
    if shown_by(damage, source)
]


UNSETTLED = ("transaction-pending", "transaction-stuck")
"""Codes with which nothing else is judged."""


@over("source, era, damage", SOURCES, few=60)
def test_every_source_shows_it(
    galleries: dict[str, Gallery],
    environment: dict[str, str],
    tmp_path: Path,
    source: str,
    era: Era,
    damage: Damage,
) -> None:
    request = galleries[era].request(damage.name, source, tmp_path, environment)
    if damage.code in UNSETTLED:
        with pytest.raises(NotSettledError) as caught:
            judge(request)
        assert caught.value.code == damage.code
        return
    report = judge(request)
    assert_exactly(damage, [problem for problem in report.problems if problem.severity != "off"])
    assert request.repository is not None
    request.repository.close()


@over(
    "era, damage",
    [pytest.param(era, damage, id=f"{era}-{damage.name}") for era, damage in PAIRS if shown_by(damage, "git-index")],
    few=60,
)
def test_the_hook_refuses_what_a_full_check_does(
    galleries: dict[str, Gallery], environment: dict[str, str], tmp_path: Path, era: Era, damage: Damage
) -> None:
    """Asked in the other order: what the hook is told of the git index it must not owe to a listing made before."""
    request = replace(galleries[era].request(damage.name, "git-index", tmp_path, environment), root="")
    by_hook = judge(replace(request, everything=False, checks=HOOK_CHECKS))
    assert request.repository is not None
    request.repository.close()
    whole = judge(replace(request, repository=Repository(Git(str(tmp_path)))))
    blocking = [problem for problem in whole.errors if BY_CODE[problem.code].hook]
    assert explain(by_hook.errors) == explain(blocking)


@pytest.mark.parametrize(
    ("era", "damage"),
    [
        pytest.param(era, damage, id=f"{era}-{damage.name}")
        for era, damage in PAIRS
        if damage.needs in FURTHEST and damage.code not in UNSETTLED
    ],
)
def test_only_its_own_check_sees_what_lies_on_a_machine(
    galleries: dict[str, Gallery], environment: dict[str, str], tmp_path: Path, era: Era, damage: Damage
) -> None:
    request = galleries[era].request(damage.name, "worktree", tmp_path, environment)
    others = tuple(check for check in CHECKS if check.code != damage.code)
    report = judge(replace(request, checks=others))
    assert explain(report.problems + report.carried) == []
    assert request.repository is not None
    request.repository.close()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("source", ["commit", "git-index", "worktree"])
def test_every_source_is_clean_when_the_store_is(
    galleries: dict[str, Gallery], environment: dict[str, str], tmp_path: Path, source: str, era: Era
) -> None:
    report = judge(galleries[era].request("healthy", source, tmp_path, environment))
    assert explain(report.problems + report.carried) == []
    assert report.verdict == "healthy"


def test_a_tree_holds_what_the_scene_says() -> None:
    scene = healthy_scene("june")
    assert tree_of(scene.files, scene.outside)[".jit/index.json"] == ("100644", scene.files["index.json"])
