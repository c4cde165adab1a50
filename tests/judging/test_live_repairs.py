"""Repairs beside eight live writers: what is hurt comes back, and nobody's work is touched."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from live_stores import told_by, writers
from live_writers import OWN, digest_of, locked
from proofs import Count, how_many, proof

from jit_hooks.errors import BusyError, StaleError
from jit_hooks.judging.judge import judge
from jit_hooks.judging.mending import mend
from jit_hooks.testing.stores import mixed_tracker
from jit_hooks.testing.tracker import temp_path

if TYPE_CHECKING:
    from jit_hooks.judging.request import Request

REPAIRS = 30
KINDS = ("torn line", "cut", "gone", "temp")
MOST_TRIES = 20
"""Of one repair, before it counts as starved."""
FRAGMENT = b'{"type":"issue_updated","id":"%d'


def hurt(store: Path, path: str, kind: str, number: int) -> None:
    """Do to a record that no writer owns, or to the log, what a process that is killed does."""
    if kind == "cut":
        (store / path).write_bytes((store / path).read_bytes()[:-30])
    elif kind == "gone":
        (store / path).unlink()
    elif kind == "temp":
        (store / temp_path(path, 99_999_999)).write_bytes(b"{")
    else:
        with locked(store / ".events.lock"), (store / "events.jsonl").open("ab") as log:
            log.write(FRAGMENT % number)


def mended(request: Request, answers: Counter[str]) -> None:
    """Repair, as somebody would who tries again when told that the store is busy."""
    for _ in range(MOST_TRIES):
        try:
            report = mend(replace(request, now=datetime.now(UTC).isoformat()), command="test")
        except (BusyError, StaleError) as error:
            answers[type(error).__name__] += 1
            continue
        answers[report.verdict] += 1
        assert told_by(report) == []
        return
    raise AssertionError(answers)


@proof
def test_repairs_beside_live_writers_lose_no_work_and_are_not_starved(
    live_request: Request, live_seed: int, count: Count
) -> None:
    store = Path(live_request.root)
    free = sorted(path for path in mixed_tracker(0).files if path.startswith(OWN) and path.endswith(".json"))
    before = {path: (store / path).read_bytes() for path in free}
    honest = {json.loads(line)["id"] for line in (store / "events.jsonl").read_bytes().splitlines()}
    rng, answers = random.Random(live_seed), Counter[str]()
    request = replace(live_request, wait=5.0)
    repairs = how_many(REPAIRS, few=6, one_in=1)
    with writers(store.parent, seed=live_seed) as done:
        for number in range(repairs):
            hurt(store, rng.choice(free), KINDS[number % len(KINDS)], number)
            mended(request, answers)
    assert min(done) > 0
    mended(request, answers)
    assert {path: (store / path).read_bytes() for path in free} == before
    count("repairs beside live writers", repairs)
    assert answers["healthy"] == repairs + 1, answers
    left = [json.loads(path.read_text()) for path in store.parent.glob("writer-*.json")]
    assert len(left) == len(done)
    for path, digest in {path: digest for one in left for path, digest in one["records"].items()}.items():
        assert digest_of((store / path).read_bytes()) == digest, path
    events = Counter(json.loads(line)["id"] for line in (store / "events.jsonl").read_bytes().splitlines())
    assert [event for one in left for event in one["events"] if events[event] != 1] == []
    assert events.keys() == honest.union(*(one["events"] for one in left)), "an event that nobody wrote"
    torn = (store / "events.jsonl.bak").read_bytes()
    assert torn.count(FRAGMENT[:30]) == len(torn.splitlines()) > 0
    assert judge(request).verdict == "healthy"
    assert not (store / "tmp").exists()
