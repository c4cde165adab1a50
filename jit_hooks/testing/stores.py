"""Whole stores for tests and benchmarks: small ones that use everything, big ones of realistic size."""

from __future__ import annotations

import functools
import itertools
import random
from typing import TYPE_CHECKING

from jit_hooks.testing.tracker import CONFIG as CONFIG_TOML
from jit_hooks.testing.tracker import (
    HOUSE_RULE,
    LABEL_RULE,
    START,
    Era,
    Record,
    Tracker,
    baked_schemas,
    issue_path,
    line,
    pretty,
    random_id,
    rules_toml,
    run_path,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCALE_1X = {"issues": 373, "runs": 1236, "events": 4286}
"""Sizes of the tracker's own store in June 2026: issues, gate runs, event lines."""


def healthy_tracker(seed: int = 0, era: Era = "june", issues: int = 12) -> Tracker:
    """A tracker whose store uses everything its era has, and on which no check has anything to say.

    All states, a reduced graph in which every issue has an edge, manual and automated gates, passed, failed,
    broken and (v1) reused runs, documents pinned and not, a preset, a deleted issue, every type of event
    that honest commands write. At least 12 issues. Each call gives
    a tracker of its own.
    """
    return _healthy(seed, era, issues).fork()


@functools.cache
def _healthy(seed: int, era: Era, issues: int) -> Tracker:
    tracker = Tracker(seed, era)
    tracker.init()
    tracker.write_invariants()
    _define_gates(tracker)
    named = _create_issues(tracker)
    _link(tracker, named)
    _work(tracker, named)
    for number in range(len(tracker.ids()), issues):
        extra = tracker.create(f"Polish fitting {number}", labels=["epic:harbour", "type:task"])
        tracker.dep_add(named["root"], extra)
    return tracker


def healthy_store(seed: int = 0, era: Era = "june", issues: int = 12) -> dict[str, bytes]:
    """The files of `healthy_tracker`; the documents its issues name are `tracker.documents_of` of them."""
    return healthy_tracker(seed, era, issues).files


def lay_healthy_store(store: Path, era: Era = "june") -> None:
    """Write the healthy store to a directory, and beside it the documents its issues name."""
    tracker = healthy_tracker(era=era)
    for target, data in (
        *((store / path, data) for path, data in tracker.files.items()),
        *((store.parent / path, data) for path, data in tracker.outside.items()),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def mixed_tracker(seed: int = 0, issues: int = 12) -> Tracker:
    """A June store that v1 goes on with: both member orders, ``gates.toml`` only, lifecycle times filled."""
    tracker = healthy_tracker(seed, "june", issues)
    tracker.upgrade()
    tracker.migrate_lifecycle()
    ready = [issue_id for issue_id, issue in tracker.issues().items() if issue["state"] == "ready"]
    tracker.claim(ready[0], "agent:beta")
    tracker.gate_add(ready[0], "tests")
    tracker.gate_run(ready[0], "tests", stdout="again\n")
    tracker.done(ready[0])
    late = tracker.create("Paint the stern", labels=["epic:harbour", "type:task"])
    tracker.dep_add(ready[-1], late)
    return tracker


def mixed_store(seed: int = 0, issues: int = 12) -> dict[str, bytes]:
    """The files of `mixed_tracker`."""
    return mixed_tracker(seed, issues).files


def _define_gates(tracker: Tracker) -> None:
    tracker.gate_define("tests", "Tests", "The suite runs", command='run-tests --colour "never"')
    tracker.gate_define("lint", "Lint", "No findings", command="run-lint .", inputs=["docs", "src"])
    tracker.gate_define("review", "Review", "By a second pair of eyes")
    tracker.gate_define("plan", "Plan first", "Before the start", stage="precheck")
    tracker.gate_define("review", "Review", "By somebody else")
    tracker.gate_define("scrap", "Scrap", "Never used")
    tracker.gate_undefine("scrap")
    tracker.preset_create("harbour", "tests", "review")


def _create_issues(tracker: Tracker) -> dict[str, str]:
    task = ["epic:harbour", "type:task"]
    bug = ["epic:harbour", "type:bug"]
    named = {
        "root": tracker.create(
            "Hafen — “quoted” & <angled> \\ /\tδ ⚓",
            "One.\nTwo.\n",
            "high",
            labels=["epic:harbour", "type:epic"],
        ),
        "design": tracker.create("Draw the harbour", "", "critical", labels=[*task, "component:plans"]),
        "build": tracker.create("Build the pier", gates=["tests", "review"], labels=[*task, "component:pier"]),
    }
    if tracker.era == "v1":
        named["test"] = tracker.create("Load the pier", labels=task, depends_on=[named["build"]])
    else:
        named["test"] = tracker.create("Load the pier", labels=task, content_format="markdown")
    named |= {
        "ship": tracker.create("Open the harbour", "", "low", labels=task),
        "lint": tracker.create("Sweep the quay", labels=task),
        "wait": tracker.create("Paint the beacon", labels=[*task, "team:north"]),
        "reject": tracker.create("A second beacon", labels=bug),
        "archive": tracker.create("An old chart", labels=[*task, "story:landing"]),
        "progress": tracker.create("Dredge", labels=[*task, "Bad Label:x"], bypass=LABEL_RULE[tracker.era]),
        "released": tracker.create("Count the gulls", labels=task),
        "epic": tracker.create("Lights", labels=["epic:harbour", "type:epic", "milestone:v2.0"]),
        "deleted": tracker.create("A slip of the pen", labels=task),
    }
    tracker.update(named["progress"], labels=task)
    return named


def _link(tracker: Tracker, named: dict[str, str]) -> None:
    edges = [
        ("root", "ship"), ("root", "lint"), ("root", "wait"), ("root", "progress"), ("root", "released"),
        ("root", "deleted"), ("build", "design"), ("ship", "test"), ("lint", "design"), ("wait", "design"),
        ("epic", "reject"), ("root", "epic"),
    ]  # fmt: skip
    edges.append(("root", "archive") if tracker.era == "v1" else ("archive", "design"))
    if tracker.era == "june":
        edges.append(("test", "build"))
    for issue, on in edges:
        tracker.dep_add(named[issue], named[on])
    tracker.dep_remove(named["root"], named["deleted"])
    tracker.delete(named["deleted"])


def _work(tracker: Tracker, named: dict[str, str]) -> None:
    is_v1 = tracker.era == "v1"
    tracker.gate_add(named["design"], "plan")
    tracker.gate_add(named["lint"], "lint", "tests")
    tracker.gate_add(named["wait"], "review", "tests")
    tracker.gate_add(named["released"], "review")
    tracker.gate_remove(named["released"], "review")
    tracker.claim(named["released"], "agent:gamma")
    tracker.release(named["released"], "out of time")

    tracker.document_add(named["design"], "docs/harbour.md", label="plan", doc_type="design")
    tracker.document_add(named["design"], "docs/harbour.md", commit="HEAD", label="pinned")
    tracker.document_add(named["archive"], "dev/active/chart.md", doc_type="study")
    tracker.gate_pass(named["design"], "plan", by="human:bo")
    tracker.claim(named["design"], "agent:alpha")
    tracker.done(named["design"])

    tracker.claim(named["build"], "agent:alpha")
    tracker.gate_run(named["build"], "tests", exit_code=1, stdout="1 of 9 failed: pier\n")
    tracker.gate_run(named["build"], "tests", stdout='9 passed \t"all" — ✓\n')
    tracker.gate_fail(named["build"], "review", by="human:bo")
    tracker.set_state(named["build"], "done")
    tracker.gate_pass(named["build"], "review", by="human:bo")

    tracker.claim(named["wait"], "agent:beta")
    if is_v1:
        tracker.gate_add(named["wait"], "lint")
        finding = {
            "id": "F1",
            "severity": "minor",
            "summary": "a crooked plank",
            "file": "src/quay.py",
            "line": 7,
        }
        finding["references"] = ["REQ-11"]
        verdict = {"verdict": "pass", "summary": "fine but for a plank", "findings": [finding]}
        source = tracker.gate_run(named["wait"], "lint", stdout="clean\n", findings=verdict)
    tracker.gate_run(named["wait"], "tests", stdout="ok\n")
    tracker.set_state(named["wait"], "gated")

    tracker.claim(named["lint"], "agent:beta")
    tracker.dep_add(named["lint"], named["released"])
    tracker.validate_fix()
    tracker.gate_run(named["lint"], "lint", exit_code=3, stdout="quay: dirty\n")
    tracker.gate_run(named["lint"], "lint", exit_code=127)
    tracker.gate_run(named["lint"], "lint", exit_code=None)
    if is_v1:
        tracker.gate_run(named["lint"], "lint", reuse=source)

    tracker.reject(named["reject"], "duplicate")
    tracker.block(named["epic"], "done", HOUSE_RULE)
    tracker.set_state(named["epic"], "done", bypassed_rule=HOUSE_RULE)
    tracker.dep_add(named["epic"], named["design"])
    tracker.claim(named["progress"], "human:ada")
    tracker.update(named["progress"], title="Dredge deeper", description="Down to bedrock, é and all.\n")
    tracker.assign(named["progress"], None)
    tracker.assign(named["progress"], "human:cy")
    tracker.update(named["design"], priority="high", updated_by="bulk-update")
    if is_v1:
        tracker.done(named["archive"])
        tracker.archive(named["archive"])
        tracker.profile_apply()
        tracker.override_checkout()
    else:
        tracker.set_state(named["archive"], "archived")
        tracker.document_archive("dev/active/chart.md")


# -- big stores ------------------------------------------------------------------------------------

_OUTPUT = "".join(
    f"test pier::section_{n:04d}::holds_its_load ... ok   (step {n * 37 % 911} of 911)\n" for n in range(400)
)
_GROUP = 10


def big_files(
    seed: int = 0, issues: int = 373, runs: int = 1236, events: int = 4286, era: Era = "june"
) -> Iterator[tuple[str, bytes]]:
    """The files of a big healthy store as they are made: path, bytes; the log comes in many pieces, in order.

    A root epic over epics over nine tasks each; two thirds of the groups are done. `runs` are spread over
    the done tasks (about 6 kB each), and the log is filled up with updates to `events` lines, if the rest
    does not reach it. Memory stays small: one group at a time, but for the ids.
    """
    rng = random.Random(f"big-{era}-{seed}")
    yield from _settings(era)
    made = _Big(rng, era)
    groups = max(1, (issues - 1) // _GROUP)
    sizes = [(issues - 1) // groups + (number < (issues - 1) % groups) for number in range(groups)]
    done_groups = max(1, groups * 2 // 3)
    done_tasks = sum(size - 1 for size in sizes[:done_groups]) or 1
    shares = iter([runs // done_tasks + (number < runs % done_tasks) for number in range(done_tasks)])
    epics = []
    for number, size in enumerate(sizes):
        finished = number < done_groups
        epics.append(made.group(number, size, shares if finished else itertools.repeat(0), finished=finished))
        yield from made.take()
    made.root(epics)
    made.pad(events)
    yield from made.take()
    yield "index.json", pretty({"schema_version": 2, "all_ids": made.all_ids, "deleted_ids": []}, era)


def _settings(era: Era) -> Iterator[tuple[str, bytes]]:
    keeper = Tracker(0, era)
    keeper.init()
    keeper.gate_define("tests", "Tests", "The suite runs", command="run-tests")
    yield "config.toml", CONFIG_TOML.encode()
    yield "rules.toml", rules_toml(era)
    yield from baked_schemas().items()
    registry = "gates.toml" if era == "v1" else "gates.json"
    yield registry, keeper.files[registry]
    yield "events.jsonl", keeper.files["events.jsonl"]


class _Big:
    """Makes the records of a big store, a group at a time."""

    def __init__(self, rng: random.Random, era: Era) -> None:
        self.rng, self.era = rng, era
        self.now = START[era] + 987_654_321
        self.all_ids: list[str] = []
        self.files: list[tuple[str, bytes]] = []
        self.lines: list[bytes] = []
        self.written = 1 if era == "v1" else 0

    def take(self) -> list[tuple[str, bytes]]:
        """What was made since the last call; the piece of the log first."""
        made = [("events.jsonl", b"".join(self.lines)), *self.files] if self.lines else self.files
        self.files, self.lines = [], []
        return made

    def tick(self) -> str:
        """The next moment, as text."""
        self.now += self.rng.randrange(1_000_000_000, 90_000_000_000)
        if self.now % 1000 == 0:
            self.now += 1
        return stamp(self.now)

    def event(self, kind: str, issue_id: str, moment: str, **rest: object) -> None:
        """One more line for the log."""
        record = {"type": kind, "id": random_id(self.rng), "issue_id": issue_id, "timestamp": moment, **rest}
        self.lines.append(line(record, self.era) + b"\n")
        self.written += 1

    def born(self, title: str, kind: str) -> Record:
        """A new issue without edges, its line written."""
        moment = self.tick()
        issue_id = random_id(self.rng)
        issue: Record = {
            "id": issue_id,
            "title": title,
            "description": _OUTPUT[: self.rng.randrange(200, 2400)],
            "state": "ready",
            "priority": self.rng.choice(("low", "normal", "normal", "high")),
            "assignee": None,
            "dependencies": [],
            "gates_required": [],
            "gates_status": {},
            "context": {},
            "documents": [],
            "labels": ["epic:harbour", f"type:{kind}", "component:pier"],
            "created_at": moment,
            "updated_at": moment,
        }
        if self.era == "v1":
            issue["first_ready_at"] = moment
        self.all_ids.append(issue_id)
        self.event("issue_created", issue_id, moment, title=title, priority=issue["priority"])
        return issue

    def save(self, issue: Record) -> None:
        """The issue's file."""
        self.files.append((issue_path(issue["id"]), pretty(issue, self.era)))

    def move(self, issue: Record, state: str) -> None:
        """Another state and its line; ``done`` is completed too."""
        moment = self.tick()
        self.event("issue_state_changed", issue["id"], moment, **{"from": issue["state"], "to": state})
        issue |= {"state": state, "updated_at": moment}
        if state == "done":
            self.event("issue_completed", issue["id"], moment)
            if self.era == "v1":
                issue["done_at"] = moment

    def depend(self, issue: Record, targets: list[str]) -> None:
        """All edges of an issue at once; it waits from now on."""
        self.move(issue, "backlog")
        issue["dependencies"] = targets
        self.event(
            "issue_updated",
            issue["id"],
            issue["updated_at"],
            updated_by="dependency-add",
            fields=["dependencies"],
        )

    def group(self, number: int, size: int, shares: Iterator[int], *, finished: bool) -> str:
        """An epic over ``size - 1`` tasks, all done or none; gives the epic's id."""
        epic = self.born(f"Pier {number}", "epic")
        tasks = [self.born(f"Section {number}.{place}", "task") for place in range(size - 1)]
        if tasks:
            self.depend(epic, [task["id"] for task in tasks])
        for task in tasks:
            if finished or self.rng.random() < 0.3:
                self.claim(task)
            if finished:
                self.finish(task, next(shares))
            self.save(task)
        if finished and tasks:
            self.move(epic, "ready")
            self.move(epic, "done")
        self.save(epic)
        issue_id: str = epic["id"]
        return issue_id

    def claim(self, task: Record) -> None:
        """Ready to in progress, and somebody's."""
        self.move(task, "in_progress")
        task["assignee"] = "agent:alpha"
        if self.era == "v1":
            task["claimed_at"] = task["updated_at"]
        self.event("issue_claimed", task["id"], task["updated_at"], assignee="agent:alpha")

    def finish(self, task: Record, runs: int) -> None:
        """`runs` gate runs, all but the last failed, then done."""
        if runs:
            task["gates_required"] = ["tests"]
        for left in range(runs - 1, -1, -1):
            self.run(task, passed=left == 0)
        self.move(task, "done")

    def run(self, task: Record, *, passed: bool) -> None:
        """One gate run, its status and its line."""
        run_id, began = random_id(self.rng), self.tick()
        ended = self.tick()
        status = "passed" if passed else "failed"
        start = self.rng.randrange(4000)
        record: Record = {
            "schema_version": 1,
            "run_id": run_id,
            "gate_key": "tests",
            "stage": "postcheck",
            "issue_id": task["id"],
            "commit": f"{self.rng.getrandbits(160):040x}",
            "branch": "main",
            "status": status,
            "started_at": began,
            "completed_at": ended,
            "duration_ms": self.rng.randrange(90_000),
            "exit_code": 0 if passed else 1,
            "stdout": _OUTPUT[start : start + self.rng.randrange(400, 10_400)],
            "stderr": "" if passed else "one section gave way\n",
            "command": "run-tests",
            "by": "auto:executor",
            "message": None,
        }
        if self.era == "v1":
            record |= {"tree_dirty": False, "origin": {"derivation": "executed"}}
        self.files.append((run_path(run_id), pretty(record, self.era)))
        at = began if self.era == "june" else ended
        task["gates_status"]["tests"] = {"status": status, "updated_by": "auto:executor", "updated_at": at}
        task["updated_at"] = ended
        self.event(f"gate_{status}", task["id"], ended, gate_key="tests", updated_by="auto:executor")

    def root(self, epics: list[str]) -> None:
        """The epic over all epics; every one but the done ones keeps it waiting."""
        top = self.born("The harbour", "milestone")
        self.depend(top, epics)
        self.save(top)

    def pad(self, events: int) -> None:
        """Updates of the last issue until the log has `events` lines."""
        while self.written < events:
            self.event(
                "issue_updated",
                self.all_ids[-1],
                self.tick(),
                updated_by="issue-update",
                fields=["description"],
            )


def big_store(
    seed: int = 0, issues: int = 373, runs: int = 1236, events: int = 4286, era: Era = "june"
) -> dict[str, bytes]:
    """A healthy store of realistic sizes, in memory; the defaults are `SCALE_1X`."""
    files: dict[str, bytes] = {}
    logs = []
    for path, data in big_files(seed, issues, runs, events, era):
        if path == "events.jsonl":
            logs.append(data)
        else:
            files[path] = data
    files["events.jsonl"] = b"".join(logs)
    return files


def write_big_store(directory: Path, scale: int, seed: int = 0, era: Era = "june") -> None:
    """A store of `scale` times `SCALE_1X` streamed to `directory`, the ``.jit`` itself."""
    sizes = {name: size * scale for name, size in SCALE_1X.items()}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "issues").mkdir(exist_ok=True)
    with (directory / "events.jsonl").open("wb") as log:
        for path, data in big_files(seed, **sizes, era=era):
            if path == "events.jsonl":
                log.write(data)
                continue
            target = directory / path
            if not path.startswith("issues/"):
                target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
