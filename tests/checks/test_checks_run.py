"""Gate runs: by themselves, against the issues and the log, and against what the parents said."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from memory_stores import GONE, A, B, C, check, identities, issue, problems, store_of
from proofs import over

from jit_hooks.checks import CHECKS
from jit_hooks.store.snapshot import Entry

LOG = "events.jsonl"
R, S, T = (f"{letter * 8}-0000-4000-8000-00000000000{letter}" for letter in "123")
AUTO = "auto:executor"


def path(run_id: str) -> str:
    return f"gate-runs/{run_id}/result.json"


def run(directory: str, issue_id: str = A, /, *, at: Any = 1, **members: object) -> dict[str, object]:
    """A run as June's tracker writes it; a member given as ``...`` is left out."""
    document: dict[str, object] = {
        "schema_version": 1,
        "run_id": directory,
        "gate_key": "t",
        "stage": "postcheck",
        "issue_id": issue_id,
        "commit": None,
        "branch": "main",
        "status": "passed",
        "started_at": f"2026-06-01T10:00:{at:02}.000000001Z",
        "completed_at": f"2026-06-01T10:00:{at:02}.5Z",
        "duration_ms": 499,
        "exit_code": 0,
        "stdout": "",
        "stderr": "",
        "command": "true",
        "by": AUTO,
        "message": None,
    }
    document.update(members)
    return {name: value for name, value in document.items() if value is not ...}


V1 = {"tree_dirty": False, "origin": {"derivation": "executed"}}
FAILED = {"status": "failed", "exit_code": 1}
REUSED = {"exit_code": None, "tree_dirty": None, "commit": None}


def reused(source: str) -> dict[str, object]:
    return REUSED | {"origin": {"derivation": "reused", "source_run": source}}


def judged(status: str = "passed", by: str | None = AUTO, at: int = 1) -> dict[str, object]:
    verdict = {"status": status, "updated_by": by, "updated_at": f"2026-06-01T10:00:{at:02}.000000001Z"}
    return {"gates_required": ["t"], "gates_status": {"t": verdict}}


def store(*runs: dict[str, object], **members: object) -> dict[str, object]:
    """A store of issue A with runs, and as many events as automated verdicts of them."""
    return of(issue(A, **members), *runs)


def of(record: dict[str, object], *runs: dict[str, object]) -> dict[str, object]:
    paths = store_of(record)
    for document in runs:
        paths[path(str(document["run_id"]))] = document
    return paths | {LOG: log(len(runs)), "gates.json": {"gates": {"t": GATE}}}


GATE = {"key": "t", "title": "", "description": "", "stage": "postcheck", "mode": "manual"}


def log(count: int, by: str = AUTO) -> bytes:
    lines = [
        {
            "type": "gate_passed",
            "id": f"{number:08}-0000-4000-8000-0000000000ee",
            "issue_id": A,
            "timestamp": f"2026-06-01T10:00:{number:02}Z",
            "gate_key": "t",
            "updated_by": by,
        }
        for number in range(count)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


HEALTHY = store(run(R), **judged())
BARE = store()
DIRECTORY = Entry("directory")


def without(paths: dict[str, object], *names: str) -> dict[str, object]:
    return {name: content for name, content in paths.items() if name not in names}


@pytest.mark.parametrize(
    ("code", "document", "expected"),
    [
        ("run-malformed", run(R, status="blessed"), ["status"]),
        ("run-malformed", run(R, command=..., stage="x"), ["command", "stage"]),
        ("run-malformed", run(R, **V1 | {"origin": {"derivation": "executed", "x": 1}}), ["origin"]),
        ("run-malformed", run(R), []),
        ("run-malformed", run(R, **V1), []),
        ("run-inconsistent", run(R), []),
        ("run-inconsistent", run(R, exit_code=1), ["status"]),
        ("run-inconsistent", run(R, status="failed"), ["status"]),
        ("run-inconsistent", run(R, status="error", exit_code=127), []),
        ("run-inconsistent", run(R, status="error", exit_code=None), []),
        ("run-inconsistent", run(R, exit_code=None), ["status"]),
        ("run-inconsistent", run(R, **V1, exit_code=None), []),
        ("run-inconsistent", run(R, **reused(S)), []),
        ("run-inconsistent", run(R, status="pending", exit_code=1), []),
        ("run-inconsistent", run(R, completed_at="2026-06-01T12:00:00+02:00"), ["completed_at"]),
        ("run-inconsistent", run(R, completed_at="2026-06-01T12:00:02+02:00"), []),
        ("run-inconsistent", run(R, completed_at=None), []),
        ("run-id-mismatch", run(R, run_id=S), [S]),
        ("run-id-mismatch", run(R, run_id=S, status="blessed"), [S]),
        ("run-id-mismatch", run(R), []),
    ],
)
@pytest.mark.parametrize("is_sorted", [False, True])
def test_records(code: str, document: dict[str, object], expected: list[str], is_sorted: bool) -> None:
    data = json.dumps(document, indent=2, sort_keys=is_sorted).encode()
    check(code, BARE, BARE | {path(R): data}, *((path(R), subject) for subject in expected))


@pytest.mark.parametrize(
    ("code", "before", "after", "expected"),
    [
        ("run-result-missing", BARE, BARE | {f"gate-runs/{S}/": DIRECTORY}, [(path(S), "")]),
        ("run-result-missing", BARE, BARE | {f"gate-runs/{S}/result.json.tmp": b"{"}, [(path(S), "")]),
        ("run-result-missing", BARE, HEALTHY, []),
        ("run-result-missing", BARE, BARE | {"gate-runs/notes.txt": b""}, []),
        ("run-stray-file", BARE, HEALTHY | {f"gate-runs/{R}/notes.txt": b""}, [(f"gate-runs/{R}/notes.txt", "")]),
        ("run-stray-file", BARE, HEALTHY | {f"gate-runs/{R}/a/": DIRECTORY}, [(f"gate-runs/{R}/a/", "")]),
        ("run-stray-file", BARE, HEALTHY | {f"gate-runs/{R}/result.json.tmp": b""}, []),
        ("run-stray-file", BARE, BARE | {f"gate-runs/{S}/": DIRECTORY}, []),
        ("run-issue-unknown", BARE, BARE | {path(R): run(R, GONE)}, [(path(R), GONE)]),
        ("run-issue-unknown", HEALTHY, without(HEALTHY, f"issues/{A}.json"), []),
        (
            "run-issue-unknown",
            HEALTHY,
            {path(R): run(R), "index.json": {"schema_version": 2, "all_ids": []}},
            [(path(R), A)],
        ),
        ("run-source-missing", BARE, BARE | {path(R): run(R, **reused(S))}, [(path(R), S)]),
        ("run-source-missing", BARE, store(run(R, **reused(S)), run(S, **V1)), []),
        ("run-source-missing", BARE, BARE | {path(R): run(R, **reused(S)), path(S): b"{"}, []),
        (
            "run-source-missing",
            store(run(R, **reused(S)), run(S, **V1)),
            store(run(R, **reused(S))),
            [(path(R), S)],
        ),
        (
            "run-source-missing",
            store(run(R, **reused(S)), run(S, **V1)),
            store(run(R, **reused(S)), run(S, **reused(T)), run(T, **V1)),
            [(path(R), S)],
        ),
        ("run-gate-unregistered", BARE, store(run(R, gate_key="u")), [(path(R), "u")]),
        ("run-gate-unregistered", HEALTHY, HEALTHY | {"gates.json": {"gates": {}}}, [(path(R), "t")]),
        ("run-gate-unregistered", HEALTHY, without(HEALTHY, "gates.json"), []),
        ("run-missing", HEALTHY, without(HEALTHY, path(R)), [(f"issues/{A}.json", "t")]),
        ("run-missing", BARE, without(HEALTHY, path(R)), [(f"issues/{A}.json", "t")]),
        ("run-missing", BARE, HEALTHY, []),
        ("run-missing", BARE, store(**judged(by="human:ada")), []),
        ("run-missing", BARE, store(**judged("pending")), []),
        ("run-missing", BARE, store(run(R, gate_key="u"), run(S, B), **judged()), [(f"issues/{A}.json", "t")]),
        ("run-missing", HEALTHY, store(run(R, C), **judged()), [(f"issues/{A}.json", "t")]),
        ("run-missing", HEALTHY, store(run(R), **judged(at=9)), []),
        ("run-missing", BARE, HEALTHY | {path(R): b'{"issue_id": "%s' % A.encode()}, []),
        ("run-missing", BARE, HEALTHY | {path(R): b"{"}, [(f"issues/{A}.json", "t")]),
        ("run-status-mismatch", BARE, HEALTHY, []),
        ("run-status-mismatch", BARE, store(run(R), **judged("failed")), [(f"issues/{A}.json", "t")]),
        ("run-status-mismatch", BARE, store(run(R, status="error", exit_code=None), **judged("failed")), []),
        (
            "run-status-mismatch",
            HEALTHY,
            store(run(R), run(S, at=2, **FAILED), **judged()),
            [(f"issues/{A}.json", "t")],
        ),
        ("run-status-mismatch", HEALTHY, store(run(R), run(S, at=1, **FAILED), **judged()), []),
        ("run-status-mismatch", BARE, store(run(R), **judged("failed", by="human:ada", at=9)), []),
        ("run-status-mismatch", BARE, store(run(R, at=5), **judged("pending", by=None)), [(f"issues/{A}.json", "t")]),
        ("run-status-mismatch", BARE, store(run(R), **judged("pending", by=None, at=9)), []),
        ("run-status-mismatch", BARE, store(run(R), gates_required=["t"]), [(f"issues/{A}.json", "t")]),
        ("run-status-mismatch", BARE, store(run(R)), []),
        (
            "run-status-mismatch",
            store(run(R, **FAILED), run(S, at=2), **judged()),
            store(run(R, **FAILED), **judged()),
            [(f"issues/{A}.json", "t")],
        ),
        ("run-event-imbalance", HEALTHY, HEALTHY | {LOG: log(0)}, [(f"issues/{A}.json", "t")]),
        ("run-event-imbalance", HEALTHY, without(HEALTHY, path(R)), [(f"issues/{A}.json", "t")]),
        ("run-event-imbalance", HEALTHY, HEALTHY | {LOG: log(3, "human:ada")}, [(f"issues/{A}.json", "t")]),
        ("run-event-imbalance", HEALTHY, store(run(R), run(S, at=2), **judged()), []),
        ("run-event-imbalance", HEALTHY, HEALTHY | {LOG: log(1)[:-20]}, []),
    ],
)
def test_relations(
    code: str, before: dict[str, object], after: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    check(code, before, after, *expected)


@pytest.mark.parametrize(
    ("code", "before", "after", "expected"),
    [
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, exit_code=3)}, [path(R)]),
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, stdout="cut", stderr="cut")}, []),
        ("run-changed", HEALTHY, HEALTHY | {path(R): dict(sorted(run(R).items()))}, []),
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, commit=...)}, []),
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, origin={"derivation": "executed"}, tree_dirty=None)}, []),
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, **reused(S))}, [path(R)]),
        ("run-changed", HEALTHY, HEALTHY | {path(R): run(R, exit_code="0")}, [path(R)]),
        ("run-changed", HEALTHY, HEALTHY | {path(R): b"{"}, []),
        ("run-changed", HEALTHY | {path(R): b"{"}, HEALTHY, []),
        ("run-changed", BARE, HEALTHY, []),
        ("run-lost", HEALTHY, BARE, [path(R)]),
        ("run-lost", HEALTHY | {path(R): b"{"}, BARE, []),
        ("run-lost", HEALTHY | {path(R): run(S)}, store(run(S)), []),
        ("run-lost", HEALTHY, without(HEALTHY, path(R)) | {path(R): Entry("link")}, []),
        ("run-lost", HEALTHY, {}, []),
    ],
)
def test_against_the_parent(
    code: str, before: dict[str, object], after: dict[str, object], expected: list[str]
) -> None:
    check(code, before, after, *((name, "") for name in expected))


ROWS = [row for row in CHECKS if row.family == "run" and row.needs != "parents"]


class Writer:
    """Makes runs and issues at random, and goes on from them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def file(self, name: str) -> object:
        pick = self.random.choice
        if name.startswith("issues/"):
            verdict = judged(pick(("passed", "failed", "pending")), pick((AUTO, AUTO, None)), pick((1, 5)))
            return pick((None, b"{", *[issue(name[7:-5], **verdict)] * 4))
        if name.startswith("gate-runs/"):
            members = pick(({}, FAILED, reused(R), {"gate_key": "u"}, V1))
            document = run(name[10:-12], pick((A, B, GONE)), at=pick((1, 2, 3)), **members)
            return pick((None, b"{", *[document] * 5))
        if name == "gates.json":
            return pick((None, {"gates": {}}, {"gates": {"t": GATE}}))
        return log(pick((0, 1, 2, 3)))

    def store(self, before: dict[str, object] | None = None) -> dict[str, object]:
        names = [f"issues/{A}.json", f"issues/{B}.json", *map(path, (R, S, T)), "gates.json", LOG]
        paths = {}
        for name in names:
            is_kept = before is not None and self.random.random() < 0.6
            content = before.get(name) if before is not None and is_kept else self.file(name)
            if content is not None:
                paths[name] = content
        alive = [issue_id for issue_id in (A, B) if f"issues/{issue_id}.json" in paths]
        gone = [issue_id for issue_id in (A, B, GONE) if issue_id not in alive and self.random.random() < 0.7]
        return paths | {"index.json": {"schema_version": 2, "all_ids": alive, "deleted_ids": gone}}


@over("seed", range(250), few=60)
def test_what_is_new_is_found_from_what_was_written(seed: int) -> None:
    writer = Writer(seed)
    before = writer.store()
    after = writer.store(before)
    for row in ROWS:
        now = identities(problems(row.code, after, before))
        told = identities(problems(row.code, after, before, full=False))
        assert told <= now, row.code
        assert now - identities(problems(row.code, before)) <= told, row.code
