"""Every damage raises its own code and no other, in a full check and from what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Files
from jit_hooks.store.store import Store
from jit_hooks.testing.damage import DAMAGES, Damage, Scene, damaged, healthy_scene

if TYPE_CHECKING:
    from jit_hooks.testing.tracker import Era

FAMILIES = frozenset(
    ("issue", "dependency", "gate", "workflow", "label", "document", "config", "file", "index", "event", "run")
)
ROWS = [row for row in CHECKS if row.family in FAMILIES]


class Repository(Files):
    """The files of a scene; a document named at a commit is there when a parent's tree holds it."""

    def __init__(self, files: dict[str, bytes], outside: dict[str, bytes], committed: dict[str, bytes]) -> None:
        super().__init__(files, documents=outside)
        self.committed = committed

    def has_document(self, path: str, commit: str | None) -> bool | None:
        if commit is None:
            return super().has_document(path, None)
        return path in self.committed and commit.isalnum()


def codes(scene: Scene, *, full: bool) -> set[str]:
    before = scene.parents[0]
    changed = [name for name in scene.files.keys() | before.keys() if scene.files.get(name) != before.get(name)]
    parents = tuple(Store(Repository(files, scene.parent_outside, scene.parent_outside)) for files in scene.parents)
    store = Store(Repository(scene.files, scene.outside, scene.parent_outside))
    focus = Focus(changed, everything=full, parents=parents)
    return {problem.code for problem in find_problems(store, focus, ROWS).problems}


@pytest.mark.parametrize("era", ["june", "v1"])
@pytest.mark.parametrize("full", [True, False])
def test_a_healthy_store_has_no_problem(era: Era, full: bool) -> None:
    assert codes(healthy_scene(era), full=full) == set()


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("damage", "era"),
    [
        pytest.param(damage, era, id=f"{damage.name}-{era}")
        for damage in DAMAGES
        if damage.needs in ("record", "relation", "parents") and "on disk only" not in damage.note
        for era in damage.eras
    ],
)
def test_a_damage_raises_its_code_and_no_other(damage: Damage, era: Era, full: bool) -> None:
    found = codes(damaged(damage, era), full=full)
    row = BY_CODE.get(damage.code)
    if row in ROWS:
        assert damage.code in found
    assert found <= {damage.code, *damage.also}
