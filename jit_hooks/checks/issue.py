"""Family ``issue``: one issue record by itself, and against what its parents said."""

from __future__ import annotations

from jit_hooks.checks.wording import fault_words, grouped
from jit_hooks.problem import Problem, parts_of
from jit_hooks.store import layout
from jit_hooks.store.records import is_era_fault
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Issue, Record
    from jit_hooks.store.store import Store

LIFECYCLE = ("first_ready_at", "claimed_at", "done_at")
"""Times the tracker sets once, since July 2026, and never takes back."""


def issue_malformed(record: Record) -> Iterator[Problem]:
    """An issue lacks a member, or has one whose type or value the tracker cannot read.

    The tracker drops such a record without a word: the issue is missing from every list, and whoever depends
    on it is blocked. One problem for each member at fault. A date that the calendar does not have is a fault
    too.

    Records from before February 2026 have no ``created_at`` and ``updated_at``. That is an error only where
    the store has issues that do.

    FAIL: ``"priority": "norml"``; ``labels`` left out; ``"updated_at": "2026-02-30T10:00:00Z"``

    PASS: an issue as either tracker writes it. States and priorities of a newer tracker pass when
    ``[accept]`` in ``.jit/hooks.toml`` lists them.

    REPAIR: ``--unsafe-fixes`` takes the members at fault from the newest copy that loads, and missing times from
    the event log, marked in ``context`` as derived.

    TO FIX: give the members the values the tracker needs; ``jit-hooks schema issue`` prints them.
    """
    if not record.faults:
        return
    for member, found in grouped(record.faults, _member).items():
        era = all(is_era_fault("issue", fault) for fault in found)
        yield Problem(
            "issue-malformed",
            record.path,
            fault_words(found),
            subject=member,
            pointer=found[0][0],
            era=member if era else "",
        )


def _member(pointer: str) -> str:
    return parts_of(pointer)[0] if pointer else ""


def issue_id_mismatch(record: Record) -> Iterator[Problem]:
    """The name of an issue's file and the ``id`` inside differ.

    The tracker finds an issue by its file's name and believes the ``id`` inside: two issues answer to one id,
    or an issue answers to none. Swapped files and renames by hand do this.

    FAIL: ``issues/3f2a81c0-....json`` with ``"id": "92bf3a9b-..."``

    PASS: the same id in both places.

    REPAIR: none; a person decides which of the two is right.

    TO FIX: name the file after its id, or put the right id into it.
    """
    if not record.loads:
        return
    stem = layout.issue_id_of(record.path)
    own = record.members["id"]
    if own != stem:
        yield Problem(
            "issue-id-mismatch",
            record.path,
            f'says that its id is "{own}", but its file is named {stem}',
            subject=str(own),
            pointer="/id",
        )


def issue_id_invalid(record: Record) -> Iterator[Problem]:
    """The id of an issue is not a lower-case UUID of version 4.

    The tracker makes no other ids, and its prefix search finds no other: an upper-case id never matches.

    FAIL: ``issues/3F2A81C0-....json``; ``issues/my-task.json``

    PASS: ``3f2a81c0-5d4e-4b7a-9c1d-2e8f6a7b9c0d``

    REPAIR: none; a person gives it an id and mends what names it.

    TO FIX: no tracker makes such an id: create the issue anew with ``jit issue create``.
    """
    if not record.loads:
        return
    stem = layout.issue_id_of(record.path)
    own = record.members["id"]
    bad = next((text for text in {stem: 0, own: 0} if type(text) is str and not layout.is_uuid4(text)), None)
    if bad is not None:
        yield Problem(
            "issue-id-invalid",
            record.path,
            f'has the id "{bad}", which is not a lower-case UUID of version 4',
            subject=bad,
            pointer="/id",
        )


def issue_lifecycle_mismatch(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue lost a time of its life, or says what it was archived from without being archived.

    ``first_ready_at``, ``claimed_at`` and ``done_at`` are set once and never taken back, ``archived_from``
    goes when the issue is revived. A binary from June 2026 does not know them and drops all four when it
    saves.

    FAIL: the parent's issue has ``done_at``, this one has not; ``"archived_from": "done"`` beside ``"state":
    "ready"``

    PASS: an issue that never had them; a reopened issue that keeps its ``done_at``.

    REPAIR: the lost times come back from the parent; ``archived_from`` goes where the parent says the same.

    TO FIX: put the lost value back; an older tracker dropped it.
    """
    for path in sorted(focus.paths):
        if layout.kind_of(path) != "issue":
            continue
        issue_id = layout.issue_id_of(path)
        issue, before = store.issue(issue_id), focus.parents[0].issue(issue_id)
        if issue is not None and _is_oddly_archived(issue) and not (before and _is_oddly_archived(before)):
            yield Problem(
                "issue-lifecycle-mismatch",
                issue.path,
                f'says that it was archived from "{issue.archived_from}", but its state is "{issue.state}"',
                subject="archived_from",
                pointer="/archived_from",
            )
    for path in sorted(focus.paths):
        if layout.kind_of(path) == "issue" and store.issue(layout.issue_id_of(path)) is not None:
            yield from _lost_times(store, focus, path)


def _is_oddly_archived(issue: Issue) -> bool:
    return issue.archived_from is not None and issue.state != "archived"


def _lost_times(store: Store, focus: Focus, path: str) -> Iterator[Problem]:
    now = _lifecycle(store, path)
    had: dict[str, object] = {}
    for parent in focus.parents:
        if parent.issue(layout.issue_id_of(path)) is not None:
            had = {**_lifecycle(parent, path), **had}
    for member in LIFECYCLE:
        if member in had and member not in now:
            yield Problem(
                "issue-lifecycle-mismatch",
                path,
                f"lost its `{member}`, which was {had[member]}: an older tracker saved it",
                subject=member,
                pointer="",
            )


def _lifecycle(store: Store, path: str) -> dict[str, object]:
    record = store.record(path)
    members = record.members if record is not None else {}
    return {name: members[name] for name in LIFECYCLE if members.get(name) is not None}


def issue_created_after_updated(record: Record) -> Iterator[Problem]:
    """An issue was created after its last change.

    Compared as instants, for one file may hold both spellings of UTC. The tracker sets both times from one
    clock; a migration or a hand left this. No other order of an issue's times is asked for: real issues were
    claimed before they were created.

    FAIL: ``created_at`` 12:00:00Z, ``updated_at`` 11:00:00Z of the same day.

    PASS: equal times; ``2026-02-14T12:00:00+00:00`` and ``2026-02-14T12:00:00Z``

    REPAIR: none; nobody knows which of the two is wrong.

    TO FIX: correct the time that is wrong.
    """
    if not record.loads:
        return
    created, updated = record.members.get("created_at"), record.members.get("updated_at")
    if type(created) is not str or type(updated) is not str:
        return
    if created <= updated and _spelling(created) == _spelling(updated) != "":
        return
    first, last = instant(created), instant(updated)
    if first is not None and last is not None and first > last:
        yield Problem(
            "issue-created-after-updated",
            record.path,
            f"was created at {created}, after its last change at {updated}",
            pointer="/created_at",
        )


def _spelling(time: str) -> str:
    """The tracker's spelling of UTC in a time, and its length: two of one kind compare as texts."""
    return f"{len(time)}{time[10]}{time[-1]}" if time.endswith(("Z", "+00:00")) else ""
