"""Branches of the tracker's own work, as many as wanted, from a seed: what merge storms are made of."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from jit_hooks.store import layout
from jit_hooks.testing.tracker import RefusedError, Tracker

if TYPE_CHECKING:
    from jit_hooks.testing.tracker import Era

Content = dict[str, bytes]

STEPS = 9


def start(seed: int, era: Era, issues: int = 8) -> Tracker:
    """A store with some issues, a few of which depend on each other, and two gates."""
    tracker = Tracker(seed, era)
    tracker.init()
    tracker.gate_define("tests", "Tests", "The suite runs", command="run-tests")
    tracker.gate_define("review", "Review", "Somebody looked")
    ids = [tracker.create(f"Issue {number}", labels=["type:task"]) for number in range(issues)]
    for issue in ids[:3]:
        tracker.gate_add(issue, "tests", "review")
    tracker.dep_add(ids[0], ids[1])
    tracker.dep_add(ids[2], ids[3])
    return tracker


def work(tracker: Tracker, seed: int, mine: list[str], *, deletes: bool) -> None:
    """Commands one after the other on these issues, each as the tracker does it; what it refuses is not done."""
    rng = random.Random(seed)
    tracker.rng.seed(seed)
    for step in range(STEPS):
        issue, other = rng.choice(mine), rng.choice(mine)
        commands: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
            ("create", (f"New {seed} {step}",), {"labels": ["type:bug"]}),
            ("claim", (issue, f"agent:{seed}"), {}),
            ("set_state", (issue, rng.choice(("done", "gated", "rejected", "ready"))), {}),
            ("update", (issue,), {"description": f"Text {seed} {step}"}),
            ("update", (issue,), {"labels": ["type:task", f"epic:{seed}"]}),
            ("dep_add", (issue, other), {}),
            ("dep_remove", (issue, other), {}),
            ("gate_add", (issue, "tests"), {}),
            ("gate_pass", (issue, "review"), {}),
            ("gate_run", (issue, "tests"), {"exit_code": rng.randrange(2)}),
            ("document_add", (issue, f"docs/{seed}.md"), {}),
            ("release", (issue,), {}),
            ("member", (issue, f"x_{seed}"), {}),
            ("delete", (issue,), {}),
        ]
        name, arguments, named = rng.choice(commands if deletes else commands[:-1])
        try:
            if name == "member":
                _set_member(tracker, *arguments)
            else:
                tracker.do(name, *arguments, **named)
        except RefusedError:
            continue


def _set_member(tracker: Tracker, issue: Any, member: Any) -> None:
    """A member that no tracker of today knows, as one of tomorrow would write it."""
    path = layout.issue_path(issue)
    if path in tracker.files:
        tracker.update(issue, priority="high")
        document = json.loads(tracker.files[path]) | {member: {"kept": [1, 2.50, None]}}
        tracker.files[path] = json.dumps(document, indent=2, ensure_ascii=False).encode()


def storm(seed: int, era: Era, branches: int, *, apart: bool) -> tuple[Content, list[Content]]:
    """The base, and what each branch makes of it; ``apart``: on issues of its own, and without deleting any."""
    tracker = start(seed, era, max(8, branches + 2) if apart else 8)
    ids = tracker.ids()
    sides = []
    for number in range(branches):
        branch = tracker.fork()
        work(branch, 100 * seed + number, ids[number::branches] if apart else ids, deletes=not apart)
        sides.append(branch.files)
    return dict(tracker.files), sides


def is_true_conflict(path: str, base: bytes | None, ours: bytes | None, theirs: bytes | None) -> bool:
    """Whether a person is really needed, told without anything of the merge: a record was deleted on one side, or a
    value changed on both sides and to different ones, or one side finished an issue whose gates the other touched.

    Of logs, runs and the issue index a storm leaves nothing to decide.
    """
    if ours is None or theirs is None:
        return base is not None
    if layout.kind_of(path) != "issue":
        return False
    before, left, right = (_values(data) for data in (base, ours, theirs))
    at = {key for key in {*left, *right} if key != ("updated_at",)}
    twice = {key for key in at if before.get(key) != left.get(key) != right.get(key) != before.get(key)}
    finished = any(side.get(("state",)) == '"done"' != before.get(("state",)) for side in (left, right))
    gates = any(
        before.get(key) != side.get(key) for side in (left, right) for key in {*before, *side} if "gate" in key[0]
    )
    return bool(twice) or (finished and gates)


def _values(data: bytes | None) -> dict[tuple[str, ...], str]:
    """What an issue says, value by value: sets by element, labels by namespace, verdicts and documents whole."""
    found: dict[tuple[str, ...], str] = {}
    for name, value in (json.loads(data) if data else {}).items():
        if name == "labels":
            for namespace in {label.partition(":")[0] for label in value}:
                found[name, namespace] = str(sorted(label for label in value if label.startswith(f"{namespace}:")))
        elif name == "documents":
            found.update({(name, entry["path"], str(entry["label"])): json.dumps(entry) for entry in value})
        elif isinstance(value, list) and name in ("dependencies", "gates_required"):
            found.update({(name, element): "held" for element in value})
        elif isinstance(value, dict):
            found.update({(name, key): json.dumps(inner) for key, inner in value.items()})
        else:
            found[(name,)] = json.dumps(value)
    return found
