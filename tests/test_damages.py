"""Every damage of the catalogue, from every source that can show it: exactly its code, and only its check sees it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from scenes import Gallery, damages_of, memory_snapshot, shown_by, tree_of

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.checks.judge import find_problems
from jit_hooks.errors import NotSettledError
from jit_hooks.line import judge
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store
from jit_hooks.testing.damage import DAMAGES, Damage, damaged, healthy_scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jit_hooks.checks import Check
    from jit_hooks.problem import Problem
    from jit_hooks.testing.damage import Scene
    from jit_hooks.testing.tracker import Era

ERAS: tuple[Era, ...] = ("june", "v1")
PAIRS: list[tuple[Era, Damage]] = [(era, damage) for era in ERAS for damage in damages_of(era, BY_CODE)]
CASES = [pytest.param(era, damage, id=f"{era}-{damage.name}") for era, damage in PAIRS if shown_by(damage, "memory")]


@pytest.mark.parametrize(("source", "era", "damage"), SOURCES)
def test_every_source_shows_it(
    galleries: dict[str, Gallery],
    environment: dict[str, str],
    tmp_path: Path,
    source: str,
    era: Era,
    damage: Damage,
) -> None:
    request = galleries[era].request(damage.name, source, tmp_path, environment)
    if damage.code == "transaction-pending":
        with pytest.raises(NotSettledError):
            judge(request)
        return
    report = judge(request)
    assert_exactly(damage, [problem for problem in report.problems if problem.severity != "off"])
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
