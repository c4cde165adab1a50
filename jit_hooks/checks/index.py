"""Family ``index``: the issue index against the issue files, and against what the parents had."""

from __future__ import annotations

from jit_hooks.checks.wording import first_places, titled
from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Record
    from jit_hooks.store.store import Store


def _string_list(document: dict[str, object], member: str) -> list[str]:
    value = document.get(member)
    return [item for item in value if type(item) is str] if type(value) is list else []


def index_malformed(record: Record) -> Iterator[Problem]:
    """The issue index lacks a member, or has one of the wrong type.

    ``schema_version`` and ``all_ids`` are required, ``deleted_ids`` is a list where it is there. Every write of
    the tracker loads this file, and since v1 every list does too.

    FAIL: ``"all_ids": {}``

    PASS: ``{"all_ids": [], "deleted_ids": [], "schema_version": 2}``

    REPAIR: rebuilt from the issue files and the ids the parents list; where it says more than ids, ``--unsafe-fixes``
    drops that. A conflict, and a newer version, are left.

    TO FIX: restore the issue index; ``jit-hooks schema index`` prints its shape.
    """
    for pointer, _, detail in record.faults:
        member = pointer.split("/")[1] if pointer else ""
        yield Problem(
            "index-malformed",
            record.path,
            f"`{pointer}` {detail}" if pointer else detail,
            subject=member,
            pointer=pointer,
        )


def index_absent(store: Store, focus: Focus) -> Iterator[Problem]:
    """There are issue files, but no issue index.

    Without ``index.json`` the tracker refuses to start: "repository not initialised".

    FAIL: ``index.json`` deleted, or never staged.

    PASS: a store without issues and without an issue index.

    REPAIR: rebuilt from the issue files in order of creation.

    TO FIX: restore the issue index from a commit that has it.
    """
    if store.snapshot.entry(layout.INDEX) is not None:
        return
    if focus.touches(layout.INDEX) or focus.issue_ids(store):
        count = len(store.issue_ids())
        if count:
            yield Problem("index-absent", layout.INDEX, f"does not exist, though there are {count} issue files")


def index_misses_issue(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue file's id is not in the issue index.

    The file is there and no list shows it: the issue is hidden in every clone. The usual cause is a commit that
    staged the issue and not ``index.json``.

    FAIL: ``issues/3f2a81c0-....json`` exists, ``all_ids`` lacks ``3f2a81c0-...``.

    PASS: every issue file's id in ``all_ids``.

    REPAIR: the id is appended, in order of creation, if the file is an issue of that id.

    TO FIX: append the id to ``all_ids`` of the issue index.
    """
    index = store.issue_index
    if index is None:
        return
    before = focus.index_before()
    candidates = dict.fromkeys(focus.issue_ids(store))
    if before is not None and focus.touches(layout.INDEX):
        candidates.update(dict.fromkeys(sorted((before.alive_set | before.deleted_set) - index.alive_set)))
    elif focus.touches(layout.INDEX):
        candidates.update(dict.fromkeys(store.issue_ids()))
    for issue_id in candidates:
        if issue_id not in index.alive_set and issue_id not in index.deleted_set and store.has_issue(issue_id):
            yield Problem(
                "index-misses-issue",
                layout.INDEX,
                f"does not list issue {titled(store, issue_id)}, which has a file: every clone would hide it",
                subject=issue_id,
                pointer="/all_ids",
                related=(layout.issue_path(issue_id),),
            )


def index_lists_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """The issue index lists an id that has no issue file.

    The tracker looks for the file in vain, and falls back on older copies from git where it finds them, so two
    clones may show different stores. The usual cause is a commit that staged ``index.json`` and not the issue.

    FAIL: ``all_ids`` names ``3f2a81c0-...``, there is no ``issues/3f2a81c0-....json``.

    PASS: a file for every id in ``all_ids``.

    REPAIR: the id goes to ``deleted_ids`` when the event log calls the issue deleted. Else the file is restored where
    a copy of it exists; otherwise a person decides whether it was deleted. Where the tracker was killed while it
    deleted the issue, ``--unsafe-fixes`` ends that.

    TO FIX: stage or restore the issue file; if the issue was deleted, move its id to ``deleted_ids``.
    """
    index = store.issue_index
    if index is None:
        return
    before = focus.index_before()
    if focus.touches(layout.INDEX):
        known: Iterable[str] = before.alive_set if before is not None else ()
        candidates = [issue_id for issue_id in dict.fromkeys(index.alive) if issue_id not in known]
    else:
        candidates = []
    candidates.extend(issue_id for issue_id in focus.removed_issue_ids(store) if issue_id in index.alive_set)
    places = first_places(index.alive) if candidates else {}
    for issue_id in dict.fromkeys(candidates):
        if issue_id in index.deleted_set or store.stands_at(layout.issue_path(issue_id)):
            continue
        yield Problem(
            "index-lists-missing",
            layout.INDEX,
            f"lists issue {issue_id[:8]}, which has no file",
            subject=issue_id,
            pointer=f"/all_ids/{places[issue_id]}",
            related=(layout.issue_path(issue_id),),
        )


def index_duplicate_id(record: Record) -> Iterator[Problem]:
    """An id stands twice in one list of the issue index.

    Since v1 the tracker refuses such an issue index in every command, reads too, and a committed one keeps
    failing from HEAD in every clone until a commit heals it.

    FAIL: ``"all_ids": ["3f2a...", "3f2a..."]``

    PASS: each id once.

    REPAIR: the first stays.

    TO FIX: take out the repetition; the first one stays.
    """
    for member in ("all_ids", "deleted_ids"):
        ids = _string_list(record.members, member)
        if len(set(ids)) == len(ids):
            continue
        seen: set[str] = set()
        for position, issue_id in enumerate(ids):
            if issue_id in seen:
                yield Problem(
                    "index-duplicate-id",
                    record.path,
                    f"lists {issue_id[:8]} twice in `{member}`: since v1 no command of the tracker works then",
                    subject=issue_id,
                    pointer=f"/{member}/{position}",
                )
            seen.add(issue_id)


def index_deleted_alive(store: Store, focus: Focus) -> Iterator[Problem]:
    """An id that the issue index calls deleted is alive: in ``all_ids``, or it has a file.

    June's tracker then hides the issue; v1's refuses every command, in every clone, until a commit heals it. An
    update that races a delete leaves this behind, with exit code 0.

    FAIL: ``3f2a81c0-...`` in ``all_ids`` and in ``deleted_ids``.

    PASS: every id in one list, and a deleted one without a file.

    REPAIR: none; a person decides whether the issue lives. To keep it, take the id out of ``deleted_ids``; to
    delete it, ``JIT_ALLOW_DELETION=1 jit issue delete ID``.

    TO FIX: decide whether the issue lives. To keep it, take its id out of ``deleted_ids``. To delete it::

        JIT_ALLOW_DELETION=1 jit issue delete {id}
    """
    index = store.issue_index
    if index is None:
        return
    if focus.touches(layout.INDEX):
        before = focus.index_before()
        known: Iterable[str] = (before.deleted_set - before.alive_set) if before is not None else ()
        candidates = [issue_id for issue_id in dict.fromkeys(index.deleted) if issue_id not in known]
        if before is not None:
            candidates.extend(sorted(index.alive_set & index.deleted_set))
    else:
        candidates = []
    candidates.extend(issue_id for issue_id in focus.issue_ids(store) if issue_id in index.deleted_set)
    places = first_places(index.deleted) if candidates else {}
    for issue_id in dict.fromkeys(candidates):
        if issue_id in index.alive_set:
            where = "is in `all_ids` too: since v1 no command of the tracker works then, in any clone"
        elif store.has_issue(issue_id):
            where = f"has a file, {layout.issue_path(issue_id)}: no list shows it"
        else:
            continue
        yield Problem(
            "index-deleted-alive",
            layout.INDEX,
            f"calls issue {titled(store, issue_id)} deleted, but it {where}",
            subject=issue_id,
            pointer=f"/deleted_ids/{places[issue_id]}",
            related=(layout.issue_path(issue_id),),
        )


def index_reordered(store: Store, focus: Focus) -> Iterator[Problem]:
    """Ids that the issue index kept from a parent stand in another order.

    ``all_ids`` is in order of creation, and no writer of the tracker ever reorders it; a sort by hand makes
    every parallel branch conflict.

    FAIL: two ids swapped.

    PASS: ids appended, ids removed.

    REPAIR: the kept ids go back into the parent's order.

    TO FIX: put the ids back into the parent's order.
    """
    index = store.issue_index
    before = focus.parents[0].issue_index
    if index is None or before is None or layout.INDEX not in focus.paths or len(focus.parents) > 1:
        return
    kept_now = [issue_id for issue_id in index.alive if issue_id in before.alive_set]
    kept_before = [issue_id for issue_id in before.alive if issue_id in index.alive_set]
    if kept_now != kept_before and sorted(kept_now) == sorted(kept_before):
        at = next(i for i, (a, b) in enumerate(zip(kept_now, kept_before, strict=True)) if a != b)
        moved = kept_now[at]
        yield Problem(
            "index-reordered",
            layout.INDEX,
            f"changed the order of ids it kept; the first out of place is {moved[:8]}",
            subject=moved,
            pointer=f"/all_ids/{index.alive.index(moved)}",
        )


def index_outdated(record: Record) -> Iterator[Problem]:
    """The issue index has version 1, from before February 2026.

    Both trackers read it; it cannot say which ids were deleted.

    FAIL: ``"schema_version": 1``

    PASS: ``"schema_version": 2`` with ``deleted_ids``.

    REPAIR: version 2 with an empty ``deleted_ids``.

    TO FIX: nothing has to be done: both trackers read version 1; ``jit-check --fix --all`` brings it to version 2.
    """
    if record.members.get("schema_version") == 1 and not record.faults:
        yield Problem("index-outdated", record.path, "has schema version 1; 2 is current", pointer="/schema_version")


def tombstone_lost(store: Store, focus: Focus) -> Iterator[Problem]:
    """An id left ``deleted_ids`` though its issue is not alive.

    The list of deleted ids only grows; without its entry a deleted issue comes back from another clone or an
    older branch.

    FAIL: an id that the parent lists as deleted is in neither list now.

    PASS: the id is in ``all_ids`` again and its file is there: somebody brought it back on purpose.

    REPAIR: the id goes back into ``deleted_ids``.

    TO FIX: put the id back into ``deleted_ids``.
    """
    index = store.issue_index
    if index is None or layout.INDEX not in focus.paths:
        return
    lost: dict[str, None] = {}
    for parent in focus.parents:
        before = parent.issue_index
        if before is not None:
            lost.update(dict.fromkeys(i for i in before.deleted if i not in index.deleted_set))
    for issue_id in lost:
        if issue_id in index.alive_set and store.has_issue(issue_id):
            continue
        yield Problem(
            "tombstone-lost",
            layout.INDEX,
            f"no longer calls {issue_id[:8]} deleted, and it is not alive either: it could come back from a branch",
            subject=issue_id,
            pointer="/deleted_ids",
        )


def issue_vanished(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue of a parent is gone, and the issue index does not say that it was deleted.

    The tracker deletes an issue by moving its id to ``deleted_ids``. A file and an id that are simply gone were
    lost by a merge, a checkout or a hand; the same when the whole store is gone.

    FAIL: ``issues/3f2a81c0-....json`` removed and its id taken out of ``all_ids``.

    PASS: the id in ``deleted_ids``. Stores of version 1 could not say it and are not asked.

    REPAIR: the file is restored from the parent, unless the event log calls the issue deleted; then its id goes to
    ``deleted_ids``.

    TO FIX: bring the file and its id back from the parent. If the issue shall go, delete it with the tracker::

        JIT_ALLOW_DELETION=1 jit issue delete {id}
    """
    if layout.INDEX not in focus.paths and not any(layout.kind_of(path) == "issue" for path in focus.paths):
        return
    index = store.issue_index
    for parent in focus.parents:
        before = parent.issue_index
        if before is None or before.version < 2:
            continue
        if index is None:
            count = sum(parent.has_issue(issue_id) for issue_id in before.alive_set)
            if count and store.snapshot.entry(layout.INDEX) is None and not store.issue_ids():
                said = f"is gone, and with it {'the issue' if count == 1 else f'all {count} issues'} of the store"
                yield Problem("issue-vanished", layout.INDEX, said)
                return
            continue
        gone = [
            issue_id
            for issue_id in before.alive
            if issue_id not in index.alive_set and issue_id not in index.deleted_set
        ]
        for issue_id in gone:
            if parent.has_issue(issue_id) and not store.has_issue(issue_id):
                yield _vanished(parent, issue_id)


def _vanished(parent: Store, issue_id: str) -> Problem:
    return Problem(
        "issue-vanished",
        layout.issue_path(issue_id),
        f"issue {titled(parent, issue_id)} is gone, and the issue index does not call it deleted",
        subject=issue_id,
        related=(layout.INDEX,),
    )
