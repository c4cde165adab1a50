"""Family ``claim``: the claims log and its index in the control plane, which all worktrees of a repository share."""

from __future__ import annotations

from jit_hooks.checks.wording import fault_words, grouped, titled
from jit_hooks.problem import Problem, parts_of
from jit_hooks.store import layout
from jit_hooks.store.claims import NO_END, differences
from jit_hooks.store.reader import read_json
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.times import instant, instant_of, later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.claims import Entry
    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

BOTH = (layout.CLAIMS, layout.CLAIMS_INDEX)

MARGIN_SECONDS = 300
"""By how much the clocks of two machines may differ before a lease counts as past its end."""


_HARM = "since v1 no issue can be claimed, nor with leases enforced be changed, until it is mended"


def claim_unparsable(store: Store, focus: Focus) -> Iterator[Problem]:
    """A line of the claims log is not one object: torn by a crash, or another was glued to it.

    The tracker appends past such a line, but a rebuild of the claims index stops at it. Since v1 ``jit claim
    acquire`` fails then, and with leases enforced no issue can be changed at all.

    FAIL: a last line cut in the middle or without its newline; a fragment and an operation on one line; a log
    that is a link, or too large to read.

    PASS: one object and one newline a line.

    REPAIR: whole operations inside stay, each on a line of its own; a fragment is moved aside.

    TO FIX: put each operation on a line of its own; keep the fragment elsewhere.
    """
    del focus
    entries = store.snapshot.control_entries() or {}
    for path in (f"{layout.CONTROL}.", layout.CLAIMS):
        entry = entries.get(path)
        if entry is not None and entry.kind != "file":
            yield Problem("claim-unparsable", path, "is no regular file: it is not followed, so no claim can be read")
    data = store.snapshot.read(layout.CLAIMS)
    if isinstance(data, TooLarge):
        said = f"is {data.size} bytes long, more than a claims log may have"
        yield Problem("claim-unparsable", layout.CLAIMS, said)
    for line in store.claims.skipped:
        count = len(line.entries)
        inside = f"; {count} whole operation{'s are' if count > 1 else ' is'} in it" if count else ""
        yield Problem(
            "claim-unparsable",
            layout.CLAIMS,
            f"holds a line that {line.fault.message}{inside}; {_HARM}",
            record=line.name,
            line=line.line,
            offset=line.offset + line.fault.offset,
        )


def claim_malformed(store: Store, focus: Focus) -> Iterator[Problem]:
    """An operation of the claims log, or a lease of the claims index, does not have its shape.

    The tracker cannot load it. A lease for a time that has no end makes ``jit claim acquire`` crash.

    FAIL: ``"expires_at": null`` with ``"ttl_secs": 600``; an ``op`` that no tracker knows; a lease without an
    ``agent_id``.

    PASS: the shapes that ``jit-hooks schema claim`` and ``jit-hooks schema claims-index`` print.

    REPAIR: none; a person corrects the member. ``jit claim release`` ends a lease for good.

    TO FIX: correct the member; ``jit-hooks schema claim`` prints the shape.
    """
    del focus
    for position, entry in enumerate(store.claims.entries):
        faults = entry.faults
        if position in store.claims.without_end:
            faults = [*faults, ("/new_expires_at", *NO_END[1:])]
        if faults:
            yield Problem(
                "claim-malformed",
                layout.CLAIMS,
                fault_words(faults),
                record=entry.name,
                pointer=faults[0][0],
                line=entry.line,
                offset=entry.offset,
            )
    index = store.claims_index
    if index is None:
        return
    for subject, faults in grouped(index.faults, _lease_of).items():
        said = fault_words(faults)
        yield Problem("claim-malformed", layout.CLAIMS_INDEX, said, subject=subject, pointer=faults[0][0])


def _lease_of(pointer: str) -> str:
    """The part of the claims index that a fault is about: one of its leases by position, or one member."""
    parts = parts_of(pointer)
    return "/".join(parts[:2] if parts[:1] == ["leases"] else parts[:1])


def claim_sequence_gap(store: Store, focus: Focus) -> Iterator[Problem]:
    """The operations of the claims log are not numbered one after the other.

    A line was removed, repeated or reordered. After a line that cannot be read the count begins anew, for
    what it held is not known, and the tracker gives its number away again.

    FAIL: ``"seq": 2`` and then ``"seq": 4``.

    PASS: from 1, each one more than the one before.

    REPAIR: none; what is gone is not known. The tracker's rebuild records gaps in the claims index, and its
    ``jit validate`` fails from then on.

    TO FIX: nothing to mend: the missing entry cannot be reconstructed.
    """
    del focus
    skipped = {line.line for line in store.claims.skipped}
    before: Entry | None = None
    for entry in store.claims.entries:
        if not entry.alone:
            before = None
            continue
        lines = range(before.line + 1 if before else 1, entry.line)
        known = before.seq if before is not None else 0 if entry is store.claims.entries[0] else None
        if known is not None and entry.seq not in (None, known + 1) and skipped.isdisjoint(lines):
            said = f"has the number {entry.seq} after {known}" if known else f"begins with the number {entry.seq}"
            yield Problem(
                "claim-sequence-gap",
                layout.CLAIMS,
                f"{said}: the log of claims is not whole",
                record=entry.name,
                pointer="/seq",
                line=entry.line,
                offset=entry.offset,
            )
        before = entry


def claims_index_mismatch(store: Store, focus: Focus) -> Iterator[Problem]:
    """The claims index lists other leases than the log leaves alive.

    All commands but ``jit claim acquire`` believe the index: a lease it misses is given away twice, one that
    ended keeps others out. The tracker itself leaves this when it is killed between log and index.

    FAIL: an acquired lease that the index lacks; a released one that it still lists; another end or holder; an
    index that is no JSON.

    PASS: the same leases, in any order. A lease that ran out may stay in the index: the tracker writes that into
    the log alone when it only looks.

    REPAIR: the index is built anew from the log.

    TO FIX: the log is right: the claims index has to be built from it.
    """
    del focus
    entry = (store.snapshot.control_entries() or {}).get(layout.CLAIMS_INDEX)
    log, index = store.claims, store.claims_index
    if index is None:
        if entry is not None:
            said = "is no regular file, or too large to read: the claims index cannot be read"
            yield Problem("claims-index-mismatch", layout.CLAIMS_INDEX, said, related=BOTH)
            return
        for lease_id, lease in log.leases.items():
            said = f"is not there, but by the log the lease {lease_id[:8]} of {_short(lease.get('issue_id'))} lives"
            yield _mismatch(lease_id, said)
        return
    if index.fault is not None:
        said = f"{index.fault.message}: no claim can be made or looked at"
        yield Problem("claims-index-mismatch", layout.CLAIMS_INDEX, said, offset=index.fault.offset, related=BOTH)
        return
    for lease_id, said in differences(log, index):
        yield _mismatch(lease_id, f"the lease {lease_id[:8]} {said}")
    for lease_id in index.repeated:
        yield _mismatch(lease_id, f"lists the lease {lease_id[:8]} more than once")


def _mismatch(lease_id: str, said: str) -> Problem:
    return Problem("claims-index-mismatch", layout.CLAIMS_INDEX, said, subject=lease_id, related=BOTH)


def lease_duplicate(store: Store, focus: Focus) -> Iterator[Problem]:
    """Two live leases are about one issue.

    The tracker keeps what was typed: an id and its beginning look like two issues to it. Or it was killed before
    the first of two leases came into the claims index.

    FAIL: a lease of ``3f2a81c0`` and one of ``3f2a81c0-...``, both alive.

    PASS: one live lease an issue.

    REPAIR: none; ``jit claim release`` or ``jit claim force-evict`` ends the one that is not worked on.

    TO FIX: end the one that nobody works on: ``jit claim release``.
    """
    del focus
    first: dict[str, str] = {}
    for lease_id, lease in store.claims.leases.items():
        issue_id = full_id(store, lease.get("issue_id"))
        if not issue_id:
            continue
        if issue_id not in first:
            first[issue_id] = lease_id
            continue
        holders = (store.claims.leases[first[issue_id]].get("agent_id"), lease.get("agent_id"))
        said = f"holds two live leases of the issue {titled(store, issue_id)}: of {holders[0]} and {holders[1]}"
        yield Problem("lease-duplicate", layout.CLAIMS, said, record=issue_id, subject=lease_id)


def lease_without_assignee(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue has a live lease, and nobody is assigned to it.

    ``jit claim acquire`` takes the lease first and assigns the issue then; it was killed in between, or somebody
    took the assignee off by hand. A lease of another worktree says nothing about the issue in this one.

    FAIL: a live lease of an issue whose ``assignee`` is null.

    PASS: any assignee; a lease taken in another worktree.

    REPAIR: none; ``jit issue assign``, or ``jit claim release`` if nobody works on it.

    TO FIX: assign the issue, or end its lease: ``jit claim release``.
    """
    del focus
    here = _worktree_id(store)
    told: set[str] = set()
    for lease_id, lease in store.claims.leases.items():
        issue = store.issue(full_id(store, lease.get("issue_id")))
        if issue is None or issue.assignee or (here and lease.get("worktree_id") != here) or issue.id in told:
            continue
        told.add(issue.id)
        said = f"leases the issue {titled(store, issue.id)} to {lease.get('agent_id')}, but nobody is assigned to it"
        yield Problem(
            "lease-without-assignee", layout.CLAIMS, said, record=lease_id, subject=issue.id, related=(issue.path,)
        )


def lease_expired(store: Store, focus: Focus) -> Iterator[Problem]:
    """A lease is past its end, and nobody evicted it.

    The next claim of the issue does it. Clocks of two machines may differ by five minutes.

    FAIL: ``expires_at`` an hour ago.

    PASS: a lease with an end to come, or without end.

    REPAIR: an ``auto-evict`` is added to the log, as the tracker does, and the claims index loses the lease.

    TO FIX: nothing breaks; the next claim of the issue evicts it.
    """
    del focus
    now = instant(store.snapshot.machine.now)
    if now is None:
        return
    for lease_id, lease in store.claims.leases.items():
        end = instant_of(lease.get("expires_at"))
        if lease.get("ttl_secs") != 0 and end and later(end, MARGIN_SECONDS) < now:
            said = f"holds a lease of {_short(lease.get('issue_id'))} that ended at {end[:19]}Z, and nobody evicted it"
            yield Problem("lease-expired", layout.CLAIMS, said, record=lease_id)


def full_id(store: Store, typed: object) -> str:
    """The issue that a lease names by its id or the beginning of one; as typed where no one issue begins so."""
    if type(typed) is not str or not typed or store.has_issue(typed):
        return typed if type(typed) is str else ""
    found = [issue_id for issue_id in store.issue_ids() if issue_id.startswith(typed)]
    return found[0] if len(found) == 1 else typed


def _worktree_id(store: Store) -> str:
    """The name that this worktree gives itself; empty when it has none."""
    data = store.snapshot.read("worktree.json")
    document = read_json(data)[0] if type(data) is bytes else None
    found = document.get("worktree_id") if type(document) is dict else None
    return found if type(found) is str else ""


def _short(issue_id: object) -> str:
    return f"the issue {issue_id[:8]}" if type(issue_id) is str else "an issue"
