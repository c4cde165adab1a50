from __future__ import annotations

import json

import pytest
from memory_stores import A, B, check, issue, opened, path, problems, store_of, v1

from jit_hooks.store.labels import FORMAT_JUNE, FORMAT_V1, LabelRules

Case = dict[str, object]
Expected = list[tuple[str, str]]


def rule(name: str, asserted: str, more: str = "") -> str:
    return f'[[rules]]\nname = "{name}"\n{more}\nassert = {{ {asserted} }}\n\n'


def rules(*, more: str = "", leave_out: str = "none", origin: bool = False) -> str:
    prefix, colon = ("", "-") if origin else ("default:", ":")
    mark = more + ('\norigin = "default"' if origin else "")
    text = ""
    for name, schema in (
        ("label-format", "default-label-format"),
        ("namespace-registry", "default-namespace-registry"),
        ("type-hierarchy-known", "default-type-hierarchy-known"),
    ):
        if name != leave_out:
            text += rule(prefix + name, f'json-schema = "schemas/{schema}.json"', mark)
    for namespace in ("type", "team"):
        asserted = f'require-label = {{ label = "{namespace}:*", min = 0, max = 1 }}'
        if leave_out != "unique":
            text += rule(f"{prefix}namespace-unique{colon}{namespace}", asserted, mark)
    return text


def baked(pattern: str) -> str:
    return json.dumps({"properties": {"raw_labels": {"items": {"pattern": pattern}}}})


CONFIG = """
[type_hierarchy]
types = { epic = 1, task = 2 }
[type_hierarchy.label_associations]
epic = "epic"
[namespaces.type]
description = ""
unique = true
[namespaces.team]
description = ""
unique = true
[namespaces.area]
description = ""
unique = false
"""

LABEL_SCHEMA = "schemas/default-label-format.json"
JUNE = {"config.toml": CONFIG, "rules.toml": rules(), LABEL_SCHEMA: baked(FORMAT_JUNE)}
V1 = {"config.toml": CONFIG, "rules.toml": rules(origin=True), LABEL_SCHEMA: baked("^x$")}
BARE: Case = {}


def labelled(*labels: str) -> Case:
    return store_of(issue(A, labels=list(labels)), v1(B))


@pytest.mark.parametrize(
    ("settings", "label", "wrong"),
    [
        pytest.param(JUNE, "type:task", False, id="june"),
        pytest.param(JUNE, "Type bug", True, id="june-space"),
        pytest.param(JUNE, "area:a/b", True, id="june-slash"),
        pytest.param(JUNE | {LABEL_SCHEMA: baked(FORMAT_V1)}, "area:a/b", False, id="june-late-slash"),
        pytest.param(JUNE | {LABEL_SCHEMA: baked("^(a+)+$")}, "Type bug", False, id="own-pattern-is-not-run"),
        pytest.param(V1, "area:a/b", False, id="v1-slash-whatever-the-copy-says"),
        pytest.param(V1, "area:@/b", True, id="v1-first-character"),
        pytest.param(BARE, "area:a/b", False, id="no-rules-slash"),
        pytest.param(BARE, "type:", True, id="no-value"),
        pytest.param(BARE, ":x", True, id="no-namespace"),
        pytest.param(BARE, "a:b:c", True, id="two-colons"),
        pytest.param(BARE, "1a:b", True, id="namespace-begins-with-a-digit"),
        pytest.param(BARE, "type:bug\n", True, id="line-end"),
        pytest.param(BARE, "type:bög", True, id="not-ascii"),
        pytest.param(V1 | {"rules.toml": rules(origin=True, more='severity = "off"')}, "Type bug", False, id="off"),
        pytest.param(V1 | {"rules.toml": ""}, "Type bug", False, id="no-such-rule"),
        pytest.param(
            V1 | {"rules.toml": rules(origin=True, more='severity = "error"')},
            "Type bug",
            True,
            id="error-is-a-warning",
        ),
        pytest.param(
            V1 | {"rules.toml": rules(origin=True, more='when = { type = "epic" }')},
            "Type bug",
            False,
            id="narrowed",
        ),
    ],
)
def test_label_malformed(settings: Case, label: str, wrong: bool) -> None:
    before, after = labelled("type:task") | settings, labelled("type:task", label) | settings
    check("label-malformed", before, after, *([(path(A), label)] if wrong else []))


@pytest.mark.parametrize(
    ("code", "label", "before", "after"),
    [
        pytest.param("label-malformed", "Type bug", V1 | {"rules.toml": ""}, V1, id="rule-added"),
        pytest.param("label-malformed", "area:a/b", JUNE | {LABEL_SCHEMA: baked(FORMAT_V1)}, JUNE, id="schema-changed"),
        pytest.param(
            "label-unregistered",
            "epic:x",
            JUNE,
            JUNE | {"config.toml": CONFIG.replace("epic", "saga")},
            id="namespace-gone",
        ),
        pytest.param(
            "label-unregistered",
            "type:epic",
            V1,
            V1 | {"config.toml": CONFIG.replace("epic =", "saga =", 1)},
            id="type-gone",
        ),
        pytest.param("label-unregistered", "nope:x", V1 | {"config.toml": "["}, V1, id="config-loads-again"),
    ],
)
def test_a_change_of_the_configuration_is_asked_of_every_issue(
    code: str, label: str, before: Case, after: Case
) -> None:
    store = labelled(label)
    check(code, store | before, store | after, (path(A), label))


@pytest.mark.parametrize(
    ("settings", "labels", "expected"),
    [
        pytest.param(JUNE, ["type:task", "epic:x", "area:y"], [], id="june"),
        pytest.param(JUNE, ["nope:x", "type:taks"], [(path(A), "nope:x"), (path(A), "type:taks")], id="june-unknown"),
        pytest.param(V1, ["nope:x", "type:taks"], [(path(A), "nope:x"), (path(A), "type:taks")], id="v1-unknown"),
        pytest.param(BARE, ["component:x", "team:y", "type:story", "milestone:v1"], [], id="built-in"),
        pytest.param(BARE, ["area:x", "type:bug"], [(path(A), "area:x"), (path(A), "type:bug")], id="not-built-in"),
        pytest.param(JUNE, ["Type bug", "Nope:x"], [], id="malformed-says-label-malformed"),
        pytest.param(
            V1 | {"rules.toml": rules(origin=True, leave_out="namespace-registry")},
            ["nope:x", "type:y"],
            [(path(A), "type:y")],
            id="only-types",
        ),
        pytest.param(
            JUNE | {"rules.toml": rules(leave_out="type-hierarchy-known")},
            ["nope:x", "type:y"],
            [(path(A), "nope:x")],
            id="only-namespaces",
        ),
        pytest.param(JUNE | {"config.toml": "["}, ["nope:x"], [], id="config-broken"),
    ],
)
def test_label_unregistered(settings: Case, labels: list[str], expected: Expected) -> None:
    check("label-unregistered", labelled() | settings, labelled(*labels) | settings, *expected)


@pytest.mark.parametrize(
    ("settings", "labels", "expected"),
    [
        pytest.param(JUNE, ["type:task", "team:a", "area:x", "area:y"], [], id="june"),
        pytest.param(JUNE, ["type:task", "type:epic", "team:a"], [(path(A), "type")], id="june-two"),
        pytest.param(
            V1,
            ["type:task", "type:epic", "team:a", "team:b"],
            [(path(A), "type"), (path(A), "team")],
            id="v1",
        ),
        pytest.param(BARE, ["type:task", "type:epic"], [(path(A), "type")], id="built-in"),
        pytest.param(BARE, ["type:task", "type:task"], [], id="a-duplicate-is-not-two"),
        pytest.param(
            V1 | {"rules.toml": rules(origin=True, leave_out="unique")},
            ["type:task", "type:epic"],
            [],
            id="no-such-rule",
        ),
        pytest.param(
            V1 | {"config.toml": CONFIG.replace("true", "false")},
            ["type:task", "type:epic"],
            [],
            id="v1-config-decides",
        ),
        pytest.param(
            JUNE | {"config.toml": CONFIG.replace("true", "false")},
            ["type:task", "type:epic"],
            [(path(A), "type")],
            id="june-rule-decides",
        ),
    ],
)
def test_label_not_unique(settings: Case, labels: list[str], expected: Expected) -> None:
    check("label-not-unique", labelled() | settings, labelled(*labels) | settings, *expected)


def test_label_duplicate() -> None:
    check("label-duplicate", labelled(), labelled("a:b", "a:c", "a:b"), (path(A), "a:b"))
    check("label-duplicate", labelled(), labelled("a:b", "a:c"))


def test_label_malformed_says_when_only_the_slash_is_too_new() -> None:
    [found] = problems("label-malformed", labelled("area:a/b") | JUNE)
    assert "knows no `/`" in found.message


def test_without_any_configuration_the_defaults_of_the_tracker_hold() -> None:
    asked = LabelRules(opened({}))
    assert asked.namespaces == frozenset(("component", "type", "team", "milestone", "epic", "story"))
    assert asked.types == frozenset(("milestone", "epic", "story", "task"))
    assert asked.unique == {"type", "team"}
    assert asked.format == FORMAT_V1
