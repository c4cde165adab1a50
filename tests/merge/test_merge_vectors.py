"""The vectors of the merge semantics (section 9) and the special rows of its sections 2 to 5."""

from __future__ import annotations

import json
from itertools import product

import pytest

from jit_hooks.merge.conflict import read_conflict
from jit_hooks.merge.facts import Facts
from jit_hooks.merge.merging import MERGED, NOT_MERGED, OPEN, Merged, merge

Document = dict[str, object]

ID = "00000001-0000-4000-8000-000000000001"
OTHER = "00000002-0000-4000-8000-000000000002"


def at(second: int) -> str:
    """A moment, so many seconds into one hour."""
    return f"2026-06-01T12:{second // 60:02}:{second % 60:02}.000000001Z"


BASE: Document = {
    "id": ID,
    "title": "Title",
    "description": "",
    "state": "ready",
    "priority": "normal",
    "assignee": None,
    "dependencies": [],
    "gates_required": [],
    "gates_status": {},
    "context": {},
    "documents": [],
    "labels": [],
    "created_at": at(0),
    "updated_at": at(0),
}


def issue(**members: object) -> Document:
    """An issue as June's tracker writes it; a member of None stays null."""
    return {**BASE, **members}


def data(document: object) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def verdict(status: str, second: int, by: str | None = "human:bo") -> Document:
    return {"status": status, "updated_by": by, "updated_at": at(second)}


PENDING = verdict("pending", 0, None)


def merged_issue(base: Document | None, ours: Document, theirs: Document, facts: Facts | None = None) -> Merged:
    """The merge both ways round, which must agree (law L2)."""
    before = data(base) if base is not None else None
    found = merge("issue", before, data(ours), data(theirs), name=ID, facts=facts)
    turned = merge("issue", before, data(theirs), data(ours), name=ID, facts=facts)
    assert found.status == turned.status
    assert open_atoms(found) == open_atoms(turned)
    if found.status == MERGED:
        assert found.document == turned.document
    elif found.status == OPEN:
        alternatives, mirrored = read_conflict(found.document), read_conflict(turned.document)
        assert alternatives is not None
        assert mirrored == alternatives[::-1]
    return found


def open_atoms(found: Merged) -> set[str]:
    return {"/".join(conflict.pointer) for conflict in found.conflicts}


def alternatives(found: Merged) -> tuple[Document, Document, Document]:
    parts = read_conflict(found.document)
    assert parts is not None
    ours, base, theirs = map(json.loads, parts)
    return ours, base, theirs


def rules(found: Merged) -> set[str]:
    return {note.rule for note in found.notes}


VECTORS = [
    pytest.param(
        {}, {"state": "in_progress", "assignee": "a:x"}, {"state": "in_progress", "assignee": "a:y"}, {"assignee"}, {},
        id="two-claimers",
    ),
    pytest.param(
        {}, {"state": "in_progress", "assignee": "a:x"}, {"state": "done"}, {"state", "assignee"}, {},
        id="claimed-and-done",
    ),
    pytest.param(
        {},
        {"state": "backlog", "dependencies": ["d"]},
        {"state": "in_progress", "assignee": "a:x"},
        set(),
        {"state": "in_progress", "assignee": "a:x", "dependencies": ["d"]},
        id="S3",
    ),
    pytest.param(
        {"state": "in_progress", "assignee": "a:x"},
        {"state": "ready", "assignee": None},
        {"state": "done", "assignee": "a:x"},
        {"state", "assignee"},
        {},
        id="released-and-done",
    ),
    pytest.param(
        {"state": "in_progress", "assignee": "a:x", "gates_required": ["g1"],
         "gates_status": {"g1": verdict("passed", 1)}},
        {"state": "done", "assignee": "a:x", "gates_required": ["g1"], "gates_status": {"g1": verdict("passed", 1)}},
        {"state": "in_progress", "assignee": "a:x", "gates_required": ["g1", "g2"],
         "gates_status": {"g1": verdict("passed", 1), "g2": PENDING}},
        {"state"},
        {},
        id="done-with-a-new-gate",
    ),
    pytest.param(
        {"gates_required": ["g"], "gates_status": {"g": PENDING}},
        {"gates_required": ["g"], "gates_status": {"g": verdict("passed", 2)}},
        {"gates_required": ["g"], "gates_status": {"g": verdict("failed", 1)}},
        set(),
        {"gates_status": {"g": verdict("passed", 2)}},
        id="S2",
    ),
    pytest.param(
        {},
        {"gates_required": ["g"], "gates_status": {"g": verdict("pending", 9, None)}},
        {"gates_required": ["g"], "gates_status": {"g": verdict("passed", 3)}},
        set(),
        {"gates_status": {"g": verdict("passed", 3)}, "gates_required": ["g"]},
        id="placeholder",
    ),
    pytest.param(
        {"gates_required": ["g"], "gates_status": {"g": verdict("passed", 1)}},
        {},
        {"gates_required": ["g"], "gates_status": {"g": verdict("failed", 2)}},
        {"gates_status/g"},
        {"gates_required": ["g"]},
        id="gate-removed-and-judged",
    ),
    pytest.param(
        {"labels": ["type:task"]}, {"labels": ["type:bug"]}, {"labels": ["type:epic"]}, {"labels/type"}, {},
        id="unique-namespace",
    ),
    pytest.param(
        {"labels": ["epic:a"]}, {"labels": ["epic:b"]}, {"labels": ["epic:a", "epic:c"]}, set(),
        {"labels": ["epic:b", "epic:c"]},
        id="labels",
    ),
    pytest.param(
        {"dependencies": ["p"]}, {"dependencies": ["p", "q"]}, {"dependencies": []}, set(), {"dependencies": ["q"]},
        id="dependencies",
    ),
    pytest.param(
        {"updated_at": at(100), "title": "o"}, {"updated_at": at(50)}, {"updated_at": at(100), "title": "o"}, set(),
        {"updated_at": at(50)},
        id="one-sided-stamp",
    ),
    pytest.param(
        {"updated_at": at(100)}, {"updated_at": at(50), "title": "x"}, {"updated_at": at(60), "priority": "low"}, set(),
        {"updated_at": at(60), "title": "x", "priority": "low"},
        id="S1",
    ),
    pytest.param(
        {}, {"state": "in_progress", "assignee": "a:x", "updated_at": at(3)},
        {"updated_at": at(3), "description": "more"}, set(),
        {"state": "in_progress", "assignee": "a:x", "description": "more"},
        id="nothing-in-common",
    ),
    pytest.param(
        {"gates_required": ["g"]},
        {"gates_required": []},
        {"gates_required": ["g"], "gates_status": {"g": verdict("passed", 2)}},
        {"gates_status/g"},
        {"gates_required": ["g"]},
        id="first-verdict-of-a-removed-gate",
    ),
    pytest.param(
        {"gates_required": ["g"], "gates_status": {"g": PENDING}},
        {"gates_required": ["g"], "gates_status": {"g": verdict("passed", 2)}},
        {"gates_required": ["g"], "gates_status": {"g": verdict("failed", 2)}},
        {"gates_status/g"},
        {},
        id="two-verdicts-of-one-instant",
    ),
    pytest.param(
        {"context": {"a": "1", "b": "1"}}, {"context": {"a": "2", "b": "1"}}, {"context": {"a": "3", "b": "2"}},
        {"context/a"}, {},
        id="context",
    ),
    pytest.param(
        {"x_new": {"deep": {"p": 1.50, "q": 1}}},
        {"x_new": {"deep": {"p": 1.50, "q": 2}}},
        {"x_new": {"deep": {"p": 2.50, "q": 1}}},
        set(),
        {"x_new": {"deep": {"p": 2.50, "q": 2}}},
        id="unknown-objects-merge",
    ),
    pytest.param({"x_new": [1]}, {"x_new": [1, 2]}, {"x_new": [1, 3]}, {"x_new"}, {}, id="unknown-list"),
    pytest.param(
        {"done_at": at(9)}, {"done_at": at(7)}, {"done_at": at(8)}, set(), {"done_at": at(7)}, id="S5",
    ),
    pytest.param({"done_at": at(9)}, {}, {"done_at": at(9), "title": "x"}, set(), {"done_at": at(9)}, id="S5-dropped"),
    pytest.param(
        {}, {"state": "archived", "archived_from": "ready"}, {"state": "archived", "archived_from": "done"},
        {"archived_from"}, {}, id="archived-from-two-states",
    ),
    pytest.param(
        {"state": "archived", "archived_from": "done"},
        {"state": "ready"},
        {"state": "archived", "archived_from": "done", "title": "x"},
        set(),
        {"state": "ready", "title": "x"},
        id="revived",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("base", "ours", "theirs", "opened", "values"), VECTORS)
def test_a_vector_of_an_issue(
    base: Document, ours: Document, theirs: Document, opened: set[str], values: Document
) -> None:
    found = merged_issue(issue(**base), issue(**ours), issue(**theirs))
    assert open_atoms(found) == opened
    assert found.status == (OPEN if opened else MERGED)
    documents = alternatives(found) if opened else (json.loads(found.document),)
    for document in documents:
        assert {name: document.get(name) for name in values} == values


def test_notes_name_the_rule_and_both_verdicts() -> None:
    base = issue(gates_required=["g"], gates_status={"g": PENDING})
    ours = issue(gates_required=["g"], gates_status={"g": verdict("passed", 2)})
    theirs = issue(gates_required=["g"], gates_status={"g": verdict("failed", 1)})
    (note,) = merged_issue(base, ours, theirs).notes
    assert note.rule == "S2"
    assert "passed" in note.text
    assert "failed" in note.text


def test_archived_from_goes_with_a_state_that_is_not_archived() -> None:
    base = issue(state="archived", archived_from="done")
    found = merged_issue(base, issue(state="ready"), issue(state="archived", archived_from="done", title="x"))
    assert "archived_from" not in json.loads(found.document)


def test_times_are_equal_as_instants_and_the_changed_spelling_stays() -> None:
    base = issue(created_at="2026-06-01T12:00:00+00:00", updated_at="2026-06-01T12:00:00+00:00")
    ours = issue(created_at="2026-06-01T12:00:00Z", updated_at=at(5))
    theirs = issue(created_at="2026-06-01T12:00:00+00:00", updated_at="2026-06-01T12:00:05.000000002+00:00")
    document = json.loads(merged_issue(base, ours, theirs).document)
    assert document["created_at"] == "2026-06-01T12:00:00Z"
    assert document["updated_at"] == "2026-06-01T12:00:05.000000002+00:00"


def test_without_a_base_absent_null_and_empty_say_nothing() -> None:
    ours = issue(description="text", dependencies=["a"], labels=["epic:a"])
    theirs = issue(assignee="a:x", dependencies=["b"], labels=["epic:b"])
    del ours["assignee"]
    document = json.loads(merged_issue(None, ours, theirs).document)
    assert document["description"] == "text"
    assert document["assignee"] == "a:x"
    assert sorted(document["dependencies"]) == ["a", "b"]
    assert sorted(document["labels"]) == ["epic:a", "epic:b"]
    assert open_atoms(merged_issue(None, issue(title="p"), issue(title="q"))) == {"title"}


def test_numbers_keep_their_literal_text() -> None:
    base, ours, theirs = (data(issue(x_size=0, **more)) for more in ({}, {"title": "x"}, {"priority": "low"}))
    found = [version.replace(b'"x_size": 0', b'"x_size": 1.50e+2') for version in (base, ours, theirs)]
    assert b'"x_size": 1.50e+2' in merge("issue", found[0], found[1], found[2], name=ID).document


def test_equal_numbers_in_two_spellings_are_two_values() -> None:
    found = merged_issue(issue(x_size=1), issue(x_size=2), issue(x_size=2.0))
    assert open_atoms(found) == {"x_size"}


@pytest.mark.parametrize("turned", [False, True])
def test_the_result_is_sorted_if_either_side_is(turned: bool) -> None:
    base, ours = data(issue()), data(issue(title="x"))
    theirs = json.dumps(issue(priority="low"), indent=2, sort_keys=True).encode()
    sides = (theirs, ours) if turned else (ours, theirs)
    found = merge("issue", base, *sides, name=ID)
    assert found.document == json.dumps(issue(title="x", priority="low"), indent=2, sort_keys=True).encode()


def test_a_namespace_is_unique_by_evidence_when_the_settings_cannot_be_read() -> None:
    base, ours, theirs = issue(labels=["epic:a"]), issue(labels=["epic:b"]), issue(labels=["epic:c"])
    assert open_atoms(merged_issue(base, ours, theirs, Facts(unique=None))) == {"labels/epic"}
    assert open_atoms(merged_issue(base, ours, theirs, Facts(unique=("type",)))) == set()
    two = issue(labels=["epic:a", "epic:d"])
    assert open_atoms(merged_issue(two, ours, theirs, Facts(unique=None))) == set()


PLAN: Document = {"path": "p", "commit": None, "label": "plan", "doc_type": None}


def test_one_path_under_two_labels_is_two_documents() -> None:
    other = {**PLAN, "label": "spec"}
    found = merged_issue(issue(), issue(documents=[PLAN]), issue(documents=[other]))
    assert json.loads(found.document)["documents"] == [PLAN, other]


def test_a_document_merges_by_member_and_is_open_when_removed_and_changed() -> None:
    base = issue(documents=[PLAN])
    typed, pinned = {**PLAN, "doc_type": "design"}, {**PLAN, "commit": "HEAD"}
    found = merged_issue(base, issue(documents=[typed]), issue(documents=[pinned]))
    assert json.loads(found.document)["documents"] == [{**PLAN, "doc_type": "design", "commit": "HEAD"}]
    found = merged_issue(base, issue(documents=[]), issue(documents=[pinned]))
    assert open_atoms(found) == {"documents/p/plan"}
    assert [document["documents"] for document in alternatives(found)] == [[], [PLAN], [pinned]]


def test_how_often_a_document_is_repeated_is_a_register() -> None:
    """Were repeats to collapse, the merge of two and three could be the base, and a second merge undo it (law L7)."""
    once, twice, thrice = (issue(documents=[PLAN] * count) for count in (1, 2, 3))
    other = {**PLAN, "path": "q"}
    assert json.loads(merged_issue(issue(), twice, issue(title="x")).document)["documents"] == [PLAN, PLAN]
    assert json.loads(merged_issue(issue(), twice, issue(documents=[other])).document)["documents"] == [
        PLAN,
        PLAN,
        other,
    ]
    assert json.loads(merged_issue(issue(), twice, once).document)["documents"] == [PLAN]
    assert json.loads(merged_issue(once, twice, thrice).document)["documents"] == [PLAN, PLAN]


def test_two_entries_of_one_document_are_one_register() -> None:
    typed, pinned = {**PLAN, "doc_type": "design"}, {**PLAN, "commit": "HEAD"}
    other = {**PLAN, "path": "q"}
    twice = issue(documents=[PLAN, typed])
    found = merged_issue(issue(documents=[PLAN]), twice, issue(documents=[PLAN, other]))
    assert json.loads(found.document)["documents"] == [PLAN, typed, other]
    found = merged_issue(issue(documents=[PLAN]), twice, issue(documents=[pinned]))
    assert open_atoms(found) == {"documents/p/plan"}
    assert [document["documents"] for document in alternatives(found)] == [[PLAN, typed], [PLAN], [pinned]]


def test_a_document_removed_and_repeated_conflicts_in_every_order() -> None:
    """Three branches: were the two entries a set, the order of the merges would decide (law L8)."""
    typed = {**PLAN, "doc_type": "design"}
    base, twice = issue(documents=[PLAN]), issue(documents=[PLAN, typed])
    gone, retitled = issue(documents=[]), issue(documents=[], title="x")
    assert merged_issue(base, twice, gone).status == OPEN
    assert merged_issue(base, json.loads(merged_issue(base, gone, retitled).document), twice).status == OPEN


def test_assets_merge_by_their_original_path() -> None:
    asset = {"original_path": "a.png", "resolved_path": None, "asset_type": "local", "mime_type": None,
             "content_hash": None, "is_shared": False}  # fmt: skip
    base = issue(documents=[{**PLAN, "assets": [asset]}])
    ours = issue(documents=[{**PLAN, "assets": [{**asset, "mime_type": "image/png"}]}])
    theirs = issue(documents=[{**PLAN, "assets": [{**asset, "is_shared": True}, {**asset, "original_path": "b"}]}])
    (document,) = json.loads(merged_issue(base, ours, theirs).document)["documents"]
    assert document["assets"] == [
        {**asset, "mime_type": "image/png", "is_shared": True},
        {**asset, "original_path": "b"},
    ]
    clash = issue(documents=[{**PLAN, "assets": [{**asset, "mime_type": "image/gif"}]}])
    assert open_atoms(merged_issue(base, ours, clash)) == {"documents/p/plan/assets/a.png/mime_type"}


def test_a_member_of_a_wrong_type_merges_as_an_unknown_one() -> None:
    base, ours = issue(labels={"a": 1}), issue(labels={"a": 1}, title="x")
    document = json.loads(merged_issue(base, ours, issue(labels={"a": 2})).document)
    assert document["labels"] == {"a": 2}


def test_the_message_of_done_over_a_gate_names_the_gate_and_who_asks() -> None:
    started = {"state": "in_progress", "assignee": "a:x"}
    found = merged_issue(
        issue(**started),
        issue(state="done", assignee="a:x"),
        issue(**started, gates_required=["review"], gates_status={"review": PENDING}),
    )
    (conflict,) = found.conflicts
    assert "`review`" in conflict.reason
    assert "theirs" in conflict.reason
    ours, _, theirs = alternatives(found)
    assert (ours["state"], theirs["state"]) == ("done", "in_progress")
    assert ours["gates_required"] == ["review"]


def test_a_conflict_shows_each_member_three_times_and_reads_well() -> None:
    found = merged_issue(issue(), issue(state="rejected"), issue(state="done"))
    assert (
        b'<<<<<<< ours: state\n  "state": "rejected",\n||||||| base: state\n  "state": "ready",\n'
        b'=======\n  "state": "done",\n>>>>>>> theirs: state\n' in found.document
    )
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(found.document)


def test_any_mixture_of_hunks_parses_when_the_last_member_is_open() -> None:
    names = ("title", "priority", "zz_last")
    base, ours, theirs = (issue(**dict.fromkeys(names, value)) for value in ("low", "high", "critical"))
    found = merged_issue(base, ours, theirs)
    assert open_atoms(found) == set(names)
    for choices in product(("high", "low", "critical"), repeat=len(names)):
        assert json.loads(mixed(found.document, choices))["title"] == choices[0]


def mixed(document: bytes, choices: tuple[str, ...]) -> bytes:
    """The text with one alternative for every hunk, told by what it holds."""
    kept: list[bytes] = []
    hunk: list[list[bytes]] = []
    following = iter(choices)
    for line in document.splitlines(keepends=True):
        if line.startswith((b"<<<<<<<", b"|||||||", b"=======")):
            hunk.append([])
        elif line.startswith(b">>>>>>>"):
            choice = next(following).encode()
            kept.extend(next(lines for lines in hunk if choice in b"".join(lines)))
            hunk = []
        else:
            (hunk[-1] if hunk else kept).append(line)
    return b"".join(kept)


def test_a_contested_atom_is_open_again_and_the_rest_is_an_ordinary_base() -> None:
    inner = merged_issue(issue(), issue(title="p", priority="low"), issue(title="q"))
    assert open_atoms(inner) == {"title"}
    ours, theirs = issue(title="p", priority="low"), issue(title="q", priority="high")
    outer = merge("issue", inner.document, data(ours), data(theirs), name=ID)
    assert open_atoms(outer) == {"title"}
    assert alternatives(outer)[0]["priority"] == "high"
    assert "title" not in alternatives(outer)[1]
    agreed = merge("issue", inner.document, data(ours), data({**theirs, "title": "p"}), name=ID)
    assert agreed.status == MERGED


# -- issue index ---------------------------------------------------------------------------------------


def index(alive: str, dead: str | None = "", version: int = 2) -> bytes:
    """An issue index; ids are single letters."""
    document: Document = {"schema_version": version, "all_ids": list(alive)}
    if dead is not None:
        document["deleted_ids"] = list(dead)
    return data(document)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        pytest.param(index("ab"), index("abx"), index("aby"), index("abxy"), id="create-create"),
        pytest.param(index("abx"), index("ab", "x"), index("abxy"), index("aby", "x"), id="delete-create"),
        pytest.param(index("x"), index("", "x"), index("xn"), index("n", "x"), id="delete-edit"),
        pytest.param(index("xa"), index("a", "x"), index("x", "a"), index("", "ax"), id="delete-delete"),
        pytest.param(index("", "x"), index("x", ""), index("n", "x"), index("nx", ""), id="resurrected-on-purpose"),
        pytest.param(index("a", "x"), index("a", ""), index("an", "x"), index("an", "x"), id="tombstone-kept"),
        pytest.param(index("ax", None), index("a", None), index("axn", None), index("an", None), id="v1-removal"),
        pytest.param(index("a", None, 1), index("a", "", 2), index("ab", None, 1), index("ab", "", 2), id="migrated"),
        pytest.param(index("a", "a"), index("ab", "a"), index("ac", "a"), index("abc", "a"), id="both-carried"),
        pytest.param(index("x"), index("y", "x"), index("x", "x"), index("y", "x"), id="dead-over-both"),
        pytest.param(index("ab"), index("ba"), index("abn"), index("ban"), id="reordered-by-one"),
        pytest.param(None, index("ab"), index("bc"), index("abc"), id="no-base"),
    ],
)
def test_a_vector_of_the_issue_index(base: bytes | None, ours: bytes, theirs: bytes, result: bytes) -> None:
    for sides in ((ours, theirs), (theirs, ours)):
        found = merge("index", base, *sides)
        assert found.status == MERGED
        assert found.document.decode() == result.decode()


def test_a_newer_issue_index_is_not_merged_unless_accepted() -> None:
    versions = index("a", "", 3), index("ab", "", 3), index("ac", "", 3)
    found = merge("index", *versions)
    assert found.status == NOT_MERGED
    assert "3" in found.reason
    assert merge("index", *versions, facts=Facts(schema_version=3)).status == MERGED


# -- event log -----------------------------------------------------------------------------------------


def event(number: int, more: str = "", second: int | None = None) -> bytes:
    moment = at(number if second is None else second)
    document = {"type": "issue_deleted", "id": f"e{number}", "issue_id": ID, "timestamp": moment}
    return json.dumps(document | ({"x": more} if more else {}), separators=(",", ":")).encode() + b"\n"


def log(*parts: int | bytes) -> bytes:
    return b"".join(event(part) if isinstance(part, int) else part for part in parts)


EDITED = event(2, "redacted")
CERTIFIED = b'{"type":"profile_lifecycle","id":"c","timestamp":"%s","isolated_torn_tail":true}\n' % at(3).encode()
TORN = b'{"type":"issue_cre\n'


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result", "status"),
    [
        pytest.param(log(1, 2, 3), log(1, EDITED, 3), log(1, 2, 3, 4), log(1, EDITED, 3, 4), 0, id="redacted"),
        pytest.param(log(1, 2, 3), log(1), log(1, 2, 3, 4), log(1, 2, 3, 4), 1, id="truncated"),
        pytest.param(log(1), log(1, 5), log(1, 4, 5), log(1, 4, 5), 0, id="cherry-picked"),
        pytest.param(log(1, 2), log(1, 2, 5), log(1, 2, 4, 6), log(1, 2, 4, 5, 6), 0, id="by-time"),
        pytest.param(b"", log(2), log(1), log(1, 2), 0, id="no-base"),
        pytest.param(log(1), log(1, 2), log(1)[:-1] + b"\n" + log(3)[:-1], log(1, 2, 3), 0, id="no-final-newline"),
        pytest.param(log(1)[:-1], log(1, 2), log(1, 3), log(1, 2, 3), 0, id="base-without-newline"),
        pytest.param(log(1, 2), log(1, event(2, "p")), log(1, event(2, "q")), log(1, event(2, "p"), event(2, "q")), 1,
                     id="both-redact"),
        pytest.param(log(1), log(1, event(2, "p")), log(1, event(2, "q")), log(1, event(2, "p"), event(2, "q")), 1,
                     id="one-id-two-events"),
        pytest.param(log(1, b"junk\n", 2), log(1, 2), log(1, b"junk\n", 2, 3), log(1, 2, 3), 0, id="junk-removed"),
        pytest.param(log(1, b"junk\n"), log(1, b"junk\n", 3), log(1, b"junk\n", 2), log(1, b"junk\n", 2, 3), 0,
                     id="junk-carried"),
        pytest.param(log(2, 2, 1), log(2, 2, 1, 3), log(2, 2, 1, 4), log(2, 2, 1, 3, 4), 0, id="twins-in-the-start"),
        pytest.param(log(1, TORN), log(1, TORN, CERTIFIED), log(1, TORN, 2), log(1, 2, TORN, CERTIFIED), 0,
                     id="certified-fragment"),
        pytest.param(log(3, 1), log(3, 1, 2), log(3, 1, 4), log(3, 1, 2, 4), 0, id="old-lines-are-not-sorted"),
        pytest.param(log(1, 2), log(1, event(2).replace(b'":', b'": ')), log(1, 2, 3), log(1, 2, 3), 0, id="respelled"),
        pytest.param(log(1), log(1, b"\r\n", event(2)[:-1] + b"\r\n"), log(1, 3), log(1, 2, 3), 0, id="crlf"),
        pytest.param(log(*range(1, 20)), log(*range(1, 20), *range(20, 40, 2)), log(*range(1, 20), *range(21, 40, 2)),
                     log(*range(1, 40)), 0, id="many-new-lines"),
        pytest.param(log(1, 2, 3), log(1, 2, 3, 1), log(1, 2, 3, 4), log(1, 2, 3, 1, 4), 0, id="twins-of-one-side"),
        pytest.param(log(1), log(1, 3, 3), log(1, 2, 2), log(1, 2, 3), 0, id="new-twins-collapse"),
        pytest.param(log(1), log(1, event(2, "q")), log(1, event(2, "p"), 3, 2),
                     log(1, event(2, "p"), event(2, "q"), 3, 2), 1, id="one-id-two-events-and-a-twin"),
    ],
)  # fmt: skip
def test_a_vector_of_the_log(base: bytes, ours: bytes, theirs: bytes, result: bytes, status: int) -> None:
    for sides in ((ours, theirs), (theirs, ours)):
        found = merge("log", base, *sides)
        assert found.document.decode() == result.decode()
        assert found.status == status


def test_an_accepted_removal_of_events_is_an_ordinary_change() -> None:
    facts = Facts(dropped_events=("e2", "e3"))
    found = merge("log", log(1, 2, 3), log(1), log(1, 2, 3, 4), facts=facts)
    assert (found.document, found.status) == (log(1, 4), MERGED)
    found = merge("log", log(1, 2, 3), log(1), log(1, 2, 3, 4), facts=Facts(dropped_events=("e2",)))
    assert (found.document, found.status) == (log(1, 3, 4), OPEN)
    assert open_atoms(found) == {"e3"}


# -- registry and runs ---------------------------------------------------------------------------------


def gate(key: str, **members: object) -> Document:
    return {
        "version": 1, "key": key, "title": key, "description": "", "stage": "postcheck", "mode": "manual",
        "priority": 100, "reserved": {}, "auto": False, "example_integration": None, **members,
    }  # fmt: skip


def registry(*gates: Document) -> bytes:
    return data({"gates": {gate["key"]: gate for gate in gates}})


CHECKER = {"type": "exec", "command": "make", "timeout_seconds": 60, "working_dir": None, "env": {}}


def test_gates_defined_and_retitled_on_two_sides_merge() -> None:
    found = merge("gates-json", registry(gate("a")), registry(gate("a", title="A"), gate("b")),
                  registry(gate("a", priority=5), gate("c")))  # fmt: skip
    assert found.status == MERGED
    assert found.document == registry(gate("a", title="A", priority=5), gate("b"), gate("c"))


def test_what_a_gate_executes_is_one_atom() -> None:
    base = gate("a", mode="auto", auto=True, checker=CHECKER)
    ours = {**base, "checker": {**CHECKER, "command": "ninja"}}
    theirs = {**base, "stage": "precheck"}
    found = merge("gates-json", registry(base, gate("b")), registry(ours, gate("b")), registry(theirs, gate("b")))
    assert open_atoms(found) == {"gates/a/checker", "gates/a/stage"}
    left, before, right = alternatives(found)
    assert (left["gates"]["a"], before["gates"]["a"], right["gates"]["a"]) == (ours, base, theirs)  # type: ignore[index]


def test_a_gate_removed_and_changed_is_open_even_when_it_is_the_only_one() -> None:
    found = merge("gates-json", registry(gate("a")), registry(), registry(gate("a", title="A")))
    assert open_atoms(found) == {"gates/a"}
    left, before, right = alternatives(found)
    assert [left, before, right] == [
        {"gates": {}},
        {"gates": {"a": gate("a")}},
        {"gates": {"a": gate("a", title="A")}},
    ]


RUN: Document = {
    "schema_version": 1, "run_id": ID, "gate_key": "g", "stage": "postcheck", "issue_id": OTHER, "commit": None,
    "branch": None, "status": "passed", "started_at": at(0), "completed_at": at(1), "duration_ms": 1, "exit_code": 0,
    "stdout": "long", "stderr": "long", "command": "make", "by": None, "message": None,
}  # fmt: skip


def test_a_run_trimmed_on_one_side_is_taken_and_one_changed_twice_is_open() -> None:
    trimmed, marked = {**RUN, "stdout": ""}, {**RUN, "tree_dirty": None, "stderr": ""}
    found = merge("run", data(RUN), data(trimmed), data(marked), name=ID)
    assert (found.status, json.loads(found.document)) == (MERGED, {**RUN, "stdout": "", "stderr": "",
                                                                   "tree_dirty": None})  # fmt: skip
    found = merge("run", data(RUN), data(trimmed), data({**RUN, "stdout": "short"}), name=ID)
    assert open_atoms(found) == {"stdout"}


def test_a_run_of_a_newer_schema_is_not_merged() -> None:
    newer = {**RUN, "schema_version": 2}
    found = merge("run", data(newer), data({**newer, "stdout": ""}), data({**newer, "stderr": ""}), name=ID)
    assert found.status == NOT_MERGED


# -- inputs --------------------------------------------------------------------------------------------


def test_records_of_two_ids_are_never_mixed() -> None:
    ours, base, theirs = issue(), issue(id=OTHER), issue(id=OTHER, title="edited")
    found = merge("issue", data(base), data(ours), data(theirs), name=ID)
    assert found.status == OPEN
    assert OTHER in found.reason
    assert found.document.startswith(b"<<<<<<< ours: not merged: ")
    assert read_conflict(found.document) is not None


def test_both_sides_created_what_the_base_calls_another_record() -> None:
    found = merge("issue", data(issue(id=OTHER)), data(issue(description="x")), data(issue(priority="low")), name=ID)
    assert open_atoms(found) == {"priority"}


@pytest.mark.parametrize(
    "broken",
    [b"", b"[]", b"{", b"\xef\xbb\xbf{}", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 300, b"\xff"],
)
def test_a_side_that_is_no_strict_object_leaves_the_file_whole(broken: bytes) -> None:
    for sides in ((data(issue(title="x")), broken), (broken, data(issue(title="x")))):
        found = merge("issue", data(issue()), *sides, name=ID)
        assert found.status == NOT_MERGED
        assert found.document.startswith(b"<<<<<<<")
        for side in sides:
            assert side in found.document


def test_an_unreadable_base_is_no_base() -> None:
    found = merge("issue", b"{", data(issue(description="x")), data(issue(assignee="a:x")), name=ID)
    assert found.status == MERGED


def test_a_fault_of_an_input_is_carried_and_none_is_added() -> None:
    old = issue(assignee="nocolon")
    found = merged_issue(old, {**old, "title": "x"}, {**old, "priority": "low"})
    assert found.status == MERGED
    assert json.loads(found.document)["assignee"] == "nocolon"


def test_what_is_no_record_that_merges_is_left_whole() -> None:
    assert merge("config", b"a = 1\n", b"a = 2\n", b"a = 3\n").status == NOT_MERGED


def test_identity_returns_the_bytes_untouched() -> None:
    odd, other = b'{ "id" : 1 }\r\n', data(issue())
    for kind in ("issue", "index", "log", "gates-json", "run"):
        assert merge(kind, odd, other, other).document == other
        assert merge(kind, odd, odd, other).document == other
        assert merge(kind, odd, other, odd).document == other
