"""The model tracker writes what the tracker writes, and keeps a store clean."""

import itertools
import json
import os
import random
import tomllib
from pathlib import Path

import pytest
from proofs import how_many, proof

from jit_hooks.testing.stores import big_store, healthy_store, healthy_tracker, mixed_tracker, write_big_store
from jit_hooks.testing.tracker import (
    ISSUE_ORDER,
    Era,
    Record,
    RefusedError,
    Tracker,
    apply_write,
    documents_of,
    is_finished,
    issue_path,
    temp_path,
)

ERAS: list[Era] = ["june", "v1"]
CORPUS = os.environ.get("JIT_HOOKS_CORPUS")


def problems(tracker: Tracker) -> list[str]:
    """Every broken invariant of a store, in words."""
    files, index, issues = tracker.files, tracker.index(), tracker.issues()
    found: list[str] = []
    on_disk = {path[7:-5] for path in files if path.startswith("issues/")}
    alive = index["all_ids"]
    if set(alive) != on_disk or len(alive) != len(set(alive)) or set(alive) & set(index["deleted_ids"]):
        found.append("issue index")
    events = tracker.events()
    created = [event["issue_id"] for event in events if event["type"] == "issue_created"]
    if sorted(created) != sorted([*alive, *index["deleted_ids"]]):
        found.append("issue_created")
    if len({event["id"] for event in events}) != len(events):
        found.append("event ids")
    if tracker.redundant() or tracker.isolated():
        found.append("graph")
    gates = tracker.gates()
    runs = tracker.runs()
    for run_id, run in runs.items():
        if run["run_id"] != run_id or run["gate_key"] not in gates:
            found.append(f"run {run_id}")
    for issue_id, issue in issues.items():
        own = [event for event in events if event.get("issue_id") == issue_id]
        state = None
        for event in own:
            if event["type"] == "issue_state_changed":
                if state is not None and event["from"] != state:
                    found.append(f"chain {issue_id}")
                state = event["to"]
        if issue["state"] != (state or issue["state"]) or (
            state is None and issue["state"] not in {"ready", "backlog"}
        ):
            found.append(f"state {issue_id}")
        if not set(issue["dependencies"]) <= set(issues) or issue_id in tracker.reach(issue_id):
            found.append(f"dependencies {issue_id}")
        if not set(issue["gates_status"]) <= set(issue["gates_required"]) <= set(gates):
            found.append(f"gates {issue_id}")
        passed = all(issue["gates_status"].get(key, {}).get("status") == "passed" for key in issue["gates_required"])
        if (issue["state"] == "done" and not passed) or (issue["state"] == "gated" and passed):
            found.append(f"verdicts {issue_id}")
        blocked = not all(is_finished(issues[other]) for other in issue["dependencies"])
        if blocked and issue["state"] in {"ready", "gated", "done"}:
            found.append(f"{issue['state']} over an open dependency {issue_id}")
        if not blocked and issue["state"] == "backlog":
            found.append(f"backlog {issue_id}")
        for key, status in issue["gates_status"].items():
            judged = [
                event for event in own if event["type"] in {"gate_passed", "gate_failed"} and event["gate_key"] == key
            ]
            if judged and judged[-1]["type"] != f"gate_{status['status']}":
                found.append(f"gate event {issue_id} {key}")
            automated = [event for event in judged if event["updated_by"] == "auto:executor"]
            mine = [run for run in runs.values() if (run["issue_id"], run["gate_key"]) == (issue_id, key)]
            if len(automated) != len(mine):
                found.append(f"runs {issue_id} {key}")
    return found


def json_records(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: raw for path, raw in files.items() if path.endswith(".json")}


@pytest.fixture(params=["june", "v1", "mixed"])
def tracker(request: pytest.FixtureRequest) -> Tracker:
    return mixed_tracker(3) if request.param == "mixed" else healthy_tracker(3, request.param)


def test_a_healthy_store_breaks_nothing_and_has_every_state(tracker: Tracker) -> None:
    assert problems(tracker) == []
    states = {issue["state"] for issue in tracker.issues().values()}
    assert states == {"backlog", "ready", "in_progress", "gated", "done", "rejected", "archived"}
    assert documents_of(tracker.files).items() <= tracker.outside.items()


def test_every_record_is_reproduced_from_its_decoded_form(tracker: Tracker) -> None:
    for path, raw in json_records(tracker.files).items():
        ending = "\n" if path.startswith(("schemas/", "profiles/")) else ""
        assert json.dumps(json.loads(raw), indent=2, ensure_ascii=False) + ending == raw.decode()
    lines = tracker.files["events.jsonl"].decode().splitlines(keepends=True)
    for text in lines:
        assert json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) + "\n" == text


def test_june_declares_and_v1_sorts() -> None:
    june, late = healthy_tracker(0, "june"), healthy_tracker(0, "v1")
    for issue in june.issues().values():
        assert list(issue) == [name for name in ISSUE_ORDER if name in issue]
    assert all(event["type"] == next(iter(event.values())) for event in june.events())
    for record in (*late.issues().values(), *late.events(), *late.runs().values(), late.index()):
        assert list(record) == sorted(record)
    assert tomllib.loads(late.files["gates.toml"].decode())["gates"][0]["key"] == "lint"
    assert "gates.json" not in late.files


@pytest.mark.parametrize("era", ERAS)
def test_one_seed_gives_one_history(era: Era) -> None:
    assert healthy_store(7, era) == healthy_store(7, era)
    assert healthy_store(7, era) != healthy_store(8, era)
    assert len(healthy_tracker(7, era, issues=20).ids()) == 20


@pytest.mark.parametrize("era", ERAS)
def test_writes_replayed_elsewhere_give_the_same_store(era: Era) -> None:
    tracker = healthy_tracker(1, era)
    elsewhere = dict(tracker.files)
    rng = random.Random(5)
    for _ in range(40):
        for write in tracker.random_edit(rng):
            apply_write(elsewhere, write)
    assert elsewhere == tracker.files


def test_june_creates_issue_then_issue_index_then_event_in_two_appends() -> None:
    tracker = healthy_tracker()
    writes = tracker.steps("create", "A new sail")
    assert [write.kind for write in writes] == ["replace", "replace", "append", "append"]
    assert [write.path.split("/")[0] for write in writes] == [
        "issues",
        "index.json",
        "events.jsonl",
        "events.jsonl",
    ]
    assert writes[-1].data == b"\n"
    assert tracker.do("create", "A new sail") == writes


def test_june_writes_gate_events_before_the_save_and_runs_before_both() -> None:
    tracker = healthy_tracker()
    ready = next(one for one, issue in tracker.issues().items() if issue["state"] == "ready")
    kinds = [write.path.split("/")[0] for write in tracker.do("gate_add", ready, "lint")]
    assert kinds == ["events.jsonl", "events.jsonl", "issues"]
    writes = tracker.do("gate_run", ready, "lint")
    assert [write.kind for write in writes] == ["mkdir", "replace", "replace", "append", "append"]
    assert [write.path.split("/")[0] for write in writes[:3]] == ["gate-runs", "gate-runs", "issues"]


def test_v1_writes_each_path_once_with_one_time() -> None:
    tracker = healthy_tracker(0, "v1")
    rng = random.Random(2)
    for _ in range(60):
        before = len(tracker.events())
        edits = tracker.random_edit(rng)
        if "issue_created" in {event["type"] for event in tracker.events()[before:]}:
            continue  # two commands
        paths = [write.path for write in edits]
        assert len(paths) == len(set(paths))
        assert {write.kind for write in edits} <= {"replace", "delete", "mkdir"}
        times = {event["timestamp"] for event in tracker.events()[before:]}
        times |= {
            json.loads(write.data)["updated_at"] for write in edits if write.path.startswith("issues/") and write.data
        }
        assert len(times) == 1


def test_v1_keeps_lifecycle_times() -> None:
    tracker = healthy_tracker(0, "v1")
    done = [issue for issue in tracker.issues().values() if issue["state"] == "done"]
    assert all("done_at" in issue for issue in done)
    archived = [issue for issue in tracker.issues().values() if issue["state"] == "archived"]
    assert [issue["archived_from"] for issue in archived] == ["done"]


@pytest.mark.parametrize("era", ERAS)
def test_a_refused_command_changes_nothing(era: Era) -> None:
    tracker = healthy_tracker(0, era)
    before, now = dict(tracker.files), tracker.now
    needed = next(one for one in tracker.ids() if tracker.dependents(one))
    with pytest.raises(RefusedError):
        tracker.delete(needed)
    with pytest.raises(RefusedError):
        tracker.dep_add(needed, needed)
    with pytest.raises(RefusedError):
        tracker.dep_add(needed, tracker.dependents(needed)[0])
    assert (tracker.files, tracker.now) == (before, now)


@pytest.mark.parametrize("era", ERAS)
def test_delete_moves_the_id_and_says_so(era: Era) -> None:
    tracker = healthy_tracker(0, era)
    issue_id = tracker.create("A slip")
    tracker.delete(issue_id)
    assert issue_path(issue_id) not in tracker.files
    assert tracker.index()["deleted_ids"][-1] == issue_id
    assert tracker.events()[-1]["type"] == "issue_deleted"


@proof
@pytest.mark.parametrize("era", [*ERAS, "mixed"])
def test_random_edits_keep_every_invariant(era: str) -> None:
    tracker = mixed_tracker() if era == "mixed" else healthy_tracker(0, "v1" if era == "v1" else "june")
    rng = random.Random(11)
    for number in range(how_many(500, few=100)):
        tracker.random_edit(rng)
        if number % 50 == 49:
            assert problems(tracker) == []


def test_temp_names_are_junes() -> None:
    assert temp_path("index.json", 7) == ".index.json.7.0.tmp"
    assert temp_path("issues/a.json", 7, 2) == "issues/.a.json.7.2.tmp"
    assert temp_path("gate-runs/a/result.json", 7) == "gate-runs/a/result.json.tmp"


@pytest.mark.parametrize("era", ERAS)
def test_a_big_store_is_clean_and_has_the_sizes_asked_for(era: Era) -> None:
    files = big_store(0, 41, 60, 400, era)
    tracker = Tracker(0, era, files)
    assert problems(tracker) == []
    assert (len(tracker.ids()), len(tracker.runs()), len(tracker.events())) == (41, 60, 400)


def test_a_big_store_streams_to_a_directory_as_it_is_in_memory(tmp_path: Path) -> None:
    write_big_store(tmp_path / "store", 1)
    files = big_store()
    for path in itertools.islice(files, 50):
        assert (tmp_path / "store" / path).read_bytes() == files[path]
    assert (tmp_path / "store/events.jsonl").read_bytes() == files["events.jsonl"]


@pytest.mark.skipif(CORPUS is None, reason="JIT_HOOKS_CORPUS names no corpus")
def test_shapes_are_those_of_the_real_tracker() -> None:
    root = Path(str(CORPUS)) / "tracker-made/healthy/store"
    ours = healthy_tracker(0, "june")

    def by_type(text: str) -> dict[str, tuple[str, ...]]:
        return {event["type"]: tuple(event) for event in map(json.loads, text.splitlines())}

    assert by_type((root / "events.jsonl").read_text()) == by_type(ours.files["events.jsonl"].decode())
    assert tuple(json.loads((root / "index.json").read_bytes())) == tuple(ours.index())

    def one(pattern: str) -> list[Record]:
        return [json.loads(path.read_bytes()) for path in sorted(root.glob(pattern))]

    assert {tuple(issue) for issue in one("issues/*.json")} == {tuple(issue) for issue in ours.issues().values()}
    assert {tuple(run) for run in one("gate-runs/*/result.json")} == {tuple(run) for run in ours.runs().values()}
    theirs = one("gates.json")[0]["gates"].values()
    assert {tuple(gate) for gate in theirs} == {tuple(gate) for gate in ours.gates().values()}
    checkers = {tuple(gate["checker"]) for gate in theirs if "checker" in gate}
    assert checkers == {tuple(gate["checker"]) for gate in ours.gates().values() if "checker" in gate}
    preset = json.loads(ours.files["config/gate-presets/harbour.json"])
    assert tuple(one("config/gate-presets/*.json")[0]) == tuple(preset)
    assert {path.name for path in root.glob("schemas/*")} == {
        path.split("/")[1] for path in ours.files if path.startswith("schemas/")
    }
