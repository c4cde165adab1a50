"""The schemas: their form, their examples, the freshness of what is generated from them, real records."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from project import ROOT

from jit_hooks import schemas
from jit_hooks.store import faults, validators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

EXAMPLES = ROOT / "schemas" / "examples"
SHARED = Path(os.environ.get("JIT_HOOKS_CORPUS") or ROOT.parent / "shared")
CORPUS = SHARED / "corpus" if (SHARED / "corpus").is_dir() else SHARED
NAMES = [
    "claim", "claims-index", "event", "gate-run", "gates", "hooks", "index", "issue", "lock-meta", "preset",
    "profile", "report", "worktree",
]  # fmt: skip

Fault = tuple[str, str, str]


def judge(name: str, document: object) -> list[Fault] | None:
    """What the generated validators find, unknown event types apart; None for what they do not judge."""
    if name in ("hooks", "report"):
        return None
    function = name.replace("-", "_")
    if name == "gates":
        by_key = isinstance(document, dict) and isinstance(document.get("gates"), dict)
        function = "gates_json" if by_key else "gates_toml"
    found: list[Fault] = getattr(validators, function)(document)
    return [fault for fault in found if fault[1] != "unknown-type"]


def examples(kind: str) -> list[Any]:
    found = sorted(EXAMPLES.glob(f"*/{kind}/*.json"))
    return [pytest.param(path.parent.parent.name, path, id=f"{path.parent.parent.name}-{path.stem}") for path in found]


def subschemas(schema: object, *, members: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property with its name, at any depth."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if members and isinstance(inner, dict):
                yield name, inner
            yield from subschemas(inner, members=name == "properties" and not members)
    elif isinstance(schema, list):
        for inner in schema:
            yield from subschemas(inner)


def without_conditions(schema: object) -> object:
    """A schema less its `if`s: their members are tests, not descriptions."""
    if isinstance(schema, dict):
        return {name: without_conditions(inner) for name, inner in schema.items() if name != "if"}
    return [without_conditions(inner) for inner in schema] if isinstance(schema, list) else schema


def test_every_kind_of_record_has_a_schema() -> None:
    assert schemas.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound_draft_07(name: str) -> None:
    schema = json.loads(schemas.text(name))
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"] == f"urn:jit-hooks:schema:{name}"
    assert schema["title"]
    assert schema["description"]
    for definition in schema.get("definitions", {}).values():
        assert definition["title"]
        assert definition["description"]


@pytest.mark.parametrize("name", NAMES)
def test_every_property_is_described(name: str) -> None:
    schema = without_conditions(json.loads(schemas.text(name)))
    bare = [member for member, inner in subschemas(schema) if "description" not in inner and "$ref" not in inner]
    assert bare == []


@pytest.mark.parametrize("name", NAMES)
def test_patterns_end_before_a_newline_and_read_ascii_digits(name: str) -> None:
    def patterns(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "pattern" and isinstance(inner, str):
                    yield inner
                yield from patterns(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from patterns(inner)

    for pattern in patterns(json.loads(schemas.text(name))):
        assert "\\d" not in pattern
        assert pattern.endswith("$(?!\\n)") or pattern == "\\S"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(schemas.UnknownNameError, match="did you mean issue"):
        schemas.text("isue")
    with pytest.raises(KeyError, match="known: claim, "):
        schemas.violations("zzz", {})
    with pytest.raises(schemas.UnknownNameError, match="era-v1"):
        schemas.violations("issue", {}, definition="era-v11")


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_has_examples_of_both_kinds(name: str) -> None:
    assert list((EXAMPLES / name / "accepted").iterdir())
    assert list((EXAMPLES / name / "refused").iterdir())


@pytest.mark.parametrize(("name", "path"), examples("accepted"))
def test_an_accepted_example_is_accepted_by_both_engines(name: str, path: Path) -> None:
    document = json.loads(path.read_bytes())
    assert schemas.violations(name, document) == []
    assert judge(name, document) in ([], None)


@pytest.mark.parametrize(("name", "path"), examples("refused"))
def test_a_refused_example_is_refused_by_both_engines(name: str, path: Path) -> None:
    document = json.loads(path.read_bytes())
    pointers = {pointer for pointer, _ in schemas.violations(name, document)}
    assert pointers
    found = judge(name, document)
    assert found is None or {pointer for pointer, _, _ in found} == pointers


def test_every_event_type_has_an_accepted_example() -> None:
    seen = {json.loads(path.read_bytes())["type"] for path in (EXAMPLES / "event" / "accepted").iterdir()}
    assert seen >= set(validators.EVENT_TYPES)


@pytest.mark.parametrize(("name", "path"), [p for p in examples("accepted") if p.values[1].stem.startswith("era-")])
def test_an_example_named_for_an_era_fits_that_era(name: str, path: Path) -> None:
    known = json.loads(schemas.text(name))["definitions"]
    era = max((era for era in known if path.stem.startswith(era)), key=len)
    assert schemas.violations(name, json.loads(path.read_bytes()), definition=era) == []


@pytest.mark.parametrize(
    ("name", "file", "era"),
    [
        ("issue", "era-2025-12-without-timestamps", "era-2025-12"),
        ("issue", "era-2026-02-free-assignee", "era-2026-02"),
        ("event", "era-2025-12-free-actor", "era-2025-12"),
    ],
)
def test_what_no_tracker_loads_any_more_fits_its_own_era(name: str, file: str, era: str) -> None:
    document = json.loads((EXAMPLES / name / "refused" / f"{file}.json").read_bytes())
    assert schemas.violations(name, document, definition=era) == []


@pytest.mark.parametrize(
    "path",
    sorted(EXAMPLES.glob("*/accepted/member-the-tracker-drops.json")),
    ids=lambda path: path.parent.parent.name,
)
def test_a_member_the_tracker_drops_is_named(path: Path) -> None:
    name = path.parent.parent.name
    document = json.loads(path.read_bytes())
    function = "gates_toml_unknown" if name == "gates" else f"{name.replace('-', '_')}_unknown"
    assert len(getattr(validators, function)(document)) == 1


def test_dropped_members_are_found_at_any_depth() -> None:
    document = json.loads((EXAMPLES / "issue" / "accepted" / "era-v1.json").read_bytes())
    assert validators.issue_unknown(document) == []
    document["gates_status"]["taste"]["a/b~c"] = 1
    document["documents"][0]["assets"][0]["size"] = 3
    document["context"]["free"] = "text"
    assert validators.issue_unknown(document) == ["/gates_status/taste/a~1b~0c", "/documents/0/assets/0/size"]


def test_what_stands_beside_a_checker_depends_on_its_type() -> None:
    gate = {
        "checker": {"type": "rule_validation", "rule": "r", "command": "c"},
        "reserved": {"any": {"thing": 1}},
    }
    assert validators.gates_toml_unknown({"gates": [gate]}) == ["/gates/0/checker/command"]
    gate["checker"] = {"type": "issue_validation", "rule": "r"}
    assert validators.gates_toml_unknown({"gates": [gate]}) == ["/gates/0/checker/rule"]


def test_members_beside_conditions_are_walked_too() -> None:
    preset = json.loads((EXAMPLES / "preset" / "accepted" / "two-gates.json").read_bytes())
    preset["gates"][0]["checker"]["shell"] = "sh"
    preset["gates"][0]["colour"] = preset["gates"][1]["colour"] = "red"
    assert validators.preset_unknown(preset) == [
        "/gates/0/colour",
        "/gates/0/checker/shell",
        "/gates/1/colour",
    ]
    profile = json.loads((EXAMPLES / "profile" / "accepted" / "era-v1.json").read_bytes())
    profile["origin"]["note"] = "x"
    assert validators.profile_unknown(profile) == ["/origin/note"]
    run = json.loads((EXAMPLES / "gate-run" / "accepted" / "era-v1.json").read_bytes())
    run["findings"]["findings"][0]["colour"] = "red"
    run["origin"]["note"] = "a fault, not a dropped member"
    assert validators.gate_run_unknown(run) == ["/findings/findings/0/colour"]


def test_a_walk_for_dropped_members_bears_any_document() -> None:
    odds: list[Any] = [None, [], "x", 3, {"gates": 3}, {"leases": [3]}, {"origin": 7}, {"type": []}]
    for function in [name for name in dir(faults) if name.endswith("_unknown")]:
        for odd in odds:
            assert isinstance(getattr(validators, function)(odd), list)


def test_faults_say_what_is_wrong() -> None:
    document = json.loads((EXAMPLES / "issue" / "accepted" / "era-2026-06.json").read_bytes())
    document |= {"priority": "norml", "title": 3, "created_at": "today"}
    document["labels"] = [None, "x" * 5]
    del document["state"]
    assert sorted(validators.issue(document)) == [
        ("/created_at", "pattern", 'is "today", not a time of RFC 3339 with seconds and an offset'),
        ("/labels/0", "type", "is null, not a string"),
        ("/priority", "enum", 'is "norml", not one of low, normal, high, critical'),
        ("/state", "required", "is missing"),
        ("/title", "type", "is an integer, not a string"),
    ]
    assert validators.index({"schema_version": 3, "all_ids": []}) == [
        ("/schema_version", "maximum", "is 3, more than 2")
    ]


def test_of_an_unknown_event_type_only_the_envelope_is_judged() -> None:
    found = validators.event({"type": "jar_opened", "id": 4})
    assert [fault[:2] for fault in found] == [
        ("/timestamp", "required"),
        ("/id", "type"),
        ("/type", "unknown-type"),
    ]


def test_long_values_are_shortened() -> None:
    ((_, _, detail),) = validators.index({"schema_version": 10**60, "all_ids": []})
    assert len(detail) < 70
    document = {
        "type": "issue_claimed",
        "id": "",
        "issue_id": "",
        "timestamp": "2026-03-01T09:30:00Z",
        "assignee": "a" * 90,
    }
    ((_, _, detail),) = validators.event(document)
    assert len(detail) < 90


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_validators", ROOT / "tools" / "generate_validators.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_modules_are_fresh() -> None:
    texts: Callable[[], dict[Path, str]] = generator().texts
    made = texts()
    assert made == texts()
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make schemas`"


def test_the_hot_module_imports_nothing_but_re() -> None:
    script = (
        "import sys, json\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import jit_hooks.store.validators as v\n"
        "assert v.index({'schema_version': 2, 'all_ids': []}) == []\n"
        "print(sorted({'typing', 'jsonschema', 'jit_hooks.store.faults'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


needs_corpus = pytest.mark.skipif(
    not (CORPUS / "tracker-made").is_dir(), reason="the corpus of real stores is not here"
)


def real_records() -> Iterator[tuple[str, str, object]]:
    """(schema, where, document) of every record that a tracker wrote and loads."""
    made = CORPUS / "tracker-made"
    stores = [
        made / "healthy" / "store",
        made / "linked" / "main-store",
        made / "linked" / "store-2-after-writes",
    ]
    stores += sorted(made.glob("normal-but-invalid/*/store")) + sorted(made.glob("raced/*/store"))
    for store in [*stores, CORPUS / "tracker-v1-samples"]:
        one = {"index*.json": "index", "gates.json": "gates", "worktree.json": "worktree"}
        many = {
            "issues/*.json": "issue",
            "gate-runs/*/result.json": "gate-run",
            "config/gate-presets/*.json": "preset",
        }
        for pattern, name in (one | many).items():
            for path in sorted(store.glob(pattern)):
                yield name, str(path), json.loads(path.read_bytes())
        for path in sorted(store.glob("gates*.toml")):
            yield "gates", str(path), tomllib.loads(path.read_text())
        for path in sorted(store.glob("events*.jsonl")):
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                yield "event", f"{path}:{number}", json.loads(line)
    for control in [made / "healthy" / "control", made / "linked" / "control"]:
        yield "claims-index", str(control), json.loads((control / "claims.index.json").read_bytes())
        for line in (control / "claims.jsonl").read_bytes().splitlines():
            yield "claim", str(control), json.loads(line)
    meta = made / "crashed" / "C19-lock-meta-left" / "control" / "locks" / "claims.lock.meta"
    yield "lock-meta", str(meta), json.loads(meta.read_bytes())


@needs_corpus
def test_every_real_record_is_accepted_by_both_engines() -> None:
    kinds = set()
    for name, where, document in real_records():
        kinds.add(name)
        assert judge(name, document) == [], where
        assert schemas.violations(name, document) == [], where
        function = name.replace("-", "_")
        if name != "gates":
            assert getattr(validators, f"{function}_unknown")(document) == [], where
    assert kinds == set(NAMES) - {"hooks", "report", "profile"}


@needs_corpus
def test_the_head_of_the_real_history_is_accepted(tmp_path: Path) -> None:
    bundle = CORPUS / "just-in-time-jit-history.bundle"
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, tmp_path / "real"], check=True, capture_output=True)
    store = tmp_path / "real" / ".jit"
    for path in store.glob("issues/*.json"):
        assert validators.issue(json.loads(path.read_bytes())) == [], path
    for path in store.glob("gate-runs/*/result.json"):
        assert validators.gate_run(json.loads(path.read_bytes())) == [], path
    for line in (store / "events.jsonl").read_bytes().splitlines():
        assert validators.event(json.loads(line)) == [], line
    assert validators.index(json.loads((store / "index.json").read_bytes())) == []
    assert validators.gates_json(json.loads((store / "gates.json").read_bytes())) == []
