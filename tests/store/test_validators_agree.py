"""The generated validators and the jsonschema package agree: on which pointers of a document are at fault."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT
from proofs import examples, part, proof

from jit_hooks import schemas
from jit_hooks.store import validators

EXAMPLES = ROOT / "schemas" / "examples"

# Public name -> (schema, definition).
KINDS: dict[str, tuple[str, str | None]] = {
    "issue": ("issue", None),
    "index": ("index", None),
    "event": ("event", None),
    "gate_run": ("gate-run", None),
    "gates_json": ("gates", "gates-json"),
    "gates_toml": ("gates", "gates-toml"),
    "preset": ("preset", None),
    "profile": ("profile", None),
    "claim": ("claim", None),
    "claims_index": ("claims-index", None),
    "lock_meta": ("lock-meta", None),
    "worktree": ("worktree", None),
}

# Values that sit on the edge of some rule, and plain ones of every type.
EDGES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 1.0, 0.5, 1e300, 2**31 - 1, 2**31, -(2**31) - 1, 2**32 - 1,
    2**32, 2**64 - 1, 2**64, "", ":", "a:", ":b", "a:b", "a:b:c", "a:\n", "a\n:b", "a:b\n", "\n", "..",
    "../a", "a/..", "a/../b", "a..b", "/a", "a:b/c", "0a" * 32, "0A" * 32, "0a" * 32 + "\n", "open",
    "done", "ready", "normal", "passed", "exec", "auto", "executed", "reused", "rule_validation",
    "acquire", "renew", "gate_passed", "issue_created", "document_archived", "container", "markdown",
    "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z\n", "2026-02-29T09:30:00Z",
    "2024-02-29 09:30:60.5+0100", "2026-03-01T09:30:00", "12026-03-01T09:30:00Z",
    "2026-04-31T09:30:00Z", "٢٠٢٦-03-01T09:30:00Z", "2000-02-29t00:00:00z", "1900-02-29T00:00:00Z", [],
    {}, [None], [[]], ["a"], ["a", 1], [{}], {"a": 1}, {"a": "b"}, {"a": {}}, {"type": "exec"},
    {"kind": "document"}, {"derivation": "executed"}, {"derivation": "reused", "source_run": "x"},
    {"source": "embedded"}, {"roots": ["a"]},
]  # fmt: skip
MEMBERS = [
    "estimate",
    "a/b",
    "a~b",
    "",
    "id",
    "type",
    "op",
    "record_version",
    "source_run",
    "target_hashes",
    "checker",
    "mode",
]


def samples(name: str) -> list[Any]:
    schema, definition = KINDS[name]
    folder = EXAMPLES / schema
    found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/*.json"))]
    if definition is not None:
        by_key = definition == "gates-json"
        found = [one for one in found if isinstance(one.get("gates", []), dict) == by_key]
    return found


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    found: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        node = stack.pop()
        keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            stack.append(node[key])
    return found


def mutate(draw: st.DrawFn, document: Any, others: list[Any]) -> Any:
    """One change: a member deleted, added, given another value or one from elsewhere."""
    kind = draw(st.sampled_from(["delete", "edge", "edge", "add", "borrow", "wrap", "root"]))
    found = places(document)
    if kind == "root" or not found:
        return copy.deepcopy(draw(st.sampled_from(EDGES))) if draw(st.integers(0, 9)) == 0 or not found else document
    node, key = draw(st.sampled_from(found))
    if kind == "delete":
        del node[key]
    elif kind == "edge":
        node[key] = copy.deepcopy(draw(st.sampled_from(EDGES)))
    elif kind == "add":
        if isinstance(node, dict):
            node[draw(st.sampled_from(MEMBERS))] = copy.deepcopy(draw(st.sampled_from(EDGES)))
        else:
            node.append(copy.deepcopy(draw(st.sampled_from(EDGES))))
    elif kind == "borrow":
        there, other = draw(st.sampled_from(places(draw(st.sampled_from(others))) or [(node, key)]))
        node[key] = copy.deepcopy(there[other])
    else:
        node[key] = draw(st.sampled_from([[node[key]], {"a": node[key]}]))
    return document


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """An example with up to three changes."""
    others = samples(name)
    document = copy.deepcopy(draw(st.sampled_from(others)))
    for _ in range(draw(st.integers(0, 3))):
        document = mutate(draw, document, others)
    return document


def both(name: str, document: Any) -> tuple[set[str], set[str]]:
    """The pointers at fault: by the generated validators, by jsonschema."""
    schema, definition = KINDS[name]
    ours = {pointer for pointer, rule, _ in getattr(validators, name)(document) if rule != "unknown-type"}
    return ours, {pointer for pointer, _ in schemas.violations(schema, document, definition=definition)}


@proof
@pytest.mark.parametrize("name", list(KINDS))
def test_both_engines_find_the_same_pointers(name: str) -> None:
    @examples(250, few=30)
    @given(mutated(name))
    def agree(document: Any) -> None:
        ours, theirs = both(name, document)
        assert ours == theirs

    agree()


@proof
@pytest.mark.parametrize("name", list(KINDS))
def test_both_engines_agree_on_each_single_change_of_an_edge(name: str) -> None:
    """Not drawn but all: every edge value in every place of the smallest sound example."""
    sound = [one for one in samples(name) if not both(name, one)[1]]
    document = min((one for one in sound if one), key=lambda one: len(json.dumps(one)))
    for position in range(len(places(document))):
        for edge in part(EDGES, few=5, of=f"{name} {position}"):
            changed = copy.deepcopy(document)
            node, key = places(changed)[position]
            node[key] = edge
            ours, theirs = both(name, changed)
            assert ours == theirs, changed


@pytest.mark.parametrize("name", list(KINDS))
def test_a_fault_names_a_place_a_rule_and_a_detail_once(name: str) -> None:
    for document in samples(name):
        faults = getattr(validators, name)(document)
        assert len({(pointer, rule) for pointer, rule, _ in faults}) == len(faults)
        for pointer, rule, detail in faults:
            assert pointer == "" or pointer.startswith("/")
            assert rule
            assert detail.startswith(("is ", "has "))
            if rule == "enum":
                assert isinstance(resolve(document, pointer), str)


def resolve(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        document = document[int(name) if isinstance(document, list) else name]
    return document
