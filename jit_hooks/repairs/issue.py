"""Repairs inside one issue: its times, and members that the tracker cannot read."""

from __future__ import annotations

from jit_hooks.checks.issue import LIFECYCLE
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import is_sound
from jit_hooks.store import layout
from jit_hooks.store.records import Record
from jit_hooks.store.rewrite import remove_member, set_member
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

_EMPTY: dict[str, object] = {
    "description": "",
    "assignee": None,
    "dependencies": [],
    "gates_required": [],
    "gates_status": {},
    "context": {},
    "documents": [],
    "labels": [],
}
"""What the tracker writes for a member of which nothing is said."""

DERIVED = "timestamps_derived_from"
"""The key of ``context`` that marks times which no tracker wrote."""


def issue_lifecycle_mismatch(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """A time that a parent had comes back; ``archived_from`` goes where a parent's issue says the same."""
    path, member = problem.path, problem.subject
    data = store.snapshot.read(path)
    if type(data) is not bytes:
        return Mend()
    befores = [record.members for parent in context.parents if (record := parent.record(path)) is not None]
    if member in LIFECYCLE:
        before = next((members for members in befores if member in members), None)
        return Mend({path: set_member(data, "", member, before[member], "issue")} if before is not None else {})
    members = Record(path, data, context.accepted).members
    if context.unsafe or any(before.get("archived_from") == members["archived_from"] for before in befores):
        return Mend({path: remove_member(data, "", "archived_from")})
    return Left("nowhere else is it said what it was archived from: --unsafe-fixes would drop it")


def issue_malformed(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """The member at fault as the newest sound copy has it; one that is missing and says nothing, as empty.

    Times that records before 2026-02 lack are taken from the event log, and marked as derived in ``context``. Unsafe:
    which value was meant a person may know better.
    """
    path, member = problem.path, problem.subject
    data = store.snapshot.read(path)
    members = Record(path, data, context.accepted).members if type(data) is bytes else {}
    if type(data) is not bytes or not members:
        return Mend()
    if problem.era:
        return _dated(store, data, members, problem)
    for copy in context.copies(path):
        if is_sound(path, copy, context):
            good = Record(path, copy.data, context.accepted).members
            if member in good:
                after = set_member(data, "", member, good[member], "issue")
                return Mend({path: after}, {path: f"`{member}` as in {copy.source}"})
    if member in _EMPTY and member not in members:
        return Mend({path: set_member(data, "", member, _EMPTY[member], "issue")})
    return Left("no sound copy of it is in git")


def _dated(store: Store, data: bytes, members: dict[str, object], problem: Problem) -> Mend | Left:
    """The issue with the time of its first event as ``created_at``, of its last as ``updated_at``."""
    events = store.log.events_of(layout.issue_id_of(problem.path))
    times = [event.time for event in events if type(event.time) is str and event.instant]
    notes = members.get("context")
    if not times or type(notes) is not dict:
        return Left("no event of it tells when")
    time = min(times, key=instant_of) if problem.era == "created_at" else max(times, key=instant_of)
    if DERIVED not in notes:
        data = set_member(data, "/context", DERIVED, "events")
    return Mend({problem.path: set_member(data, "", problem.era, time, "issue")})
