"""How much of each long proof a run makes: some of its cases, a share of them, or all.

A proof holds in many cases alike: at every call that can fail, for every disk that a power loss can leave, for every
seed. `make test` makes some of each, always the same ones; `make proofs` makes a share, which the commit draws, so that
each commit tries others; `make proofs PROOFS=all` makes all. A plugin of pytest.
"""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, seed, settings
from project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
Case = TypeVar("Case")
Test = TypeVar("Test", bound=Callable[..., None])
Count = Callable[[str, int], None]
Amount = Literal["some", "share", "all"]

SHARE = 2
"""Of so many cases a share has one, unless a proof says otherwise."""

COUNTED = "counted"
"""The property of a test under which it counts."""

proof = pytest.mark.proof


class Run:
    """What this run of pytest is to make.

    Attributes:
        amount: how much of each proof.
        seed: draws the share; the id of the commit.
    """

    amount: Amount = "some"
    seed = ""


def part(cases: Iterable[Case], few: int, *, of: str, one_in: int = SHARE) -> list[Case]:
    """The cases of a proof that this run makes, in their order: at least one; few of them, spread evenly, in `some`."""
    every = list(cases)
    count = how_many(len(every), few, one_in)
    if count == len(every):
        return every
    if Run.amount == "some":
        return [every[number * len(every) // count] for number in range(count)]
    return [every[at] for at in sorted(draws(of).sample(range(len(every)), count))]


def drawn_from(cases: Iterable[Case], one_of: int, *, of: str, one_in: int = SHARE) -> Iterator[Case]:
    """As `part`, of cases that are too many to be held at once: in `some` one of so many."""
    step = {"some": one_of, "share": one_in, "all": 1}[Run.amount]
    drawing = draws(of)
    for number, case in enumerate(cases):
        if step == 1 or (number % step == 0 if Run.amount == "some" else drawing.random() * step < 1):
            yield case


def how_many(most: int, few: int, one_in: int = SHARE) -> int:
    """The number of cases that this run makes of so many."""
    return min(most, {"some": few, "share": max(few, -(-most // one_in)), "all": most}[Run.amount])


def draws(of: str) -> random.Random:
    """What draws the share of one proof."""
    return random.Random(f"{Run.seed} {of}")


def over(names: str, cases: Iterable[object], few: int, *, one_in: int = SHARE) -> Callable[[Test], Test]:
    """Parametrise a proof with the part of its cases that this run makes."""

    def decorate(test: Test) -> Test:
        marked: Test = proof(pytest.mark.parametrize(names, part(cases, few, of=test.__name__, one_in=one_in))(test))
        return marked

    return decorate


def examples(most: int, few: int, *, one_in: int = SHARE) -> Callable[[Test], Test]:
    """Make of a test of hypothesis a proof with so many examples; in a share the commit draws them."""

    def decorate(test: Test) -> Test:
        drawn = seed(draws(test.__name__).getrandbits(64))(test) if Run.amount == "share" else test
        marked: Test = proof(settings(max_examples=how_many(most, few, one_in))(drawn))
        return marked

    return decorate


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("proofs")
    group.addoption("--proofs", choices=("some", "share", "all"), default="some", help="how much of each proof is made")
    group.addoption("--proofs-seed", help="what draws a share; else the id of the commit")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proof: holds in so many cases that `make test` tries only some of them")
    if config.option.proofs_seed is None:
        config.option.proofs_seed = commit()
    Run.amount, Run.seed = config.option.proofs, config.option.proofs_seed
    settings.register_profile(
        "ours",
        deadline=None,
        database=None,
        derandomize=Run.amount != "share",
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    settings.load_profile("ours")


def commit() -> str:
    """The short id of the commit; empty where there is no repository."""
    said = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Count:
    """Counts what a proof has made, for the last lines of the run."""

    def add(what: str, number: int) -> None:
        request.node.user_properties.append((COUNTED, (what, number)))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    amounts = {
        "some": "some cases of each",
        "share": f"a share of each, drawn by --proofs-seed={Run.seed}",
        "all": f"all, of {Run.seed}",
    }
    terminalreporter.write_line(f"proofs: {amounts[Run.amount]}")
    made = Counter[str]()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == COUNTED:
                made[value[0]] += value[1]
    for what, number in made.items():
        terminalreporter.write_line(f"{number:>10,} {what}")
