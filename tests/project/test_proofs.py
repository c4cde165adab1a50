"""The long proofs: what a run makes of them, and that none makes nothing."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import proofs
import pytest
from project import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = list(range(100))
ASKING = ("part", "drawn_from", "how_many")
MARKING = ("proof", "over", "examples")


@pytest.fixture(autouse=True)
def own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs.Run, "amount", "some")
    monkeypatch.setattr(proofs.Run, "seed", "a")


def test_some_are_spread_and_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proofs.part(CASES, 4, of="x") == [0, 25, 50, 75]
    assert list(proofs.drawn_from(CASES, 25, of="x")) == [0, 25, 50, 75]
    monkeypatch.setattr(proofs.Run, "seed", "b")
    assert proofs.part(CASES, 4, of="y") == [0, 25, 50, 75]


def test_a_share_is_drawn_by_the_seed_and_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs.Run, "amount", "share")
    share = proofs.part(CASES, 4, of="x", one_in=4)
    assert len(share) == 25
    assert share == sorted(set(share))
    assert share == proofs.part(CASES, 4, of="x", one_in=4)
    assert share != proofs.part(CASES, 4, of="y", one_in=4)
    assert 10 < len(list(proofs.drawn_from(CASES, 25, of="x", one_in=4))) < 40
    monkeypatch.setattr(proofs.Run, "seed", "b")
    assert share != proofs.part(CASES, 4, of="x", one_in=4)


def test_all_are_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs.Run, "amount", "all")
    assert proofs.part(CASES, 4, of="x") == CASES == list(proofs.drawn_from(CASES, 25, of="x"))


@pytest.mark.parametrize("amount", ["some", "share", "all"])
@pytest.mark.parametrize("cases", [[1], [1, 2], CASES])
def test_no_proof_makes_nothing(amount: str, cases: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs.Run, "amount", amount)
    assert proofs.part(cases, 1, of="x")


def asking(path: Path) -> Iterator[tuple[str, bool]]:
    """The tests of a module that make a part of their cases, and whether each is marked as a proof."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            marks = {each.id for mark in node.decorator_list for each in ast.walk(mark) if isinstance(each, ast.Name)}
            if names & {*ASKING, *MARKING}:
                yield node.name, not marks.isdisjoint(MARKING)


def test_what_makes_a_part_is_a_proof() -> None:
    found = [
        (path.name, *each)
        for path in sorted(TESTS.rglob("test_*.py"))
        if "from proofs import" in path.read_text(encoding="utf-8")
        for each in asking(path)
    ]
    assert [each for each in found if not each[2]] == []
