"""What the program says of every damage is what it said before: reports, refusals and plans, to the byte."""

from __future__ import annotations

import difflib

import pytest
from golden_cases import GOLDEN, NAMES, entries, read, told_elsewhere
from proofs import part, proof


@proof
@pytest.mark.parametrize("name", NAMES)
def test_every_damage_is_told_as_before(name: str) -> None:
    """In a short run each source shows some of what others show, too, and all that it alone shows."""
    both = sorted(told_elsewhere(name))
    left_out = set(both) - set(part(both, few=40, of=name, one_in=1)) if both else set()
    made, golden = entries(name, left_out), {each: told for each, told in read(name).items() if each not in left_out}
    wrong = [
        "\n".join([f"{damage}:", *difflib.unified_diff(old, new, "golden", "now", lineterm="", n=1)])
        for damage in dict.fromkeys((*golden, *made))
        if (old := golden.get(damage, "").rstrip().splitlines()) != (new := made.get(damage, "").rstrip().splitlines())
    ]
    assert not wrong, "\n".join([*wrong[:5], f"{len(wrong)} differ; meant? `make golden` writes them anew"])


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(NAMES)
