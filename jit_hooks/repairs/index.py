"""Repairs of the issue index: it says which issues there are, so it can be made again from them."""

from __future__ import annotations

import re

from jit_hooks.repairs.restore import in_utf_8, restored, says_all
from jit_hooks.store import layout
from jit_hooks.store.canonical import canonical, is_sorted
from jit_hooks.store.machine import target_of, writer_of
from jit_hooks.store.reader import conflict_marker
from jit_hooks.store.records import IssueIndex, Record
from jit_hooks.store.rewrite import rewrite_list, set_member
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION = re.compile(rb'"schema_version"\s*:\s*([0-9]{1,9})')
_MEMBERS = ("schema_version", "all_ids", "deleted_ids")


def index_absent(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The issue index of a copy, to be brought up to the issue files; without one, made from them."""
    if context.copies(layout.INDEX):
        return restored(store, layout.INDEX, problems[0], context)
    return rebuilt(store, b"", problems, context)


def index_malformed(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The issue index again, from the ids that can still be read in it, those a copy lists, and the issue files."""
    data = store.snapshot.read(layout.INDEX)
    return rebuilt(store, data, problems, context) if type(data) is bytes else {}


def index_duplicate_id(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Of an id that stands twice in a list the first stays."""
    del context
    data = _sound(store)
    if data is None:
        return {}
    for member in {problem.pointer.split("/")[1] for problem in problems}:
        ids = Record(layout.INDEX, data, store.accepted).members[member]
        assert type(ids) is list
        first = {each: at for at, each in reversed(list(enumerate(ids)))}
        data = rewrite_list(data, f"/{member}", sorted(first.values()))
    return {layout.INDEX: data}


def index_outdated(store: Store, problems: list[Problem], context: Context) -> Changes:
    """Version 2, which can say which ids were deleted: those with an event that says so, and neither file nor entry."""
    del problems, context
    data = _sound(store)
    if data is None:
        return {}
    members = Record(layout.INDEX, data, store.accepted).members
    if "deleted_ids" not in members:
        alive = members["all_ids"]
        assert type(alive) is list
        deleted = [each for each in _told_deleted(store) if each not in alive and not store.has_issue(each)]
        data = set_member(data, "", "deleted_ids", deleted, "index")
    return {layout.INDEX: set_member(data, "", "schema_version", 2, "index")}


def issue_vanished(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The issue file as the git index or HEAD has it; not when its deletion is staged. Its id follows.

    Of one that was deleted by what the log says only the id comes back, to those of deleted issues.
    """
    changes: Changes = {}
    data = _sound(store)
    deleted = [problem.subject for problem in problems if was_deleted(store, problem.subject, context)]
    if data is not None and deleted:
        changes[layout.INDEX] = _appended(store, data, "deleted_ids", deleted)
    for problem in problems:
        if data is not None and problem.subject in deleted:
            continue
        paths = [problem.path]
        if problem.path == layout.INDEX:
            before = next((parent for parent in context.parents if parent.issue_ids()), None)
            paths = [layout.INDEX, *map(layout.issue_path, before.issue_ids() if before is not None else ())]
        for path in paths:
            if not context.copies(path):
                context.leave(problem, "no copy of it is in git, or its deletion is staged")
            else:
                changes.update(restored(store, path, problem, context))
    return changes


def index_lists_missing(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The issue file as the git index or HEAD has it; not when its deletion is staged.

    One that was deleted by what the log says stays so. An id of which there is no copy is left: whether the issue was
    deleted, or lost, a person knows. Where the tracker was killed while it deleted the issue, its temp file says so,
    and unsafe repairs end what it began.
    """
    changes: Changes = {}
    data = _sound(store)
    for problem in problems:
        path = layout.issue_path(problem.subject)
        temp = temp_of_deletion(store, problem.subject)
        if data is not None and was_deleted(store, problem.subject, context):
            data = _moved_to_deleted(store, data, problem.subject)
            context.say(layout.INDEX, "what the event log calls deleted is called so")
            changes[layout.INDEX] = data
        elif layout.kind_of(path) == "issue" and context.copies(path):
            changes.update(restored(store, path, problem, context))
            if temp and path in changes:
                context.say(path, f"{context.said[path]}; the tracker was deleting it when it was killed")
        elif not temp or data is None:
            why = "no copy of the issue is in git, or its deletion is staged"
            context.leave(problem, f"{why}: whether it was deleted or lost, a person knows")
        elif not context.unsafe:
            why = "the tracker was deleting it when it was killed, by what it left"
            context.leave(problem, f"no copy of the issue is in git, and {why}: --unsafe-fixes ends the deletion")
        else:
            data = _moved_to_deleted(store, data, problem.subject)
            context.say(layout.INDEX, f"the deletion ends that {temp} began")
            changes[layout.INDEX] = data
    return changes


def was_deleted(store: Store, issue_id: str, context: Context) -> bool:
    """Whether the event log calls an issue deleted, and no parent that says so too has it all the same."""
    return _is_told_deleted(store, issue_id) and not any(
        parent.has_issue(issue_id) and _is_told_deleted(parent, issue_id) for parent in context.parents
    )


def _is_told_deleted(store: Store, issue_id: str) -> bool:
    return any(event.type == "issue_deleted" for event in store.log.events_of(issue_id))


def _told_deleted(store: Store) -> list[str]:
    """The ids of issues that the event log calls deleted, in the order of their events."""
    ids = dict.fromkeys(event.issue for event in store.log.events if event.type == "issue_deleted")
    return [each for each in ids if type(each) is str]


def temp_of_deletion(store: Store, issue_id: str) -> str:
    """The temp file in which a dead writer of the issue index was about to call an issue deleted; empty: there is none.

    June's tracker unlinks the issue first and writes the issue index then.
    """
    for path in store.entries():
        if target_of(path) == layout.INDEX and writer_of(path) in store.snapshot.machine.dead:
            data = store.snapshot.read(path)
            record = Record(layout.INDEX, data, store.accepted) if type(data) is bytes else None
            if record is not None and record.loads and type(record.document) is dict:
                index = IssueIndex(record.document)
                if issue_id in index.deleted_set and issue_id not in index.alive_set:
                    return path
    return ""


def _moved_to_deleted(store: Store, data: bytes, issue_id: str) -> bytes:
    members = Record(layout.INDEX, data, store.accepted).members
    index = IssueIndex(members)
    data = rewrite_list(data, "/all_ids", [at for at, each in enumerate(index.alive) if each != issue_id])
    if "deleted_ids" not in members:
        return set_member(data, "", "deleted_ids", [issue_id], "index")
    return rewrite_list(data, "/deleted_ids", range(len(index.deleted)), [issue_id])


def index_misses_issue(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The ids of issue files that are not listed, appended in order of creation; of a file that is no issue, none."""
    data = _sound(store)
    missing = []
    for problem in problems:
        if _is_issue(store, problem.subject):
            missing.append(problem.subject)
        else:
            context.leave(problem, "the file is no issue that loads under its own id")
    if data is None or not missing:
        return {}
    return {layout.INDEX: _appended(store, data, "all_ids", in_order_of_creation(store, missing))}


def _is_issue(store: Store, issue_id: str) -> bool:
    """Whether a file is an issue, by all it says: it loads, and its id is that of its name."""
    issue = store.issue(issue_id)
    return issue is not None and issue.own_id == issue_id and layout.is_uuid4(issue_id)


def tombstone_lost(store: Store, problems: list[Problem], context: Context) -> Changes:
    """An id that a parent called deleted is called so again."""
    del context
    data = _sound(store)
    if data is None:
        return {}
    return {layout.INDEX: _appended(store, data, "deleted_ids", [problem.subject for problem in problems])}


def index_reordered(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The ids kept from the parent go back into its order; the places of all others stay."""
    del problems
    data = _sound(store)
    index = store.issue_index
    before = context.parents[0].issue_index if context.parents else None
    if data is None or index is None or before is None or len(index.alive_set) < len(index.alive):
        return {}
    places = {issue_id: at for at, issue_id in enumerate(index.alive)}
    kept = iter([places[issue_id] for issue_id in before.alive if issue_id in places])
    order = [next(kept) if issue_id in before.alive_set else at for at, issue_id in enumerate(index.alive)]
    return {layout.INDEX: rewrite_list(data, "/all_ids", order)}


def in_order_of_creation(store: Store, ids: Iterable[str]) -> list[str]:
    """Ids by the time their issue was made; what has none, or does not load, comes last, by id."""
    issues = {issue_id: store.issue(issue_id) for issue_id in dict.fromkeys(ids)}
    return sorted(
        issues,
        key=lambda each: (
            (moment := instant_of(issue.created_at) if (issue := issues[each]) is not None else "") == "",
            moment,
            each,
        ),
    )


def _sound(store: Store) -> bytes | None:
    """The bytes of an issue index that loads."""
    data = store.snapshot.read(layout.INDEX)
    return data if type(data) is bytes and store.issue_index is not None else None


def _appended(store: Store, data: bytes, member: str, ids: Iterable[str]) -> bytes:
    index = store.issue_index
    assert index is not None
    members = Record(layout.INDEX, data, store.accepted).members
    there = index.alive if member == "all_ids" else index.deleted
    new = [each for each in ids if each not in set(there)]
    if member not in members:
        return set_member(data, "", member, new, "index")
    return rewrite_list(data, f"/{member}", range(len(there)), new)


def rebuilt(store: Store, damaged: bytes, problems: list[Problem], context: Context) -> Changes:
    """The issue index that a copy, the ids readable in the damaged bytes and the issue files make together.

    Ids stand in the order of the copy, those read here after them, those of files nobody lists last, in order of
    creation. Deleted is what the copy or the event log calls so and has no file. Members that nobody knows stay where
    they can be read; nothing, with the reason left, when more than that can be read, or a conflict or a newer version.
    """
    damaged = in_utf_8(damaged)
    version = max(map(int, _VERSION.findall(damaged)), default=0)
    why = ""
    if conflict_marker(damaged) is not None:
        why = "it holds the sides of a conflict: a person chooses"
    elif version > context.accepted.schema_version:
        why = f"it says that its version is {version}, which is not known here"
    copies = []
    for copy in context.copies(layout.INDEX):
        record = Record(layout.INDEX, copy.data, context.accepted)
        if record.loads and type(record.document) is dict:
            copies.append((copy, IssueIndex(record.document), record.document))
    files = store.issue_ids()
    there = set(files)
    salvaged = [found.decode() for found in _UUID.findall(damaged)]
    listed = [*(copies[0][1].alive if copies else ()), *salvaged]
    deleted = dict.fromkeys(each for _, index, _ in copies for each in index.deleted if each not in there)
    deleted.update(dict.fromkeys(each for each in salvaged if each not in there and _is_deleted(damaged, each)))
    told = [each for each in _told_deleted(store) if each not in there and was_deleted(store, each, context)]
    deleted.update(dict.fromkeys(told))
    alive = [each for each in dict.fromkeys(listed) if each in there or each not in deleted]
    listed_before = set(alive)
    alive += in_order_of_creation(
        store, (each for each in files if each not in listed_before and _is_issue(store, each))
    )
    document: dict[str, object] = dict(copies[0][2]) if copies else {"schema_version": 2}
    document["schema_version"] = version or (copies[0][1].version if copies else 2)
    members = Record(layout.INDEX, damaged, context.accepted).members
    if "all_ids" in members:
        document.update({name: value for name, value in members.items() if name not in _MEMBERS})
    document["all_ids"], document["deleted_ids"] = alive, list(deleted)
    ordered = copies[0][2] if copies else members
    data = canonical("index", document, sorted_members=bool(ordered) and is_sorted(ordered))
    if not why and not context.unsafe and not says_all(data, damaged):
        why = "more can be read in it than the issue files and the copies say: --unsafe-fixes would drop that"
    if why:
        for problem in problems:
            context.leave(problem, why)
        return {}
    context.say(layout.INDEX, "made again from the issue files" + (f" and {copies[0][0].source}" if copies else ""))
    return {layout.INDEX: data}


def _is_deleted(damaged: bytes, issue_id: str) -> bool:
    """Whether an id stands in the list of deleted ones, as far as that can be read."""
    at, alive, deleted = damaged.find(issue_id.encode()), damaged.find(b'"all_ids"'), damaged.find(b'"deleted_ids"')
    return deleted >= 0 and at > deleted and (alive < deleted or at < alive)
