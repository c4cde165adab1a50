"""The catalogue is whole, deterministic, and each damage does something."""

import pytest

from jit_hooks.testing.damage import DAMAGES, Damage, damaged, healthy_scene
from jit_hooks.testing.tracker import Era

CASES = [pytest.param(damage, era, id=f"{damage.name}-{era}") for damage in DAMAGES for era in damage.eras]
PLACES = ("files", "outside", "tracked", "modes", "unmerged", "disk", "empty_dirs", "control")


def test_names_are_unique() -> None:
    names = [damage.name for damage in DAMAGES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("damage", "era"), CASES)
def test_a_damage_changes_the_scene_and_always_the_same_way(damage: Damage, era: Era) -> None:
    once, again, healthy = damaged(damage, era), damaged(damage, era), healthy_scene(era)
    assert once == again or {place: getattr(once, place) for place in PLACES} == {
        place: getattr(again, place) for place in PLACES
    }
    assert any(getattr(once, place) != getattr(healthy, place) for place in PLACES)
    assert damage.code not in damage.also


@pytest.mark.parametrize(("damage", "era"), CASES)
def test_a_damage_has_the_parents_its_kind_needs(damage: Damage, era: Era) -> None:
    scene = damaged(damage, era)
    assert len(scene.parents) == (2 if damage.needs == "merge" else 1)
    assert len(scene.bases) == (1 if damage.needs == "merge" else 0)
