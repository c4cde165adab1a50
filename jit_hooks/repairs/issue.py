"""Repairs inside one issue: its lists, its gates' places, its times, and members the tracker cannot read."""

from __future__ import annotations

from jit_hooks.checks.issue import LIFECYCLE
from jit_hooks.repairs.restore import is_sound
from jit_hooks.store import graph, layout
from jit_hooks.store.loss import value_of
from jit_hooks.store.records import Record
from jit_hooks.store.rewrite import remove_member, rewrite_list, set_member
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]

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


def dependency_duplicate(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of a dependency named twice the first stays."""
    del context
    return _without_repeats(store, problems, "dependencies")


def gate_required_duplicate(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of a gate required twice the first stays."""
    del context
    return _without_repeats(store, problems, "gates_required")


def label_duplicate(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of a label that stands twice the first stays."""
    del context
    return _without_repeats(store, problems, "labels")


def document_duplicate(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of two equal documents the first stays."""
    del context
    return _without_repeats(store, problems, "documents")


def _without_repeats(store: Store, problems: list[Problem], member: str) -> Changes:
    changes: Changes = {}
    for path, data, document in _documents(store, problems):
        values = document[member]
        assert type(values) is list
        first = {value_of(value): at for at, value in reversed(list(enumerate(values)))}
        changes[path] = rewrite_list(data, f"/{member}", sorted(first.values()))
    return changes


def dependency_redundant(store: Store, problems: list[Problem], context: Context) -> Changes:
    """An edge that others imply goes: what depends on what stays as it was."""
    del context
    return _without_edges(store, {(problem.path, problem.subject) for problem in problems})


def dependency_missing(store: Store, problems: list[Problem], context: Context) -> Changes:
    """An edge to a deleted issue, or to one that was never in any copy, goes.

    Unsafe: it may be the issue that is missing and not the edge that is wrong.
    """
    edges = set()
    for problem in problems:
        target = layout.issue_path(problem.subject)
        if layout.kind_of(target) == "issue" and not store.is_deleted(problem.subject) and context.copies(target):
            context.leave(problem, "a copy of the issue it names is in git: bring that back first")
        else:
            edges.add((problem.path, problem.subject))
    return _without_edges(store, edges)


def dependency_cycle(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The edge of each circle that was added last goes; unsafe, for a person may know which one is wrong.

    Last is the edge that no parent has; of several the one of the issue saved last.
    """
    all_edges = graph.edges_of(store)
    gone = set()
    for problem in problems:
        ids = [layout.issue_id_of(path) for path in (problem.path, *problem.related)]
        circle = list(zip(ids, [*ids[1:], ids[0]], strict=True))
        if any(target not in all_edges(issue_id) for issue_id, target in circle):
            continue
        issue_id, target = max(circle, key=lambda edge: (*_newness(store, context, *edge), edge))
        gone.add((layout.issue_path(issue_id), target))
    return _without_edges(store, gone)


def _newness(store: Store, context: Context, issue_id: str, target: str) -> tuple[bool, str]:
    known = any(
        (before := parent.issue(issue_id)) is not None and target in before.dependencies for parent in context.parents
    )
    issue = store.issue(issue_id)
    return not known, instant_of(issue.updated_at) if issue is not None else ""


def _without_edges(store: Store, edges: set[tuple[str, str]]) -> Changes:
    changes: Changes = {}
    for path in sorted({path for path, _ in edges}):
        data = store.snapshot.read(path)
        if type(data) is not bytes:
            continue
        targets = Record(path, data, store.accepted).members.get("dependencies")
        if type(targets) is list:
            keep = [at for at, target in enumerate(targets) if (path, target) not in edges]
            changes[path] = rewrite_list(data, "/dependencies", keep)
    return changes


def issue_lifecycle_mismatch(store: Store, problems: list[Problem], context: Context) -> Changes:
    """A time that a parent had comes back; ``archived_from`` goes where a parent's issue says the same."""
    return _edited(store, problems, lambda data, problem: _lifecycle(data, problem, context))


def _lifecycle(data: bytes, problem: Problem, context: Context) -> bytes:
    members = Record(problem.path, data, context.accepted).members
    before = [parent.record(problem.path) for parent in context.parents]
    if problem.subject in LIFECYCLE:
        for parent in before:
            if parent is not None and problem.subject in parent.members:
                return set_member(data, "", problem.subject, parent.members[problem.subject], "issue")
        return data
    said = any(
        parent is not None and parent.members.get("archived_from") == members["archived_from"] for parent in before
    )
    if said or context.unsafe:
        return remove_member(data, "", "archived_from")
    context.leave(problem, "nowhere else is it said what it was archived from: --unsafe-fixes would drop it")
    return data


def issue_malformed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The members at fault as the newest sound copy has them; one that is missing and says nothing, as empty.

    Times that records before 2026-02 lack are taken from the event log, and marked as derived in ``context``. Unsafe:
    which value was meant a person may know better.
    """
    return _edited(store, problems, lambda data, problem: _mend_member(store, data, problem, context))


def _mend_member(store: Store, data: bytes, problem: Problem, context: Context) -> bytes:
    member = problem.subject
    document = Record(problem.path, data, context.accepted).members
    if not document:
        return data
    if problem.era:
        return _date(store, data, problem, context)
    for copy in context.copies(problem.path):
        if is_sound(problem.path, copy, context):
            members = Record(problem.path, copy.data, context.accepted).members
            if member in members:
                context.say(problem.path, f"`{member}` as in {copy.source}")
                return set_member(data, "", member, members[member], "issue")
    if member in _EMPTY and member not in document:
        return set_member(data, "", member, _EMPTY[member], "issue")
    context.leave(problem, "no sound copy of it is in git")
    return data


def _date(store: Store, data: bytes, problem: Problem, context: Context) -> bytes:
    """The time of the first event of an issue as ``created_at``, of the last as ``updated_at``."""
    issue_id = layout.issue_id_of(problem.path)
    times = [event.time for event in store.log.events_of(issue_id) if type(event.time) is str and event.instant]
    document = Record(problem.path, data, context.accepted).members
    notes = document.get("context")
    if not times or type(notes) is not dict:
        context.leave(problem, "no event of it tells when")
        return data
    found = min(times, key=instant_of) if problem.era == "created_at" else max(times, key=instant_of)
    if DERIVED not in notes:
        data = set_member(data, "/context", DERIVED, "events")
    return set_member(data, "", problem.era, found, "issue")


def _edited(store: Store, problems: list[Problem], edit: Callable[[bytes, Problem], bytes]) -> Changes:
    """Each record with its problems mended one after the other."""
    changes: Changes = {}
    for problem in problems:
        data = changes.get(problem.path) or store.snapshot.read(problem.path)
        if type(data) is bytes:
            changes[problem.path] = edit(data, problem)
    return changes


def _documents(store: Store, problems: list[Problem]) -> Iterator[tuple[str, bytes, dict[str, object]]]:
    for path in sorted({problem.path for problem in problems}):
        data = store.snapshot.read(path)
        if type(data) is bytes:
            record = Record(path, data, store.accepted)
            if record.loads:
                yield path, data, record.members
