"""The laws of merging (section 1.3 of the merge semantics), over legal edits of a base."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from merge_edits import (
    EDITS,
    ID,
    START,
    Document,
    Editor,
    edited,
    index_after,
    index_bytes,
    issue_bytes,
    log_after,
    log_bytes,
    log_line,
)
from proofs import examples

from jit_hooks.merge.atoms import atoms, is_under
from jit_hooks.merge.conflict import read_conflict
from jit_hooks.merge.merging import MERGED, OPEN, Merged, merge
from jit_hooks.merge.values import ABSENT, read_values
from jit_hooks.store.validators import issue as issue_faults

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

law = examples(2000, few=150)
"""Of a test: it is stated for so many examples."""

programs = st.binary(min_size=6, max_size=24)
pairs = st.tuples(st.binary(min_size=3, max_size=15), programs, programs, st.integers(0, 7))
triples = st.tuples(st.binary(min_size=3, max_size=15), programs, programs, programs)

Atoms = dict[tuple[str, ...], "Hashable"]


def branches(base: bytes, *sides: bytes, clocks: tuple[int, ...] = (1000, 1003, 990)) -> list[bytes]:
    """The base issue and a version for every side, as bytes."""
    start = edited(START, base, 10)
    return [
        issue_bytes(start),
        *(issue_bytes(edited(start, side, at)) for side, at in zip(sides, clocks, strict=False)),
    ]


def merged(base: bytes | None, ours: bytes, theirs: bytes) -> Merged:
    return merge("issue", base, ours, theirs, name=ID)


def opened(found: Merged) -> dict[tuple[str, ...], tuple[object, object, object]]:
    return {conflict.pointer: (conflict.ours, conflict.base, conflict.theirs) for conflict in found.conflicts}


def document(data: bytes) -> Document:
    value, fault = read_values(data)
    assert fault is None, data
    assert isinstance(value, dict)
    return value


def atoms_of(data: bytes) -> Atoms:
    return atoms("issue", document(data))


def any_result(found: Merged) -> bytes:
    """The merged document; of one in conflict the alternative ours, which holds everything that merged."""
    if found.status == MERGED:
        return found.document
    parts = read_conflict(found.document)
    assert parts is not None
    return parts[0]


def mixtures(data: bytes) -> Iterable[bytes]:
    """Some choices of alternatives, each hunk by itself."""
    hunks = data.count(b"\n>>>>>>>")
    for choice in itertools.islice(itertools.product((0, 1, 2), repeat=hunks), 12):
        kept: list[bytes] = []
        hunk: list[list[bytes]] = []
        wanted = iter(choice)
        for line in data.splitlines(keepends=True):
            if line.startswith((b"<<<<<<<", b"|||||||", b"=======")):
                hunk.append([])
            elif line.startswith(b">>>>>>>"):
                kept += hunk[next(wanted)]
                hunk = []
            else:
                (hunk[-1] if hunk else kept).append(line)
        yield b"".join(kept)


@law
@given(pairs)
def test_law_1_identity_byte_for_byte(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    assert merged(base, ours, ours).document == ours
    assert merged(base, base, theirs).document == theirs
    assert merged(base, ours, base).document == ours


@law
@given(pairs)
def test_law_2_symmetry(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    if edits[3] % 4 == 0:
        base = b""
    one, other = merged(base, ours, theirs), merged(base, theirs, ours)
    assert one.status == other.status
    if one.status == MERGED:
        assert one.document == other.document
    else:
        assert opened(one) == {at: sides[::-1] for at, sides in opened(other).items()}
        left, right = read_conflict(one.document), read_conflict(other.document)
        assert left is not None
        assert right is not None
        assert left == right[::-1]


DECLARED = {"S1": "updated_at", "S2": "gates_status", "S3": "state", "S5": "done_at claimed_at first_ready_at"}


@law
@given(pairs)
def test_law_3_no_silent_loss(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    result, before = atoms_of(any_result(found)), atoms_of(base)
    conflicts = opened(found)
    noted = {note.pointer for note in found.notes if note.rule and note.pointer[0] in DECLARED[note.rule]}
    for side in map(atoms_of, (ours, theirs)):
        for at in before.keys() | side.keys():
            if side.get(at) == before.get(at) or result.get(at) == side.get(at):
                continue
            gate_waits = at[0] == "gates_required" and ("gates_status", at[1]) in conflicts
            follows = at[0] == "archived_from" and dict(result).get(("state",)) != "archived"
            allowed = any(is_under(at, pointer) for pointer in conflicts) or at in noted
            assert allowed or gate_waits or follows or is_plural(at, base, ours, theirs), at


def is_plural(at: tuple[str, ...], *versions: bytes) -> bool:
    """Whether an atom lies in a document that some version holds twice: those are sets of whole values."""
    if at[0] != "documents":
        return False
    return any(
        count > 1
        for version in versions
        for key, count in Counter((e["path"], e["label"]) for e in document(version)["documents"]).items()
        if key[0] == at[1]
    )


@law
@given(pairs)
def test_law_4_no_invention(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    result, before, left, right = (atoms_of(data) for data in (any_result(found), base, ours, theirs))
    for at in result.keys() | before.keys():
        if result.get(at) != before.get(at) and not is_plural(at, base, ours, theirs):
            gone = at[0] == "archived_from" and result.get(("state",)) != "archived"
            assert gone or result.get(at) in (left.get(at), right.get(at)), at


@law
@given(pairs)
def test_law_5_only_true_conflicts(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    before, left, right = atoms_of(base), atoms_of(ours), atoms_of(theirs)
    group = {("state",), ("assignee",), ("archived_from",)}
    twice = {
        at
        for at in before.keys() | left.keys() | right.keys()
        if left.get(at) != right.get(at) and before.get(at) not in (left.get(at), right.get(at))
    }
    finished = any(at == ("state",) and "is not passed" in c.reason for c in found.conflicts for at in [c.pointer])
    for conflict in found.conflicts:
        at = conflict.pointer
        if at in group:
            assert twice & group or finished, conflict
        elif at[0] == "gates_status":
            assert at in twice or ("gates_required", at[1]) not in left.keys() & right.keys(), conflict
        elif at[0] in ("labels", "documents"):
            assert any(under_both(at, side, before) for side in (left,)), conflict
            assert under_both(at, right, before), conflict
        else:
            assert at in twice, conflict


def under_both(opened_at: tuple[str, ...], side: Atoms, before: Atoms) -> bool:
    """Whether a side changed something under an open pointer."""
    return any(is_under(at, opened_at) and side.get(at) != before.get(at) for at in before.keys() | side.keys())


@law
@given(pairs)
def test_law_6_valid_output(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    if found.status == MERGED:
        result = json.loads(found.document)
        assert not issue_faults(result)
        required = set(result["gates_required"])
        assert result["gates_status"].keys() <= required
        passed = {key for key, entry in result["gates_status"].items() if entry["status"] == "passed"}
        assert result["state"] != "done" or required <= passed
        for namespace in ("type", "team"):
            assert sum(label.startswith(f"{namespace}:") for label in result["labels"]) <= 1
    else:
        assert found.status == OPEN
        for text in mixtures(found.document):
            assert not issue_faults(json.loads(text))


@law
@given(pairs)
def test_law_7_absorption(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    if edits[3] % 4 == 0:
        base = b""
    found = merged(base, ours, theirs)
    if found.status == MERGED:
        result = found.document
        for again in (merged(base, result, theirs), merged(base, ours, result)):
            assert (again.status, again.document) == (MERGED, result)


def orders_of(sides: list[bytes]) -> list[list[bytes]]:
    """The orders in which three branches can be merged, but for which side is ours: law L2 sees to that."""
    first, second, third = sides
    return [[first, second, third], [first, third, second], [second, third, first]]


def in_order(base: bytes, sides: Iterable[bytes]) -> Merged:
    """The branches merged one after the other, as far as they merge."""
    following = iter(sides)
    found = Merged(next(following))
    for side in following:
        found = merged(base, found.document, side)
        if found.status != MERGED:
            return found
    return found


@law
@given(triples)
def test_law_8_convergence(edits: tuple[bytes, bytes, bytes, bytes]) -> None:
    base, *sides = branches(*edits)
    results = [in_order(base, order) for order in orders_of(sides)]
    reasons = {conflict.reason for found in results for conflict in found.conflicts}
    if any("is not passed" in reason or reason == "two verdicts of one instant" for reason in reasons):
        return  # what two branches leave open, a later verdict of the third decides (rule S2), where it comes before
    assert len({found.status for found in results}) == 1
    if results[0].status == MERGED:
        assert len({frozenset(atoms_of(found.document).items()) for found in results}) == 1


@law
@given(pairs)
def test_law_9_a_contested_atom_is_open_again(edits: tuple[bytes, bytes, bytes, int]) -> None:
    base, ours, theirs = branches(*edits[:3])
    found = merged(base, ours, theirs)
    if found.status == OPEN:
        parts = read_conflict(found.document)
        assert parts is not None
        again = merged(found.document, parts[0], parts[2])
        assert again.status == OPEN
        assert {at for at in opened(again) if at[0] != "archived_from"} == {
            at for at, (left, _, right) in opened(found).items() if left != right and at[0] != "archived_from"
        }
        assert merged(found.document, parts[0], parts[0]).document == parts[0]


START_INDEX: Document = {"schema_version": 2, "all_ids": list("abcdef"), "deleted_ids": ["z"]}


def lives(data: bytes) -> dict[str, tuple[bool, bool]]:
    index: dict[str, Any] = json.loads(data)
    alive, dead = index["all_ids"], index["deleted_ids"]
    return {name: (name in alive, name in dead) for name in (*alive, *dead)}


def keeps_order(kept: list[str], result: list[str]) -> bool:
    common = [name for name in kept if name in result]
    return [name for name in result if name in common] == common


@law
@given(triples)
def test_law_10_the_issue_index(edits: tuple[bytes, bytes, bytes, bytes]) -> None:
    start = index_after(START_INDEX, edits[0], 9)
    base = index_bytes(start)
    sides = [index_bytes(index_after(start, program, side)) for side, program in enumerate(edits[1:])]
    found = merge("index", base, sides[0], sides[1])
    assert (found.status, found.document) == (MERGED, merge("index", base, sides[1], sides[0]).document)
    result = json.loads(found.document)
    ours, theirs = json.loads(sides[0]), json.loads(sides[1])
    assert set(result["all_ids"]).isdisjoint(result["deleted_ids"])
    assert set(result["all_ids"]) <= {*ours["all_ids"], *theirs["all_ids"]}
    dead = {*ours["deleted_ids"], *theirs["deleted_ids"]}
    back = {name for name in start["deleted_ids"] if name in (*ours["all_ids"], *theirs["all_ids"])}
    assert dead - set(result["deleted_ids"]) <= back
    new = {*ours["all_ids"], *theirs["all_ids"]} - {*start["all_ids"], *start["deleted_ids"]}
    assert new <= {*result["all_ids"], *result["deleted_ids"]}
    if not back and all(keeps_order(start["all_ids"], side["all_ids"]) for side in (ours, theirs)):
        for side in (ours, theirs):
            assert keeps_order(side["all_ids"], result["all_ids"])
    for left, right in ((found.document, sides[1]), (sides[0], found.document)):
        assert merge("index", base, left, right).document == found.document
    orders = [
        merge("index", base, merge("index", base, one, two).document, three).document
        for one, two, three in orders_of(sides)
    ]
    assert all(lives(data) == lives(orders[0]) for data in orders)


START_LOG = [log_line(number, 6, 90 + number) for number in range(5)]


@law
@given(triples)
def test_law_11_the_log_of_branches_that_append(edits: tuple[bytes, bytes, bytes, bytes]) -> None:
    start = log_after(START_LOG, edits[0], 7)
    base = log_bytes(start)
    logs = [log_after(start, program[:16], side) for side, program in enumerate(edits[1:])]
    sides = [log_bytes(lines) for lines in logs]
    found = merge("log", base, sides[0], sides[1])
    assert (found.status, found.document) == (MERGED, merge("log", base, sides[1], sides[0]).document)
    assert found.document.startswith(base)
    lines = found.document.splitlines()
    assert Counter(lines) == Counter({*logs[0], *logs[1]})
    for log in logs[:2]:
        assert [line for line in lines if line in log] == log
    for left, right in ((found.document, sides[1]), (sides[0], found.document)):
        assert merge("log", base, left, right).document == found.document
    orders = {
        merge("log", base, merge("log", base, one, two).document, three).document
        for one, two, three in orders_of(sides)
    }
    assert len(orders) == 1


@law
@given(triples)
def test_law_11_the_log_with_shared_redacted_lost_and_torn_lines(edits: tuple[bytes, bytes, bytes, bytes]) -> None:
    start = log_after(START_LOG, edits[0], 7)
    logs = [log_after(start, program, side, may_change=True) for side, program in enumerate(edits[1:3])]
    base, ours, theirs = map(log_bytes, (start, *logs))
    found = merge("log", base, ours, theirs)
    turned = merge("log", base, theirs, ours)
    assert (found.status, found.document) == (turned.status, turned.document)
    lines = found.document.splitlines()
    before = set(start)
    for log, other in (logs, logs[::-1]):
        for line in {*log}:
            torn = not line.startswith(b"{")
            if line not in lines:  # the other side redacted it, or removed what is no event
                assert line in before
                assert line not in other or torn
    assert found.status == OPEN or not lost_by_one(start, logs)
    if found.status == MERGED:
        for left, right in ((found.document, theirs), (ours, found.document)):
            assert merge("log", base, left, right).document == found.document


def lost_by_one(start: list[bytes], logs: list[list[bytes]]) -> bool:
    """Whether one side lost an event that the other still has."""
    names = [{json.loads(line)["id"] for line in log if line.startswith(b"{")} for log in (start, *logs)]
    return bool((names[0] - names[1]) & names[2] or (names[0] - names[2]) & names[1])


MEMBER = EDITS.index(Editor.member)


@law
@given(triples)
def test_law_12_members_nobody_knows_meet_the_same_laws(edits: tuple[bytes, bytes, bytes, bytes]) -> None:
    def only_members(program: bytes) -> bytes:
        return b"".join(bytes((MEMBER, *program[at + 1 : at + 3])) for at in range(0, min(len(program), 14) - 2, 3))

    base, *sides = branches(*map(only_members, edits))
    found = merged(base, sides[0], sides[1])
    assert opened(found).keys() == opened(merged(base, sides[1], sides[0])).keys()
    result, before = atoms_of(any_result(found)), atoms_of(base)
    for side in map(atoms_of, sides[:2]):
        for at in before.keys() | side.keys():
            if side.get(at) != before.get(at) and at != ("updated_at",):
                assert result.get(at) == side.get(at) or any(is_under(at, pointer) for pointer in opened(found)), at
    for conflict in found.conflicts:
        assert ABSENT not in (conflict.ours, conflict.theirs) or conflict.base is not ABSENT
    if found.status == MERGED:
        assert merged(base, found.document, sides[1]).document == found.document
    results = [in_order(base, order) for order in orders_of(sides)]
    assert len({each.status for each in results}) == 1
    if results[0].status == MERGED:
        assert len({frozenset(atoms_of(each.document).items()) for each in results}) == 1
