from __future__ import annotations

import json

import pytest
from memory_stores import A, B, C, check, issue, path, problems, store_of, v1

Case = dict[str, object]
Expected = list[tuple[str, str]]

TIME = "2026-06-01T10:00:00Z"


def status(word: str = "passed") -> dict[str, object]:
    return {"status": word, "updated_by": None, "updated_at": TIME}


def gate(key: str, **members: object) -> dict[str, object]:
    document: dict[str, object] = {
        "version": 1,
        "key": key,
        "title": key,
        "description": "",
        "stage": "postcheck",
        "mode": "manual",
        "priority": 100,
        "reserved": {},
        "auto": False,
        "example_integration": None,
    }
    document.update(members)
    return {name: value for name, value in document.items() if value is not ...}


CHECKER = {
    "type": "exec",
    "command": "true",
    "timeout_seconds": 5,
    "working_dir": None,
    "env": {},
    "pass_context": False,
}


def june(*gates: dict[str, object]) -> Case:
    return {"gates.json": {"gates": {str(each["key"]): each for each in gates}}}


def toml(*keys: str, more: str = "") -> Case:
    rows = "".join(
        f'[[gates]]\nkey = "{key}"\ntitle = ""\ndescription = ""\nstage = "postcheck"\nmode = "manual"\n{more}\n'
        for key in keys
    )
    return {"gates.toml": rows}


NEEDS = store_of(issue(A, gates_required=["t"], gates_status={"t": status()}), v1(B, gates_required=["t"]))
JUNE = NEEDS | june(gate("t"), gate("u"))
V1 = NEEDS | toml("t", "u")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(JUNE, JUNE, [], id="june"),
        pytest.param(V1, V1, [], id="v1"),
        pytest.param(JUNE, NEEDS | june(gate("u")), [(path(A), "t"), (path(B), "t")], id="gate-removed"),
        pytest.param(V1, NEEDS | toml("u"), [(path(A), "t"), (path(B), "t")], id="gate-removed-v1"),
        pytest.param(JUNE, JUNE | {path(C): issue(C, gates_required=["x"])}, [(path(C), "x")], id="new-issue"),
        pytest.param(JUNE, JUNE | {path(B): v1(B, gates_status={"x": status()})}, [(path(B), "x")], id="judged-only"),
        pytest.param(V1, NEEDS | toml(), [(path(A), "t"), (path(B), "t")], id="emptied"),
        pytest.param(JUNE, JUNE | toml(), [], id="shadowed-says-registry-shadowed"),
        pytest.param(JUNE, NEEDS, [], id="absent-says-registry-absent"),
        pytest.param(JUNE, NEEDS | {"gates.json": b"{"}, [], id="broken-says-json-unparsable"),
        pytest.param(
            NEEDS | {"gates.json": b"{"},
            NEEDS | june(gate("u")),
            [(path(A), "t"), (path(B), "t")],
            id="known-once-the-registry-loads",
        ),
    ],
)
def test_gate_unregistered(before: Case, after: Case, expected: Expected) -> None:
    check("gate-unregistered", before, after, *expected)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"gates_required": ["t"], "gates_status": {"t": status()}}, []),
        ({"gates_required": ["t"]}, []),
        ({"gates_status": {"t/u": status(), "v": status()}}, [(path(A), "t/u"), (path(A), "v")]),
        ({"gates_status": {"t": status()}, "labels": ...}, []),
    ],
)
def test_gate_not_required(members: Case, expected: Expected) -> None:
    check("gate-not-required", JUNE, JUNE | {path(A): issue(A, **members)}, *expected)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"gates_required": ["t", "u"]}, []),
        ({"gates_required": ["t", "u", "t", "t"]}, [(path(A), "t")]),
        ({"gates_required": ["t", "t"], "labels": ...}, []),
    ],
)
def test_gate_required_duplicate(members: Case, expected: Expected) -> None:
    check("gate-required-duplicate", JUNE, JUNE | {path(A): issue(A, **members)}, *expected)


PRESET = "config/gate-presets/p.json"


def preset(*gates: dict[str, object]) -> Case:
    small = [
        {name: g[name] for name in g if name not in ("version", "reserved", "auto", "priority", "example_integration")}
        for g in gates
    ]
    return {PRESET: {"name": "p", "description": "d", "gates": small}}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(june(gate("t"), gate("u", mode="auto", auto=True, checker=CHECKER)), [], id="june"),
        pytest.param(toml("t"), [], id="v1"),
        pytest.param({"gates.toml": ""}, [], id="v1-empty"),
        pytest.param(june(gate("t", stage=...)), [("gates.json", "t")], id="member-missing"),
        pytest.param(june(gate("t", stage="later", title=3)), [("gates.json", "t")], id="one-for-a-gate"),
        pytest.param({"gates.json": {"gates": []}}, [("gates.json", "gates")], id="no-map"),
        pytest.param({"gates.json": b"{"}, [], id="no-json-is-for-the-file-family"),
        pytest.param({"gates.toml": "[[gates]\n"}, [("gates.toml", "")], id="no-toml"),
        pytest.param({"gates.toml": '[[gates]]\nkey = "t"\n'}, [("gates.toml", "t")], id="v1-members-missing"),
        pytest.param(toml("t", "t"), [("gates.toml", "t")], id="v1-key-twice"),
        pytest.param(preset(gate("t")), [], id="preset"),
        pytest.param(preset(gate("t", mode="auto")), [(PRESET, "t")], id="preset-without-checker"),
        pytest.param(preset(gate("t"), gate("t")), [(PRESET, "t")], id="preset-key-twice"),
        pytest.param(
            {PRESET: {"name": "p", "gates": []}},
            [(PRESET, "description"), (PRESET, "gates")],
            id="preset-members",
        ),
    ],
)
def test_registry_malformed(files: Case, expected: Expected) -> None:
    check("registry-malformed", store_of(), store_of() | files, *expected)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(june(gate("t"), gate("u", mode="auto", auto=True, checker=CHECKER)), [], id="june"),
        pytest.param(toml("t", more="auto = false"), [], id="v1"),
        pytest.param({"gates.json": {"gates": {"t": gate("u")}}}, [("gates.json", "t")], id="another-key"),
        pytest.param(june(gate("t", mode="auto", auto=True)), [("gates.json", "t")], id="no-checker"),
        pytest.param(june(gate("t", auto=True)), [("gates.json", "t")], id="flag"),
        pytest.param(toml("t", more="auto = true"), [("gates.toml", "t")], id="v1-flag"),
        pytest.param(june(gate("t", auto=True, stage=...)), [], id="does-not-load"),
    ],
)
def test_registry_inconsistent(files: Case, expected: Expected) -> None:
    check("registry-inconsistent", store_of(), store_of() | files, *expected)


RULES_V1 = '[[rules]]\nname = "label-format"\norigin = "default"\nassert = {json-schema = "schemas/x.json"}\n'


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(JUNE, JUNE, [], id="there"),
        pytest.param(JUNE, NEEDS, [("gates.json", "")], id="removed"),
        pytest.param(V1, NEEDS, [("gates.toml", "")], id="removed-v1"),
        pytest.param(store_of(), NEEDS, [("gates.json", "")], id="never-staged"),
        pytest.param(
            store_of() | {"rules.toml": RULES_V1},
            NEEDS | {"rules.toml": RULES_V1},
            [("gates.toml", "")],
            id="never-staged-v1",
        ),
        pytest.param(store_of(), store_of(issue(A)), [], id="nothing-required"),
        pytest.param(JUNE, NEEDS | {"gates.json": b""}, [], id="there-and-empty"),
    ],
)
def test_registry_absent(before: Case, after: Case, expected: Expected) -> None:
    # What a parent had tells the name of the file, so the same store without a parent may name the other one.
    found = {(p.path, p.subject) for p in problems("registry-absent", after, before)}
    assert found == set(expected)
    assert {(p.path, p.subject) for p in problems("registry-absent", after, before, full=False)} == found


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(JUNE, [], id="june"),
        pytest.param(V1, [], id="v1"),
        pytest.param(JUNE | toml(), [("gates.json", "")], id="both"),
        pytest.param(JUNE | {"gates.toml": "["}, [("gates.json", "")], id="both-one-broken"),
    ],
)
def test_registry_shadowed(after: Case, expected: Expected) -> None:
    check("registry-shadowed", JUNE, after, *expected)


def test_registry_shadowed_names_what_only_june_sees() -> None:
    [found] = problems("registry-shadowed", JUNE | toml("t"))
    assert found.message.endswith("only here: `u`")


def line(kind: str, issue_id: str, at: int, **members: object) -> str:
    document = {
        "type": kind,
        "id": f"{at:08x}-0000-4000-8000-00000000000e",
        "issue_id": issue_id,
        "timestamp": f"2026-06-01T10:00:{at:02}Z",
        **members,
    }
    return json.dumps(document, separators=(",", ":")) + "\n"


def added(issue_id: str, at: int) -> str:
    return line("gate_added", issue_id, at, gate_key="t")


def removed(issue_id: str, at: int) -> str:
    return line("gate_removed", issue_id, at, gate_key="t")


REQUIRED = store_of(issue(A, gates_required=["t"]))
FREE = store_of(issue(A))


@pytest.mark.parametrize(
    ("store", "log", "expected"),
    [
        pytest.param(REQUIRED, "", [], id="given-at-creation"),
        pytest.param(REQUIRED, added(A, 1), [], id="added"),
        pytest.param(FREE, added(A, 1), [(path(A), "t")], id="added-and-not-required"),
        pytest.param(FREE, added(A, 1) + removed(A, 2), [], id="removed-again"),
        pytest.param(REQUIRED, added(A, 1) + removed(A, 2), [(path(A), "t")], id="removed-and-required"),
        pytest.param(REQUIRED, removed(A, 2) + added(A, 1), [(path(A), "t")], id="lines-out-of-order"),
        pytest.param(REQUIRED, removed(A, 1) + added(A, 1), [], id="equal-times-keep-file-order"),
        pytest.param(
            FREE,
            added(A, 1) + line("issue_updated", A, 2, updated_by="bulk-update", fields=["gate:-t"]),
            [],
            id="removed-in-bulk",
        ),
        pytest.param(FREE, added(B, 1), [], id="of-an-unknown-issue"),
        pytest.param(FREE | {path(A): b"{"}, added(A, 1), [], id="does-not-load"),
    ],
)
def test_gate_event_unmatched(store: Case, log: str, expected: Expected) -> None:
    check("gate-event-unmatched", FREE, store | {"events.jsonl": log}, *expected)
