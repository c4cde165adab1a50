"""Family ``dependency``: the edges between issues, and the graph they make."""

from __future__ import annotations

from jit_hooks.checks.wording import first_places, repeated, titled
from jit_hooks.problem import Problem
from jit_hooks.store import graph, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Record
    from jit_hooks.store.store import Store

SUBJECT_IDS = 8
"""Of how many ids the subject of a circle may consist; a longer one is named by a digest."""


def dependency_missing(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue depends on an id that no issue file carries.

    The dependency can never be met, so the issue is blocked for ever, and ``jit validate`` stops here. A
    deleted issue (``jit issue delete`` leaves the edges to it), one that was never staged, and one that was
    never in this store look the same in the issue; the message tells them apart. An issue that is there and
    does not load is not meant: its own problem says so.

    FAIL: ``"dependencies": ["3f2a81c0-..."]`` without ``issues/3f2a81c0-....json``

    PASS: an issue file for each dependency, in any state.

    REPAIR: ``git add`` the issue when the worktree has it; restore it when a copy exists; else, with
    ``--unsafe-fixes``, the edge goes. The tracker's way to drop it is ``jit dep rm ISSUE MISSING``.

    TO FIX: stage the issue it names, or drop the dependency (in a linked worktree set
    JIT_WORKTREE_WRITE_POLICY=allow)::

        jit dep rm {id} {subject}
    """
    judged = frozenset(focus.issue_ids(store))
    for issue_id in focus.issue_ids(store):
        issue = store.issue(issue_id)
        if issue is not None and not judged.issuperset(issue.dependencies):
            yield from _missing(store, focus, issue_id, None)
    for removed in focus.removed_issue_ids(store):
        if focus.parents and not focus.parents[0].has_issue(removed):
            continue
        for issue_id in store.dependents(removed):
            if issue_id not in judged:
                yield from _missing(store, focus, issue_id, removed)


def _missing(store: Store, focus: Focus, issue_id: str, only: str | None) -> Iterator[Problem]:
    issue = store.issue(issue_id)
    if issue is None:
        return
    places = first_places(issue.dependencies)
    for target in places:
        if only is not None and target != only:
            continue
        path = layout.issue_path(target)
        is_name = layout.kind_of(path) == "issue"
        if is_name and store.stands_at(path):
            continue
        short, why, remedy = target[:8], "", ""
        index = store.issue_index
        if store.is_deleted(target):
            why = "was deleted"
            remedy = "jit dep rm {id} {subject}"
        elif focus.parents and focus.parents[0].has_issue(target):
            short, why = titled(focus.parents[0], target), "is gone without being called deleted"
        elif index is not None and target in index.alive_set:
            why = "the issue index lists, but which has no file: was it never staged?"
        else:
            why = "has never been in this store: was it never staged?"
        yield Problem(
            "dependency-missing",
            issue.path,
            f"issue {titled(store, issue_id)} depends on {short}, which {why}",
            subject=target,
            pointer=f"/dependencies/{places[target]}",
            related=(path, layout.INDEX) if is_name else (layout.INDEX,),
            remedy=remedy,
        )


def dependency_cycle(store: Store, focus: Focus) -> Iterator[Problem]:
    """Issues depend on each other in a circle, or one depends on itself.

    None of them can ever become ready. The tracker refuses to close a circle, but two ``jit dep add`` at
    once, or a merge of two branches, close one. ``jit validate --fix`` must not be run on it: it deletes
    sound edges and leaves the circle. However many circles run through the same issues, they are one problem,
    which shows a shortest one.

    A commit is asked about the edges it adds, those of new issues too: an old edge to an issue that was missing may
    lead back to it.

    FAIL: A depends on B, B on C, C on A.

    PASS: A depends on B and C, B on C.

    REPAIR: a person decides which edge goes (``jit dep rm A B``); ``--unsafe-fixes`` drops the one added
    last.

    TO FIX: decide which edge goes, and drop it with ``jit dep rm FROM TO``.
    """
    edges = graph.edges_of(store)
    if focus.everything:
        found: Iterable[frozenset[str]] = graph.circles(store.issue_ids(), edges)
    else:
        added = graph.added_edges(store, focus)
        found = (
            members
            for members in graph.circles(added, edges)
            if any(not members.isdisjoint(added.get(issue_id, ())) for issue_id in members)
        )
    for members in found:
        yield _circle(store, graph.shortest_circle(members, edges), len(members))


def _circle(store: Store, circle: list[str], members: int) -> Problem:
    first, second = circle[0], circle[1 % len(circle)]
    issue = store.issue(first)
    at = issue.dependencies.index(second) if issue is not None else 0
    shown = [titled(store, issue_id) for issue_id in circle]
    if len(shown) > SUBJECT_IDS:
        shown[5:-2] = [f"... {len(shown) - 7} more ..."]
    if len(circle) == 1:
        message = f"issue {shown[0]} depends on itself"
    else:
        message = f"issues depend on each other in a circle: {' -> '.join([*shown, first[:8]])}"
    if members > len(circle):
        message += f"; {members} issues are in circles with it"
    return Problem(
        "dependency-cycle",
        layout.issue_path(first),
        message,
        subject=_name_of(circle),
        pointer=f"/dependencies/{at}",
        related=tuple(layout.issue_path(issue_id) for issue_id in circle[1:]),
    )


def _name_of(circle: list[str]) -> str:
    joined = " ".join(circle)
    if len(circle) <= SUBJECT_IDS:
        return joined
    from hashlib import sha256

    return sha256(joined.encode("utf-8", "replace")).hexdigest()


def dependency_duplicate(record: Record) -> Iterator[Problem]:
    """An issue names one dependency twice.

    Harmless to the tracker, which counts it once at most; a merge of two branches that both added it leaves
    it.

    FAIL: ``"dependencies": ["3f2a81c0-...", "3f2a81c0-..."]``

    PASS: each dependency once.

    REPAIR: the first stays.

    TO FIX: keep one of the two equal edges.
    """
    for target, position in repeated(_strings(record, "dependencies")).items():
        yield Problem(
            "dependency-duplicate",
            record.path,
            f"names the dependency on {target[:8]} twice",
            subject=target,
            pointer=f"/dependencies/{position}",
        )


def dependency_redundant(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue depends on another both directly and through a third.

    The direct edge says nothing new; ``jit validate`` refuses it, though the tracker's own ``jit dep add``
    makes such edges above the issue it edits. Where a circle is reached nothing is implied, and nothing is
    said.

    FAIL: A depends on B and C, B depends on C.

    PASS: A depends on B, B on C.

    REPAIR: the implied edge goes; what reaches what stays as it was.

    TO FIX: nothing breaks; drop the direct edge if it says nothing of its own.
    """
    if focus.everything:
        starts: Iterable[str] = store.issue_ids()
    else:
        changed = {**graph.added_edges(store, focus), **graph.lost_edges(store, focus)}
        starts = _with_all_above(store, changed)
    edges = graph.edges_of(store)
    for issue_id, implied in graph.implied_edges(starts, edges):
        issue = store.issue(issue_id)
        if issue is None:
            continue
        for target in implied:
            yield Problem(
                "dependency-redundant",
                issue.path,
                f"issue {titled(store, issue_id)} depends on {titled(store, target)} both directly and through others",
                subject=target,
                pointer=f"/dependencies/{issue.dependencies.index(target)}",
            )


def _with_all_above(store: Store, issue_ids: Iterable[str]) -> list[str]:
    """These ids, and all that depend on them, directly or not."""
    found = dict.fromkeys(issue_ids)
    waiting = list(found)
    while waiting:
        for above in store.dependents(waiting.pop()):
            if above not in found:
                found[above] = None
                waiting.append(above)
    return list(found)


def issue_isolated(store: Store, focus: Focus) -> Iterator[Problem]:
    """No issue depends on this one, and it depends on none.

    ``jit validate`` refuses it in a store of more than one issue; every new issue is so until its first
    dependency. Said only when every issue can be read: an issue that does not load may depend on it.

    FAIL: a new issue without ``jit dep add``.

    PASS: the only issue of a store; an issue that depends on something; one that something depends on.

    REPAIR: none; a person says where the work belongs.

    TO FIX: nothing breaks; connect it with ``jit dep add`` if it belongs to something.
    """
    candidates = [
        issue_id
        for issue_id in _isolation_candidates(store, focus)
        if (issue := store.issue(issue_id)) is not None and not issue.dependencies
    ]
    if not candidates or len(store.issue_ids()) < 2:
        return
    found = [issue_id for issue_id in candidates if not store.dependents(issue_id)]
    if not found or not _every_issue_loads(store):
        return
    for issue_id in found:
        yield Problem(
            "issue-isolated",
            layout.issue_path(issue_id),
            f"issue {titled(store, issue_id)} depends on nothing, and nothing depends on it",
            pointer="/dependencies",
        )


def _isolation_candidates(store: Store, focus: Focus) -> Iterable[str]:
    """Issues that may have lost their last edge, or the parent could not say it of."""
    if focus.everything or not focus.parents:
        return store.issue_ids()
    parent = focus.parents[0]
    candidates = dict.fromkeys(focus.issue_ids(store))
    written = [*candidates, *focus.removed_issue_ids(store)]
    for targets in graph.lost_edges(store, focus).values():
        candidates.update(dict.fromkeys(targets))
    if written or focus.touches(layout.INDEX):
        names = parent.issue_ids()
        index = parent.issue_index
        if (
            len(names) < 2
            or any(parent.has_issue(issue_id) and parent.issue(issue_id) is None for issue_id in written)
            or (index is not None and not index.alive_set.issubset(names))
        ):
            return store.issue_ids()
    return candidates


def _every_issue_loads(store: Store) -> bool:
    ids = store.issue_ids()
    index = store.issue_index
    if index is not None and not index.alive_set.issubset(ids):
        return False
    return all(store.issue(issue_id) is not None for issue_id in ids)


def _strings(record: Record, member: str) -> list[str]:
    """A list of texts of a record that loads."""
    if not record.loads:
        return []
    values = record.members.get(member)
    return [value for value in values if type(value) is str] if type(values) is list else []
