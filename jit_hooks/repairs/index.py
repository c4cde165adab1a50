"""Repairs of the issue index: it says which issues there are, so it can be made again from them."""

from __future__ import annotations

import re

from jit_hooks.repairs.lists import first_places
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import restored, says_all
from jit_hooks.repairs.utf8 import in_utf_8
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


_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION = re.compile(rb'"schema_version"\s*:\s*([0-9]{1,9})')
_MEMBERS = ("schema_version", "all_ids", "deleted_ids")


def index_absent(store: Store, _: Problem, context: Context) -> Mend | Left:
    """The issue index of a copy, to be brought up to the issue files; without one, made from them."""
    if context.copies(layout.INDEX):
        return restored(store, layout.INDEX, context)
    return rebuilt(store, b"", context)


def index_malformed(store: Store, _: list[Problem], context: Context) -> Mend | Left:
    """The issue index again, from the ids that can still be read in it, those a copy lists, and the issue files."""
    data = store.snapshot.read(layout.INDEX)
    return rebuilt(store, data, context) if type(data) is bytes else Mend()


def index_duplicate_id(store: Store, problems: list[Problem], _: Context) -> Mend:
    """Of an id that stands twice in a list the first stays."""
    data = _sound(store)
    if data is None:
        return Mend()
    for member in {problem.pointer.split("/")[1] for problem in problems}:
        ids = Record(layout.INDEX, data, store.accepted).members[member]
        assert type(ids) is list
        data = rewrite_list(data, f"/{member}", first_places(ids))
    return Mend({layout.INDEX: data})


def index_outdated(store: Store, _: Problem, __: Context) -> Mend:
    """Version 2, which can say which ids were deleted: those with an event that says so, and neither file nor entry."""
    data = _sound(store)
    if data is None:
        return Mend()
    members = Record(layout.INDEX, data, store.accepted).members
    if "deleted_ids" not in members:
        alive = members["all_ids"]
        assert type(alive) is list
        deleted = [each for each in _logged_as_deleted(store) if each not in alive and not store.has_issue(each)]
        data = set_member(data, "", "deleted_ids", deleted, "index")
    return Mend({layout.INDEX: set_member(data, "", "schema_version", 2, "index")})


def issue_vanished(store: Store, problems: list[Problem], context: Context) -> Mend:
    """The issue file as the git index or HEAD has it; not when its deletion is staged. Its id follows.

    Of one that was deleted by what the log says only the id comes back, to those of deleted issues.
    """
    data = _sound(store)
    deleted = [problem.subject for problem in problems if was_deleted(store, problem.subject, context)]
    done = Mend()
    if data is not None and deleted:
        done.changes[layout.INDEX] = _appended(store, data, "deleted_ids", deleted)
    for problem in problems:
        if data is not None and problem.subject in deleted:
            continue
        paths = [problem.path]
        if problem.path == layout.INDEX:
            before = next((parent for parent in context.parents if parent.issue_ids()), None)
            paths += map(layout.issue_path, before.issue_ids() if before is not None else ())
        for path in paths:
            done.add(_brought_back(store, path, context), [problem])
    return done


def _brought_back(store: Store, path: str, context: Context) -> Mend | Left:
    if not context.copies(path):
        return Left("no copy of it is in git, or its deletion is staged")
    return restored(store, path, context)


def index_lists_missing(store: Store, problems: list[Problem], context: Context) -> Mend:
    """The issue file as the git index or HEAD has it; not when its deletion is staged.

    One that was deleted by what the log says stays so. An id of which there is no copy is left: whether the issue was
    deleted, or lost, a person knows. Where the tracker was killed while it deleted the issue, its temp file says so,
    and unsafe repairs end what it began.
    """
    done = Mend()
    data = _sound(store)
    for problem in problems:
        path = layout.issue_path(problem.subject)
        temp = temp_of_deletion(store, problem.subject)
        if data is not None and was_deleted(store, problem.subject, context):
            data = _moved_to_deleted(store, data, problem.subject)
            done.add(Mend({layout.INDEX: data}, {layout.INDEX: "what the event log calls deleted is called so"}), [])
        elif layout.kind_of(path) == "issue" and context.copies(path):
            done.add(restored(store, path, context), [problem])
            if temp and path in done.changes:
                done.sources[path] += "; the tracker was deleting it when it was killed"
        elif temp and data is not None and context.unsafe:
            data = _moved_to_deleted(store, data, problem.subject)
            done.add(Mend({layout.INDEX: data}, {layout.INDEX: f"the deletion ends that {temp} began"}), [])
        else:
            done.add(Left(_nowhere(began=bool(temp and data is not None))), [problem])
    return done


def _nowhere(*, began: bool) -> str:
    """The reason to leave an id without an issue; of some it can be seen that their deletion began."""
    if not began:
        return "no copy of the issue is in git, or its deletion is staged: decide whether it was deleted or lost"
    evidence = "a leftover temporary file shows that the tracker was killed while deleting it"
    return f"no copy of the issue is in git, and {evidence}: --unsafe-fixes ends the deletion"


def was_deleted(store: Store, issue_id: str, context: Context) -> bool:
    """True if the event log calls an issue deleted, and no parent that says so too has it all the same."""
    return _is_logged_as_deleted(store, issue_id) and not any(
        parent.has_issue(issue_id) and _is_logged_as_deleted(parent, issue_id) for parent in context.parents
    )


def _is_logged_as_deleted(store: Store, issue_id: str) -> bool:
    return any(event.type == "issue_deleted" for event in store.log.events_of(issue_id))


def _logged_as_deleted(store: Store) -> list[str]:
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


def index_misses_issue(store: Store, problems: list[Problem], _: Context) -> Mend:
    """The ids of issue files that are not listed, appended in order of creation; of a file that is no issue, none."""
    data = _sound(store)
    done = Mend()
    missing = []
    for problem in problems:
        if _is_issue(store, problem.subject):
            missing.append(problem.subject)
        else:
            done.left[problem.identity] = "the file is no issue that loads under its own id"
    if data is not None and missing:
        done.changes[layout.INDEX] = _appended(store, data, "all_ids", in_order_of_creation(store, missing))
    return done


def _is_issue(store: Store, issue_id: str) -> bool:
    """True if a file is an issue, by all it says: it loads, and its id is that of its name."""
    issue = store.issue(issue_id)
    return issue is not None and issue.own_id == issue_id and layout.is_uuid4(issue_id)


def tombstone_lost(store: Store, problems: list[Problem], _: Context) -> Mend:
    """An id that a parent called deleted is called so again."""
    data = _sound(store)
    if data is None:
        return Mend()
    return Mend({layout.INDEX: _appended(store, data, "deleted_ids", [problem.subject for problem in problems])})


def index_reordered(store: Store, _: Problem, context: Context) -> Mend:
    """The ids kept from the parent go back into its order; the places of all others stay."""
    data = _sound(store)
    index = store.issue_index
    before = context.parents[0].issue_index if context.parents else None
    if data is None or index is None or before is None or len(index.alive_set) < len(index.alive):
        return Mend()
    places = {issue_id: at for at, issue_id in enumerate(index.alive)}
    kept = iter([places[issue_id] for issue_id in before.alive if issue_id in places])
    order = [next(kept) if issue_id in before.alive_set else at for at, issue_id in enumerate(index.alive)]
    return Mend({layout.INDEX: rewrite_list(data, "/all_ids", order)})


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
    listed = index.alive if member == "all_ids" else index.deleted
    known = set(listed)
    new = [each for each in ids if each not in known]
    if member not in members:
        return set_member(data, "", member, new, "index")
    return rewrite_list(data, f"/{member}", range(len(listed)), new)


def rebuilt(store: Store, damaged: bytes, context: Context) -> Mend | Left:
    """The issue index that a copy, the ids readable in the damaged bytes and the issue files make together.

    Members that nobody knows stay where they can be read; the reason, when more than that can be read, or a conflict
    or a newer version.
    """
    damaged = in_utf_8(damaged)
    version = max(map(int, _VERSION.findall(damaged)), default=0)
    if conflict_marker(damaged) is not None:
        return Left("it holds the sides of a conflict: a person chooses")
    if version > context.accepted.schema_version:
        return Left(f"it says that its version is {version}, which is not known here")
    copies = _indexes_in(context)
    alive, deleted = _ids_of(store, damaged, [index for _, _, index in copies], context)
    members = Record(layout.INDEX, damaged, context.accepted).members
    source, known, index = copies[0] if copies else ("", members, None)
    document: dict[str, object] = dict(known) if index is not None else {}
    document["schema_version"] = version or (index.version if index is not None else 2)
    if "all_ids" in members:
        document.update({name: value for name, value in members.items() if name not in _MEMBERS})
    document["all_ids"], document["deleted_ids"] = alive, deleted
    data = canonical("index", document, sorted_members=bool(known) and is_sorted(known))
    if not context.unsafe and not says_all(data, damaged):
        return Left("more can be read in it than the issue files and the copies say: --unsafe-fixes would drop that")
    return Mend({layout.INDEX: data}, {layout.INDEX: f"made again from the issue files{source and f' and {source}'}"})


def _indexes_in(context: Context) -> list[tuple[str, dict[str, object], IssueIndex]]:
    """The copies of the issue index that load: where each is, its members, and what it lists."""
    indexes = []
    for copy in context.copies(layout.INDEX):
        record = Record(layout.INDEX, copy.data, context.accepted)
        if record.loads and type(record.document) is dict:
            indexes.append((copy.source, record.members, IssueIndex(record.document)))
    return indexes


def _ids_of(store: Store, damaged: bytes, indexes: list[IssueIndex], context: Context) -> tuple[list[str], list[str]]:
    """The ids of an issue index made again: of issues that are alive, and of deleted ones.

    They stand in the order of the copy, those read in the damaged bytes after them, those of files nobody lists last,
    in order of creation. Deleted is what the copy or the event log calls so and has no file.
    """
    files = store.issue_ids()
    with_file = set(files)
    salvaged = [name.decode() for name in _UUID.findall(damaged)]
    gone = [each for index in indexes for each in index.deleted]
    gone += [each for each in salvaged if _is_deleted(damaged, each)]
    gone += [each for each in _logged_as_deleted(store) if each not in with_file and was_deleted(store, each, context)]
    deleted = dict.fromkeys(each for each in gone if each not in with_file)
    listed = dict.fromkeys([*(indexes[0].alive if indexes else ()), *salvaged])
    alive = dict.fromkeys(each for each in listed if each in with_file or each not in deleted)
    unlisted = [each for each in files if each not in alive and _is_issue(store, each)]
    return [*alive, *in_order_of_creation(store, unlisted)], list(deleted)


def _is_deleted(damaged: bytes, issue_id: str) -> bool:
    """True if an id stands in the list of deleted ones, as far as that can be read."""
    at, alive, deleted = damaged.find(issue_id.encode()), damaged.find(b'"all_ids"'), damaged.find(b'"deleted_ids"')
    return deleted >= 0 and at > deleted and (alive < deleted or at < alive)
