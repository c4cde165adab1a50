"""Repairs of the claims log and its index, in the control plane that all worktrees share."""

from __future__ import annotations

import json

from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.store import layout
from jit_hooks.store.claims import disagreeing, index_document, replay
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.store.times import instant, instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.claims import ClaimsIndex, Replay
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]

NEVER = "1970-01-01T00:00:00Z"
"""When a claims index was made that no operation dates."""


def claim_unparsable(store: Store, _: list[Problem], __: Context) -> Mend | Left:
    """The whole operations of a bad line get a line each; what is left of it goes to ``claims.jsonl.bak``."""
    data, aside = store.snapshot.read(layout.CLAIMS), store.snapshot.read(layout.CLAIMS_ASIDE)
    if type(data) is not bytes or (type(aside) is not bytes and _stands(store, layout.CLAIMS_ASIDE)):
        return Left("the log, or the file that bad lines are moved to, cannot be read")
    skipped = {line.offset: line for line in store.claims.skipped}
    kept: list[bytes] = []
    offset = 0
    for raw in data.split(b"\n"):
        line = skipped.get(offset)
        kept.extend([raw] if line is None else [entry.raw for entry in line.entries])
        offset += len(raw) + 1
    done = Mend({layout.CLAIMS: _ended(b"\n".join(kept))}, {layout.CLAIMS: "whole operations, one a line"})
    moved = b"".join(line.rest + b"\n" for line in skipped.values() if line.rest)
    before = aside if type(aside) is bytes else b""
    if not before.endswith(moved):  # it does when the run before died between the two files
        done.changes[layout.CLAIMS_ASIDE] = _ended(before) + moved
        done.sources[layout.CLAIMS_ASIDE] = "with what no operation can be read from"
    return done


def claims_index_mismatch(store: Store, problems: list[Problem], context: Context) -> Mend | Left:
    """The claims index again, from the log.

    What bytes that cannot be read may have said of a lease stays as the index has it. A lease that the log never
    began goes with ``--unsafe-fixes`` only: nothing else knows of it.
    """
    log, index = store.claims, store.claims_index
    if (index is None and _stands(store, layout.CLAIMS_INDEX)) or (
        _stands(store, layout.CLAIMS) and type(store.snapshot.read(layout.CLAIMS)) is not bytes
    ):
        return Left("the log or the index is no file that can be read")
    if not log.entries and not context.unsafe:
        return Left("the log holds no operation to build it from: --unsafe-fixes makes it empty")
    done = Mend(
        _index_from(store, log, unsafe=context.unsafe), {layout.CLAIMS_INDEX: "built again from the log of claims"}
    )
    for problem in problems:
        if index is not None and problem.subject in index.leases and _is_unknown(log, problem.subject):
            done.left[problem.identity] = "nothing but the index knows of this lease: --unsafe-fixes drops it"
    return done


def lease_expired(store: Store, problems: list[Problem], context: Context) -> Mend:
    """An ``auto-evict`` in the log, as the tracker writes it, and a claims index without the lease."""
    log = store.claims
    moment = instant(context.now or store.snapshot.machine.now)
    data = store.snapshot.read(layout.CLAIMS)
    if type(data) is not bytes or moment is None:
        return Mend()
    done = Mend()
    added = b""
    seq = log.last_seq
    for problem in problems:
        lease = log.leases.get(problem.record)
        if log.skipped or lease is None or log.is_in_doubt(problem.record):
            done.left[problem.identity] = "a part of the log that cannot be read may have prolonged it"
            continue
        seq += 1
        added += _eviction(seq, f"{moment}Z", problem.record, lease.get("expires_at"))
    if not added:
        return done
    after = _ended(data) + added
    done.changes[layout.CLAIMS] = after
    done.sources[layout.CLAIMS] = _said_also(context, layout.CLAIMS, "leases past their end are evicted")
    index = store.claims_index
    if index is not None and index.document is not None:
        done.changes.update(_index_from(store, replay(after, log.aside)))
        without = "without the leases past their end"
        done.sources[layout.CLAIMS_INDEX] = _said_also(context, layout.CLAIMS_INDEX, without)
    return done


def _eviction(seq: int, now: str, lease_id: str, expires_at: object) -> bytes:
    operation = {
        "schema_version": 1,
        "seq": seq,
        "timestamp": now,
        "op": "auto-evict",
        "lease_id": lease_id,
        "evicted_at": now,
        "reason": f"Lease expired at {_shown(expires_at)} UTC",
    }
    return json.dumps(operation, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _index_from(store: Store, log: Replay, *, unsafe: bool = False) -> Changes:
    """The claims index that a log makes of the one that stands there; nothing when it lists the same leases."""
    index = store.claims_index
    made = next((one for entry in reversed(log.entries) if instant_of(one := entry.document.get("timestamp"))), None)
    document = index.document if index is not None else None
    if index is None or document is None:
        # Time has no say in a repair: the same damage gives the same bytes in every clone.
        return {layout.CLAIMS_INDEX: _pretty(index_document(log, made if type(made) is str else NEVER))}
    leases = _leases(log, index, unsafe=unsafe)
    if leases == document["leases"]:
        return {}
    again = {**document, "leases": leases, "last_seq": log.last_seq}
    if type(made) is str:
        again["generated_at"] = made
    data = store.snapshot.read(layout.CLAIMS_INDEX)
    return {layout.CLAIMS_INDEX: _pretty(again) + (b"\n" if type(data) is bytes and data.endswith(b"\n") else b"")}


def _leases(log: Replay, index: ClaimsIndex, *, unsafe: bool) -> list[object]:
    """The leases a claims index is to list: its own in their order as the log has them, then those it misses."""
    assert index.document is not None
    listed = index.document["leases"]
    assert type(listed) is list
    leases: list[object] = []
    done: set[str] = set()
    for lease in listed:
        lease_id = lease.get("lease_id") if type(lease) is dict else None
        if type(lease_id) is not str:
            leases.append(lease)  # its shape is a person's to mend
        elif lease_id not in done:
            done.add(lease_id)
            known = log.leases.get(lease_id)
            if log.is_in_doubt(lease_id) or (_is_unknown(log, lease_id) and not unsafe):
                leases.append(lease)
            elif known is not None:
                leases.append({**lease, **{name: known[name] for name in disagreeing(known, lease) if name in known}})
    leases += [
        dict(lease) for lease_id, lease in log.leases.items() if lease_id not in done and not log.is_in_doubt(lease_id)
    ]
    return leases


def _is_unknown(log: Replay, lease_id: str) -> bool:
    return lease_id not in log.leases and lease_id not in log.ended


def _said_also(context: Context, path: str, words: str) -> str:
    """Something said of a file beside what was said of it already."""
    said = context.said.get(path, "")
    if words in said:
        return said
    return f"{said}; {words}" if said else words


def _stands(store: Store, path: str) -> bool:
    """True if at a path of the control plane stands what is no file, or too large a one."""
    entry = (store.snapshot.control_entries() or {}).get(path)
    return entry is not None and (entry.kind != "file" or isinstance(store.snapshot.read(path), TooLarge))


def _ended(lines: bytes) -> bytes:
    return lines if not lines or lines.endswith(b"\n") else lines + b"\n"


def _shown(time: object) -> str:
    """A time as the tracker words it: no more digits of a second than it takes, three at a time."""
    plain = instant_of(time)
    fraction = plain[20:]
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{plain[:10]} {plain[11:19]}" + (f".{fraction}" if fraction else "")


def _pretty(document: dict[str, object]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode()
