"""The one function that decides a merge: three versions of a file in, its bytes and what to say of them out.

Pure: the merge driver, the audit of merges and the tests all ask it, and nothing else in the program may decide
a merge. Source: the merge semantics; the laws it meets (L1 to L12) are property tests.
"""

from __future__ import annotations

from jit_hooks.merge.conflict import read_conflict, write_conflict, write_whole
from jit_hooks.merge.facts import Facts
from jit_hooks.merge.register import Conflict, Decisions, Note, Sides, choose, is_open
from jit_hooks.merge.values import ABSENT, Number, read_values
from jit_hooks.store.layout import MAX_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Fault = tuple[str, str, str]

KINDS = ("issue", "index", "log", "gates-json", "run")
"""Kinds of record that merge (``layout.kind_of``); all else is git's to merge as text."""

MERGED, OPEN, NOT_MERGED = 0, 1, 3
"""Exit codes of the driver: clean, something a person must choose, the whole file left to a person."""

NEWEST_RUN = 1


class Merged:
    """What a merge gives.

    Attributes:
        parts: the merged bytes, in pieces, for a log is not copied to put two ends together.
        conflicts: open atoms.
        notes: what declared rules decided.
        status: 0, 1 or 3 as the driver exits.
        reason: why the file was not merged by its members; empty when it was.
    """

    __slots__ = ("conflicts", "notes", "parts", "reason", "status")

    def __init__(
        self,
        document: bytes | tuple[bytes | memoryview, ...],
        conflicts: tuple[Conflict, ...] = (),
        notes: tuple[Note, ...] = (),
        status: int = MERGED,
        reason: str = "",
    ) -> None:
        self.parts = document if isinstance(document, tuple) else (document,)
        self.conflicts = conflicts
        self.notes = notes
        self.status = status
        self.reason = reason

    @property
    def document(self) -> bytes:
        """The merged bytes; in conflict form when ``status`` is not 0 (a log is never marked)."""
        return b"".join(self.parts)


class _WholeFileError(Exception):
    """The file cannot be merged by its members; carries the exit code and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def merge(
    kind: str,
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    name: str = "",
    facts: Facts | None = None,
    labels: tuple[str, str] = ("ours", "theirs"),
) -> Merged:
    """The merge of three versions of one file.

    Args:
        kind: what the file is (``layout.kind_of``).
        base: the common ancestor; None, empty or unreadable: there is none; in conflict form: an ancestor that
            two merges left open (criss-cross).
        ours: one side.
        theirs: the other; nothing depends on which is which (law L2).
        name: what the path says the record's id is: the stem of an issue, the directory of a run.
        facts: settings that bear on it; the tracker's own without them.
        labels: what the markers of a conflict call the two sides.
    """
    base = base or b""
    if ours == theirs or theirs == base:
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    decisions = Decisions()
    facts = facts or Facts()
    if kind == "log":
        from jit_hooks.merge.log import merge_log

        parts = merge_log(base, ours, theirs, decisions, facts)
        status = OPEN if decisions.conflicts else MERGED
        return Merged(parts, tuple(decisions.conflicts), tuple(decisions.notes), status)
    try:
        return _merge_documents(kind, base, ours, theirs, name, facts, decisions, labels)
    except _WholeFileError as error:
        return not_merged(kind, base, ours, theirs, error.reason, error.status)


def not_merged(
    kind: str, base: bytes | None, ours: bytes, theirs: bytes, reason: str, status: int = NOT_MERGED
) -> Merged:
    """A file left to a person whole: the three versions between markers; of a log ours, and one marker line."""
    if kind == "log":
        from jit_hooks.merge.conflict import UNFINISHED

        start = ours if ours.endswith(b"\n") or not ours else ours + b"\n"
        return Merged(start + UNFINISHED, status=status, reason=reason)
    return Merged(write_whole(reason, base or b"", ours, theirs), status=status, reason=reason)


def _merge_documents(
    kind: str,
    base: bytes,
    ours: bytes,
    theirs: bytes,
    name: str,
    facts: Facts,
    decisions: Decisions,
    labels: tuple[str, str],
) -> Merged:
    sides = _read(kind, base, ours, theirs)
    _check_version(kind, sides, facts)
    sides = _check_ids(kind, sides, name)
    tree = _merge_tree(kind, sides, decisions, facts)
    sorted_members = any(_is_sorted(kind, version) for version in (sides.ours, sides.theirs))
    status = OPEN if is_open(tree) else MERGED
    data = _write(kind, tree, labels, sorted_members=sorted_members)
    if data is None:
        raise _WholeFileError(OPEN, "every member is in conflict")
    _check_schema(kind, base, ours, theirs, data, status)
    return Merged(data, tuple(decisions.conflicts), tuple(decisions.notes), status)


def _read(kind: str, base: bytes, ours: bytes, theirs: bytes) -> Sides:
    """The three documents; a side that is no strict JSON object cannot be merged, a base that is none is none."""
    if kind not in KINDS:
        raise _WholeFileError(NOT_MERGED, "this is no file of the store that merges by its members")
    if max(len(base), len(ours), len(theirs)) > MAX_RECORD_BYTES:
        raise _WholeFileError(NOT_MERGED, f"it is longer than {MAX_RECORD_BYTES >> 20} MB")
    found = []
    for side, data in (("ours", ours), ("theirs", theirs)):
        document, fault = read_values(data)
        if fault is not None:
            raise _WholeFileError(NOT_MERGED, f"{side} {fault.message}")
        if type(document) is not dict:
            raise _WholeFileError(NOT_MERGED, f"{side} is no object")
        found.append(document)
    document, fault = read_values(base)
    if fault is None:
        known = type(document) is dict
        return Sides(document if known else ABSENT, found[0], found[1], is_based=known)
    parts = read_conflict(base) if fault.code == "conflict-marker" else None
    if parts is not None:
        left, middle, right = (read_values(part)[0] for part in parts)
        if type(left) is dict and type(right) is dict:
            known = type(middle) is dict
            before = middle if known else ABSENT
            return Sides(before, found[0], found[1], is_based=known, alternatives=(left, right))
    return Sides(ABSENT, found[0], found[1], is_based=False)


def _check_version(kind: str, sides: Sides, facts: Facts) -> None:
    """A record of a newer tracker is not merged: a clean result could be wrong."""
    if kind not in ("index", "run"):
        return
    for value in sides.member("schema_version").all:
        if type(value) is Number and value.text.isdecimal() and int(value.text) > NEWEST_RUN:
            newest = NEWEST_RUN if kind == "run" else max(2, facts.schema_version())
            if int(value.text) > newest:
                raise _WholeFileError(
                    NOT_MERGED,
                    f"it has schema version {value.text}, newer than {newest}: a newer jit-hooks is needed",
                )


def _check_ids(kind: str, sides: Sides, name: str) -> Sides:
    """Refuse to mix records: git's rename detection hands one issue's edit to another issue's file."""
    if kind not in ("issue", "run"):
        return sides
    ids = sides.member("id" if kind == "issue" else "run_id")
    expected = name or ids.ours
    present = (ids.ours, ids.theirs, *([ids.base] if sides.base is not ABSENT else []))
    if all(found == expected for found in present):
        return sides
    if ids.ours == ids.theirs == expected:
        return sides.without_base()
    said = {
        which: found if type(found) is str else "no id"
        for which, found in (("ours", ids.ours), ("base", ids.base), ("theirs", ids.theirs))
        if found != expected and not (which == "base" and sides.base is ABSENT)
    }
    strangers = ", ".join(f"{which} is {found}" for which, found in said.items())
    raise _WholeFileError(
        OPEN, f"these are different records ({strangers}): the edit of another one came here by rename detection"
    )


def _merge_tree(kind: str, sides: Sides, decisions: Decisions, facts: Facts) -> dict[str, object]:
    if kind == "issue":
        from jit_hooks.merge.issue import merge_issue

        return merge_issue(sides, decisions, facts)
    if kind == "index":
        from jit_hooks.merge.issue_index import merge_index

        return merge_index(sides, decisions)
    if kind == "gates-json":
        from jit_hooks.merge.registry import merge_registry

        return merge_registry(sides, decisions)
    from jit_hooks.merge.run import merge_run

    return merge_run(sides, decisions)


def _is_sorted(kind: str, version: object) -> bool:
    """True if a version shows v1's order of members; one that June's tracker writes the same way does not."""
    from jit_hooks.store.canonical import canonical, is_sorted

    return is_sorted(version) and canonical(kind, version, sorted_members=True) != canonical(
        kind, version, sorted_members=False
    )


def _write(kind: str, tree: Mapping[str, object], labels: tuple[str, str], *, sorted_members: bool) -> bytes | None:
    if is_open(tree):
        return write_conflict(kind, tree, labels, sorted_members=sorted_members)
    from jit_hooks.store.canonical import canonical

    return canonical(kind, choose(tree, "ours"), sorted_members=sorted_members)


def _check_schema(kind: str, base: bytes, ours: bytes, theirs: bytes, data: bytes, status: int) -> None:
    """A merge may carry a fault of its inputs, never add one."""
    results = [data]
    if status == OPEN:
        parts = read_conflict(data)
        results = [parts[0], parts[2]] if parts is not None else []
    found = {fault for result in results for fault in _faults(kind, result)}
    if not found:
        return
    known = {fault for version in (base, ours, theirs) for fault in _faults(kind, version)}
    added = sorted(found - known)
    if added:
        raise _WholeFileError(NOT_MERGED, f"the merged record would be malformed at {added[0][0] or 'its top'}")


def _faults(kind: str, data: bytes) -> set[tuple[str, str]]:
    """Schema faults as (pointer, rule); positions in lists differ between versions and say nothing."""
    from jit_hooks.store import validators
    from jit_hooks.store.reader import read_json

    document, fault = read_json(data)
    if fault is not None:
        return {("", fault.code)} if data else set()
    name = {"issue": "issue", "index": "index", "gates-json": "gates_json", "run": "gate_run"}[kind]
    found: list[Fault] = getattr(validators, name)(document)
    return {(_without_positions(pointer), rule) for pointer, rule, _ in found}


def _without_positions(pointer: str) -> str:
    return "/".join("*" if part.isdecimal() else part for part in pointer.split("/"))
