"""Gate runs repaired: every branch of every repair, over small stores of both eras."""

from __future__ import annotations

import json
from typing import Any

import pytest
from memory_stores import A, bytes_of, issue, store_of
from mended_stores import repaired

from jit_hooks.store.machine import Machine
from jit_hooks.store.snapshot import Entry

LOG = "events.jsonl"
R, S, T = (f"{letter * 8}-0000-4000-8000-00000000000{letter}" for letter in "123")
AUTO = "auto:executor"
ISSUE = f"issues/{A}.json"
ERAS = pytest.mark.parametrize("is_sorted", [False, True], ids=["june", "v1"])
Document = dict[str, Any]


def path(run_id: str, root: str = "gate-runs") -> str:
    return f"{root}/{run_id}/result.json"


def run(run_id: str, at: int = 1, status: str = "passed", /, **members: object) -> Document:
    """A run as June's tracker writes it; a member given as ``...`` is left out."""
    document: Document = {
        "schema_version": 1,
        "run_id": run_id,
        "gate_key": "t",
        "stage": "postcheck",
        "issue_id": A,
        "commit": None,
        "branch": "main",
        "status": status,
        "started_at": moment(at),
        "completed_at": moment(at),
        "duration_ms": 499,
        "exit_code": 0 if status == "passed" else 1,
        "stdout": "all \\ well",
        "stderr": "",
        "command": "true",
        "by": AUTO,
        "message": None,
    }
    document.update(members)
    return {name: value for name, value in document.items() if value is not ...}


def moment(at: int) -> str:
    return f"2026-06-01T10:00:{at:02}.000000001Z"


def judged(status: str, at: int, by: str | None = AUTO) -> Document:
    return {
        "gates_required": ["t"],
        "gates_status": {"t": {"status": status, "updated_by": by, "updated_at": moment(at)}},
    }


def event(number: int, kind: str, at: int, **rest: object) -> bytes:
    members: Document = {"gate_key": "t", "updated_by": AUTO} | rest
    document = {"type": kind, "id": f"{number:08}-0000-4000-8000-0000000000ee", "issue_id": A, "timestamp": moment(at)}
    return json.dumps(document | members, separators=(",", ":")).encode()


def said(*verdicts: tuple[str, int]) -> bytes:
    """A log with the creation of the issue and these verdicts, each at its time."""
    created = {"type": "issue_created", "id": "00000099-0000-4000-8000-0000000000ee", "issue_id": A}
    created |= {"timestamp": moment(0), "title": "T", "priority": "normal"}
    lines = [json.dumps(created, separators=(",", ":")).encode()]
    lines += [event(at, f"gate_{verdict}", at) for verdict, at in verdicts]
    return b"".join(line + b"\n" for line in lines)


def store(*runs: Document, log: bytes | None = None, **members: object) -> Document:
    """A store of issue A with these runs, and the events they ended in unless a log is given."""
    verdicts = [("passed" if each["status"] == "passed" else "failed", int(each["started_at"][17:19])) for each in runs]
    paths = store_of(issue(A, state="ready", **members)) | {path(each["run_id"]): each for each in runs}
    return paths | {LOG: said(*verdicts) if log is None else log}


def with_bytes(paths: Document, run_id: str, data: object) -> Document:
    return paths | {path(run_id): data}


WHOLE = run(R)
HEALTHY = store(WHOLE, **judged("passed", 1))
MALFORMED = run(R, 1, "blessed")
SHORT = run(R, command=...)


# -- runs that do not load -------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [MALFORMED, run(R, command=7, stage=8), bytes_of(WHOLE)[:-9], b"", b"\x80{}"])
@pytest.mark.parametrize("copy", [None, MALFORMED, run(S)], ids=["no-copy", "no-sound-copy", "copy-of-another"])
def test_a_run_without_a_sound_copy_is_put_aside(damage: object, copy: object) -> None:
    copies = {} if copy is None else {path(R): copy}
    done = repaired(with_bytes(HEALTHY, R, damage), copies=copies)
    assert done.changes[f"gate-runs/{R}/"] is None, "its directory goes with it"
    assert path(R) not in done.files
    assert done.files[path(R, "gate-runs-corrupt")] == bytes_of(damage)
    assert done.codes.isdisjoint({"run-malformed", "json-unparsable", "text-not-utf8", "run-lost"})


def test_what_was_put_aside_before_keeps_its_place() -> None:
    before = {path(R, "gate-runs-corrupt"): b"the first"}
    done = repaired(with_bytes(HEALTHY, R, MALFORMED) | before)
    assert done.files[path(R, "gate-runs-corrupt")] == b"the first"
    assert done.files[path(f"{R}-2", "gate-runs-corrupt")] == bytes_of(MALFORMED)
    equal = repaired(with_bytes(HEALTHY, R, MALFORMED) | {path(R, "gate-runs-corrupt"): MALFORMED})
    assert path(f"{R}-2", "gate-runs-corrupt") not in equal.files


def test_what_lies_beside_a_broken_run_moves_with_it() -> None:
    paths = with_bytes(HEALTHY, R, MALFORMED) | {f"gate-runs/{R}/notes.txt": b"tar"}
    assert repaired(paths).files[f"gate-runs-corrupt/{R}/notes.txt"] == b"tar"
    done = repaired(with_bytes(HEALTHY, R, MALFORMED) | {f"gate-runs/{R}/notes.txt": Entry("link")})
    assert done.changes == {}
    assert "not a file that can be moved" in done.left["run-malformed"]


@pytest.mark.parametrize("damage", [SHORT, bytes_of(WHOLE)[:-9], b"", bytes_of(WHOLE) + b"\0\0"])
def test_a_run_that_lacks_something_comes_back_from_a_copy_that_has_it(damage: object) -> None:
    done = repaired(with_bytes(HEALTHY, R, damage), copies=HEALTHY)
    assert done.changes == {path(R): bytes_of(WHOLE)}


@pytest.mark.parametrize("damage", [MALFORMED, run(R, command=..., exit_code=2), run(R, command=7, stage=8)])
def test_a_run_that_says_something_else_is_a_choice(damage: Document) -> None:
    paths = with_bytes(HEALTHY, R, damage)
    done = repaired(paths, copies=HEALTHY)
    assert done.changes == {}
    assert "--unsafe-fixes" in done.left["run-malformed"]
    assert repaired(paths, copies=HEALTHY, unsafe=True).changes == {path(R): bytes_of(WHOLE)}


# -- runs against the parents ----------------------------------------------------------------------


def test_a_changed_run_is_a_choice_and_keeps_its_output() -> None:
    paths = with_bytes(HEALTHY, R, run(R, exit_code=3, stdout="sho\trt", stderr=""))
    done = repaired(paths, parents=[HEALTHY])
    assert done.changes == {}
    assert "--unsafe-fixes" in done.left["run-changed"]
    chosen = repaired(paths, parents=[HEALTHY], unsafe=True).files[path(R)]
    assert chosen == bytes_of(WHOLE).replace(rb"all \\ well", rb"sho\trt")


def test_members_that_went_come_back() -> None:
    parent = with_bytes(HEALTHY, R, run(R, message="fine", commit="c" * 40))
    for now in (run(R, stdout="short"), run(R, stdout="short", message=..., commit=...)):
        done = repaired(with_bytes(HEALTHY, R, now), parents=[parent])
        assert json.loads(done.files[path(R)]) == run(R, stdout="short", message="fine", commit="c" * 40)


def test_parents_that_disagree_about_a_run() -> None:
    other = with_bytes(HEALTHY, R, run(R, exit_code=3))
    for parents in ([HEALTHY, other], [other, HEALTHY]):
        done = repaired(HEALTHY, parents=parents, unsafe=True)
        assert done.changes == {}
        assert "disagree" in done.left["run-changed"]


def test_a_run_that_no_parent_can_read() -> None:
    done = repaired(HEALTHY, parents=[with_bytes(HEALTHY, R, MALFORMED)], unsafe=True)
    assert done.changes == {}
    assert "no parent" in done.left["run-changed"]


def test_a_lost_run_comes_back_unless_its_deletion_is_staged() -> None:
    paths = {name: content for name, content in HEALTHY.items() if name != path(R)}
    assert repaired(paths, parents=[HEALTHY]).changes == {path(R): bytes_of(WHOLE)}
    done = repaired(paths, parents=[HEALTHY], copies={})
    assert done.changes == {}
    assert "staged" in done.left["run-lost"]


# -- directories without a result ------------------------------------------------------------------

DIRECTORY = {f"gate-runs/{S}/": Entry("directory")}
OLD = Machine(ages={f"{path(S)}.tmp": 7200.0})


def test_an_empty_directory_goes() -> None:
    assert repaired(HEALTHY | DIRECTORY).changes == {f"gate-runs/{S}/": None}


@pytest.mark.parametrize("inside", [{}, {f"{path(S)}.tmp": b"{"}, {f"gate-runs/{S}/notes.txt": b"tar"}])
def test_a_copy_in_git_is_the_best_result(inside: Document) -> None:
    done = repaired(HEALTHY | DIRECTORY | inside, copies={path(S): run(S, 2)}, only=["run-result-missing"])
    assert done.changes == {path(S): bytes_of(run(S, 2))}


@ERAS
def test_a_whole_temp_becomes_the_result(is_sorted: bool) -> None:
    temp = json.dumps(run(S, 2), indent=2, sort_keys=is_sorted).encode()
    paths = HEALTHY | {f"{path(S)}.tmp": temp}
    done = repaired(paths, machine=OLD, only=["run-result-missing"])
    assert done.changes == {path(S): temp, f"{path(S)}.tmp": None}
    young = repaired(paths, machine=Machine(ages={f"{path(S)}.tmp": 5.0}), only=["run-result-missing"])
    assert young.changes == {}
    assert "still be at work" in young.left["run-result-missing"]


@pytest.mark.parametrize("temp", [bytes_of(run(S, 2))[:-5], bytes_of(run(T, 2)), bytes_of(run(S, 1, "blessed"))])
def test_a_broken_temp_is_put_aside(temp: bytes) -> None:
    done = repaired(HEALTHY | {f"{path(S)}.tmp": temp}, machine=OLD, only=["run-result-missing"])
    assert done.files[f"{path(S, 'gate-runs-corrupt')}.tmp"] == temp
    assert "run-result-missing" not in done.codes


def test_other_files_without_a_result_are_left() -> None:
    done = repaired(HEALTHY | {f"gate-runs/{S}/notes.txt": b"tar"})
    assert done.changes == {}
    assert "no result" in done.left["run-result-missing"]


# -- the verdict of the newest run -----------------------------------------------------------------


def spelled(document: Document, *, is_sorted: bool) -> bytes:
    return json.dumps(document, indent=2, sort_keys=is_sorted, ensure_ascii=False).encode()


@ERAS
@pytest.mark.parametrize(
    ("members", "status", "verdict"),
    [
        pytest.param(judged("passed", 1), "failed", "failed", id="older-verdict"),
        pytest.param(judged("failed", 1), "passed", "passed", id="older-failure"),
        pytest.param(judged("passed", 1), "error", "failed", id="an-error-fails"),
        pytest.param(judged("pending", 1, None), "passed", "passed", id="open"),
        pytest.param({"gates_required": ["t"]}, "passed", "passed", id="no-verdict"),
        pytest.param(
            {"gates_required": ["s", "t"], "gates_status": judged("passed", 1)["gates_status"] | {
                "u": {"status": "pending", "updated_by": None, "updated_at": moment(1)}}},
            "failed", "failed", id="beside-another",
        ),
    ],
)  # fmt: skip
def test_the_verdict_is_that_of_the_newest_run(members: Document, status: str, verdict: str, is_sorted: bool) -> None:
    document = issue(A, state="ready", title="Épic / ~1", extra=1.0, **members)
    runs = [run(R), run(S, 5, status)]
    paths = store(*runs, log=said(("passed", 1))) | {ISSUE: spelled(document, is_sorted=is_sorted)}
    done = repaired(paths)
    due = {"status": verdict, "updated_by": AUTO, "updated_at": moment(5)}
    document["gates_status"] = members.get("gates_status", {}) | {"t": due}
    assert done.files[ISSUE] == spelled(document, is_sorted=is_sorted)
    assert [(json.loads(line)["type"], json.loads(line)["timestamp"]) for line in done.log[2:]] == [
        (f"gate_{verdict}", moment(5))
    ]
    assert done.codes.isdisjoint({"run-status-mismatch", "event-gate-mismatch", "run-event-imbalance"})


def test_a_gate_whose_name_is_a_path() -> None:
    key = "a/b~c"
    members = json.loads(json.dumps(judged("failed", 1)).replace('"t"', f'"{key}"'))
    done = repaired(store(run(R, gate_key=key), log=said(), **members), only=["run-status-mismatch"])
    assert json.loads(done.files[ISSUE])["gates_status"][key]["status"] == "passed"


def test_runs_of_one_moment_that_disagree() -> None:
    paths = store(run(R, 2, "skipped"), run(S, 2), log=said(("failed", 1)), **judged("failed", 1))
    done = repaired(paths, only=["run-status-mismatch"])
    assert done.changes == {}
    assert "disagree" in done.left["run-status-mismatch"]


@pytest.mark.parametrize("newest", [{}, {path(S): {"run_id": S}}], ids=["away", "broken"])
def test_a_verdict_newer_than_every_run_that_can_be_read_stays(newest: Document) -> None:
    paths = store(run(R, 1, "failed"), log=said(("failed", 1), ("passed", 5)), **judged("passed", 5)) | newest
    done = repaired(paths, only=["run-status-mismatch"], unsafe=True)
    assert done.changes == {}
    if not newest:
        assert "newer than every run" in done.left["run-status-mismatch"]


def test_two_gates_of_one_issue() -> None:
    verdicts = judged("failed", 1)["gates_status"]["t"]
    members = {"gates_required": ["t", "u"], "gates_status": {"t": verdicts, "u": verdicts}}
    paths = store(run(R, 3), run(S, 4, gate_key="u"), log=said(), **members)
    statuses = json.loads(repaired(paths, only=["run-status-mismatch"]).files[ISSUE])["gates_status"]
    assert [statuses[key]["updated_at"] for key in "tu"] == [moment(3), moment(4)]


# -- runs without their event ----------------------------------------------------------------------


def test_runs_without_events_get_theirs() -> None:
    runs = [run(R), run(S, 3, "failed"), run(T, 5)]
    for log in (said(("passed", 1), ("passed", 5)), said(("passed", 2), ("passed", 9))):
        done = repaired(store(*runs, log=log, **judged("passed", 5)))
        made = json.loads(done.log[-1])
        assert (made["type"], made["timestamp"], made["updated_by"]) == ("gate_failed", moment(3), AUTO)
        assert done.codes.isdisjoint({"run-event-imbalance", "event-gate-mismatch"})
    real = event(7, "gate_failed", 4)
    done = repaired(store(*runs, log=log, **judged("passed", 5)), logs=[real + b"\n"])
    assert done.log[-1] == real


@pytest.mark.parametrize(
    ("runs", "log", "word"),
    [
        pytest.param([run(R)], said(("passed", 1), ("failed", 2), ("passed", 3)), "never removed", id="more-events"),
        pytest.param([run(R), run(S, 3)], said(("failed", 1)), "cannot be matched", id="an-event-of-no-run"),
        pytest.param([run(R, by=None)], said(), "cannot be matched", id="nobody-ran-it"),
    ],
)
def test_events_that_cannot_be_told(runs: list[Document], log: bytes, word: str) -> None:
    done = repaired(store(*runs, log=log, **judged("passed", 3)), only=["run-event-imbalance"])
    assert done.changes == {}
    assert word in done.left["run-event-imbalance"]
