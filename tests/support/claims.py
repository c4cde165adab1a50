"""Operations of the claims log and its index, as the tracker writes them."""

from __future__ import annotations

import json

from memory_stores import A

Record = dict[str, object]


BEGAN, ENDS, NOW = "2026-06-01T10:00:00.000000001Z", "2026-06-01T11:00:00.000000001Z", "2026-06-01T10:30:00Z"

ONE, TWO = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"


def lease(lease_id: object = ONE, **members: object) -> Record:
    whole: Record = {
        "lease_id": lease_id,
        "issue_id": A,
        "agent_id": "agent:alpha",
        "worktree_id": "wt:0a1b2c3d",
        "branch": "main",
        "ttl_secs": 3600,
        "acquired_at": BEGAN,
        "expires_at": ENDS,
        "last_beat": BEGAN,
        "stale": False,
    }
    whole.update(members)
    return {name: value for name, value in whole.items() if value is not ...}


def acquire(lease_id: object = ONE, **members: object) -> Record:
    return {"op": "acquire", **lease(lease_id, **members)}


def evict(lease_id: str = ONE, op: str = "force-evict") -> Record:
    end = {"released_at": BEGAN} if op == "release" else {"evicted_at": BEGAN, "reason": "why"}
    return {"op": op, "lease_id": lease_id, **end}


def renew(expires_at: object, lease_id: str = ONE, beat: str = BEGAN) -> Record:
    return {"op": "renew", "lease_id": lease_id, "new_expires_at": expires_at, "new_last_beat": beat}


def beat(at: str, lease_id: str = ONE) -> Record:
    return {"op": "heartbeat", "lease_id": lease_id, "new_last_beat": at}


def lines(*operations: Record, first: int = 1) -> list[bytes]:
    """The lines of a log, numbered; an operation may bring its own number."""
    return [
        json.dumps({"schema_version": 1, "seq": number, "timestamp": BEGAN, **one}, separators=(",", ":")).encode()
        + b"\n"
        for number, one in enumerate(operations, first)
    ]


def log(*operations: Record) -> bytes:
    return b"".join(lines(*operations))


def index(*leases: Record, **members: object) -> bytes:
    whole = {"schema_version": 1, "generated_at": BEGAN, "last_seq": 0, "stale_threshold_secs": 3600}
    return json.dumps({**whole, "leases": leases, "sequence_gaps": [], **members}, indent=2).encode()
