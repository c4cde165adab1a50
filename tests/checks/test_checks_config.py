from __future__ import annotations

import json

import pytest
from memory_stores import A, check, issue, problems, store_of

Case = dict[str, object]
Expected = list[tuple[str, str]]

CONFIG = """
[version]
schema = 2
[type_hierarchy]
types = { epic = 1, task = 2 }
[type_hierarchy.label_associations]
epic = "epic"
[namespaces.type]
description = ""
unique = true
[unknown]
section = true
"""
SCHEMA = "schemas/own.json"
RULES = f'[[rules]]\nname = "own"\nassert = {{ json-schema = "{SCHEMA}" }}\n'
TEMPLATES = """
[[template]]
name = "plan"
applies_to = ["epic"]
[[template.anchors]]
name = "container"
gates = ["some-preset-of-the-tracker"]
[[template.nodes]]
role = "planning"
type = "task"
[[template.nodes]]
role = "breakdown"
type = "task"
depends_on = ["planning"]
[[template.anchor_edges]]
from = "container"
to = "breakdown"
[[template.transforms]]
kind = "move-upstream-to-role"
role = "planning"
"""
INVARIANTS = """
[[invariants]]
id = "I1"
statement = "s"
kind = "enforced"
enforced-by = "own"
[[invariants]]
id = "I2"
statement = "s"
kind = "enforced"
enforced-by = "tests"
[[invariants]]
id = "I3"
statement = "s"
kind = "advisory"
"""
GATE = {"key": "tests", "title": "", "description": "", "stage": "postcheck", "mode": "manual"}
STORE = store_of(issue(A)) | {
    "config.toml": CONFIG,
    "rules.toml": RULES,
    "templates.toml": TEMPLATES,
    "invariants.toml": INVARIANTS,
    SCHEMA: "{}",
    "gates.json": {"gates": {"tests": GATE}},
}


def without(*names: str) -> Case:
    return {name: content for name, content in STORE.items() if name not in names}


def replaced(name: str, old: str, new: str) -> Case:
    text = STORE[name]
    assert isinstance(text, str)
    assert old in text
    return STORE | {name: text.replace(old, new, 1)}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(STORE, [], id="sound"),
        pytest.param(store_of(issue(A)), [], id="none-at-all"),
        pytest.param(STORE | {"config.toml": 'a = "x'}, [("config.toml", "")], id="unclosed-string"),
        pytest.param(STORE | {SCHEMA: "["}, [], id="broken-schema-is-for-the-file-family"),
        pytest.param(STORE | {SCHEMA: "[]"}, [(SCHEMA, "")], id="schema-is-a-list"),
        pytest.param(replaced("config.toml", "schema = 2", ""), [("config.toml", "version")], id="version"),
        pytest.param(replaced("config.toml", "epic = 1", "epic = 0"), [("config.toml", "type_hierarchy")], id="level"),
        pytest.param(
            replaced("config.toml", "unique = true", ""), [("config.toml", "namespaces/type")], id="namespace"
        ),
        pytest.param(
            STORE | {"config.toml": CONFIG + "[item_kinds.x]\nsection = 's'\n"},
            [("config.toml", "item_kinds/x")],
            id="item-kind",
        ),
        pytest.param(STORE | {"config.toml": "locks = 3\n" + CONFIG}, [("config.toml", "locks")], id="no-section"),
        pytest.param(STORE | {"rules.toml": RULES + RULES}, [("rules.toml", "rules/own")], id="rule-twice"),
        pytest.param(
            replaced("rules.toml", "assert", "severity = 'bad'\nassert"),
            [("rules.toml", "rules/own")],
            id="severity",
        ),
        pytest.param(replaced("rules.toml", "schemas/", "../"), [("rules.toml", "rules/own")], id="schema-outside"),
        pytest.param(
            replaced("rules.toml", "{ json", "{ a = 1, json"),
            [("rules.toml", "rules/own")],
            id="two-assertions",
        ),
        pytest.param(
            STORE | {"rules.toml": RULES + "[[rules]]\nname = 'new'\nassert = { brand-new = 1 }\n"},
            [],
            id="unknown-assertion",
        ),
        pytest.param(without(SCHEMA), [("rules.toml", "rules/own")], id="schema-gone"),
        pytest.param(
            replaced("templates.toml", 'type = "task"', 'type = "bug"'),
            [("templates.toml", "template/plan")],
            id="node-type",
        ),
        pytest.param(
            replaced("config.toml", "task = 2", "bug = 2"),
            [("templates.toml", "template/plan")],
            id="type-gone",
        ),
        pytest.param(
            replaced("templates.toml", 'to = "breakdown"', 'to = "x"'),
            [("templates.toml", "template/plan")],
            id="edge",
        ),
        pytest.param(
            replaced("templates.toml", '"planning"]', '"x"]'),
            [("templates.toml", "template/plan")],
            id="depends",
        ),
        pytest.param(
            replaced("templates.toml", '"planning"]', '"breakdown"]'),
            [("templates.toml", "template/plan")],
            id="circle",
        ),
        pytest.param(
            STORE | {"templates.toml": TEMPLATES + TEMPLATES},
            [("templates.toml", "template/plan")],
            id="template-twice",
        ),
        pytest.param(
            replaced("invariants.toml", '"own"', '"x"'), [("invariants.toml", "invariants/I1")], id="enforcer"
        ),
        pytest.param(
            replaced("rules.toml", '"own"', '"owned"'),
            [("invariants.toml", "invariants/I1")],
            id="rule-renamed",
        ),
        pytest.param(without("gates.json"), [], id="registry-gone-is-for-the-gate-family"),
        pytest.param(STORE | {"gates.json": {"gates": {}}}, [("invariants.toml", "invariants/I2")], id="gate-gone"),
        pytest.param(STORE | {"gates.json": b"{"}, [], id="registry-broken"),
        pytest.param(
            replaced("invariants.toml", 'kind = "advisory"', ""),
            [("invariants.toml", "invariants/I3")],
            id="kind",
        ),
    ],
)
def test_config_malformed(after: Case, expected: Expected) -> None:
    check("config-malformed", STORE, after, *expected)


def test_built_in_rules_enforce_where_no_rules_are_written() -> None:
    text = INVARIANTS.replace('"own"', '"default:namespace-unique:type"')
    check("config-malformed", STORE, without("rules.toml", "invariants.toml") | {"invariants.toml": text})


def test_a_default_rule_of_v1_needs_no_schema_file() -> None:
    mine = RULES.replace("assert", 'origin = "default"\nassert')
    copy = mine.replace(SCHEMA, "schemas/default-label-format.json")
    check("config-malformed", STORE, without(SCHEMA) | {"rules.toml": copy})
    check("config-malformed", STORE, without(SCHEMA) | {"rules.toml": mine}, ("rules.toml", "rules/own"))


NAMESPACES, TYPES = "schemas/default-namespace-registry.json", "schemas/default-type-hierarchy-known.json"


def namespaces(*names: str) -> str:
    pattern = f"^({'|'.join(names)}):"
    return json.dumps({"properties": {"raw_labels": {"items": {"pattern": pattern, "type": "string"}}}})


def types(*names: str) -> str:
    return json.dumps({"properties": {"labels": {"properties": {"type": {"items": {"enum": names}}}}}})


BAKED = STORE | {NAMESPACES: namespaces("epic", "type"), TYPES: types("epic", "task")}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(BAKED, [], id="agree"),
        pytest.param(STORE, [], id="none"),
        pytest.param(BAKED | {"config.toml": CONFIG.replace("task", "bug")}, [(TYPES, "")], id="type-renamed"),
        pytest.param(
            BAKED | {"config.toml": CONFIG.replace("namespaces.type", "namespaces.x")},
            [(NAMESPACES, "")],
            id="namespace-renamed",
        ),
        pytest.param(BAKED | {TYPES: types("epic", "task", "x")}, [(TYPES, "")], id="schema-edited"),
        pytest.param(BAKED | {TYPES: "{}", NAMESPACES: "[]"}, [], id="another-shape"),
    ],
)
def test_baked_schema_outdated(after: Case, expected: Expected) -> None:
    check("baked-schema-outdated", BAKED, after, *expected)


def test_baked_schema_outdated_is_a_note_where_the_files_are_copies() -> None:
    after = BAKED | {TYPES: types("epic")}
    [june] = problems("baked-schema-outdated", after)
    assert june.severity == ""
    assert june.message == "lacks the type `task` of config.toml"
    [since_v1] = problems(
        "baked-schema-outdated", after | {"rules.toml": RULES.replace("assert", 'origin = "x"\nassert')}
    )
    assert since_v1.severity == "note"
