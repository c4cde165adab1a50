"""A process that claims as the tracker does: ``claim_writer.py NUMBER CONTROL STOP``.

Each command holds ``claims.lock`` with its metadata beside it, appends to the log in one write, and replaces the
index by a temp file of a fixed name; the metadata goes after the lock was let go. Left out is ``fsync``.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_processes import say_begun

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = dict[str, Any]

MOST_SECONDS = 120.0
"""After which a writer ends by itself, whoever started it."""


def stamp(moment: datetime) -> str:
    """A time as the tracker writes it."""
    return moment.isoformat().replace("+00:00", "Z")


class Claimer:
    """One agent that takes, renews and gives back a lease of its own."""

    def __init__(self, number: int, control: Path) -> None:
        self.number = number
        self.control = control
        self.log = control / "claims.jsonl"
        self.index = control / "claims.index.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The lock, and its metadata, which goes last."""
        meta = self.control / "locks" / "claims.lock.meta"
        descriptor = os.open(meta.with_suffix(""), os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        now = stamp(datetime.now(UTC))
        meta.write_text(json.dumps({"pid": os.getpid(), "agent_id": "a:b", "created_at": now, "last_updated": now}))
        yield
        os.close(descriptor)
        meta.unlink(missing_ok=True)
        time.sleep(0.03)  # the next command's own start; without it the lock was never free

    def append(self, op: str, **members: Any) -> None:
        """One operation, with the next number."""
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        entry = {"schema_version": 1, "seq": len(lines) + 1, "timestamp": stamp(datetime.now(UTC)), "op": op}
        with self.log.open("ab", buffering=0) as log:
            log.write(json.dumps(entry | members).encode() + b"\n")

    def save(self, leases: list[Record]) -> None:
        """The index, by way of its temp file."""
        index = {"schema_version": 1, "generated_at": stamp(datetime.now(UTC)), "last_seq": 0}
        temp = self.index.with_suffix(".tmp")
        temp.write_text(json.dumps({**index, "stale_threshold_secs": 3600, "leases": leases, "sequence_gaps": []}))
        temp.rename(self.index)

    def leases(self) -> list[Record]:
        """What the index lists."""
        found: list[Record] = json.loads(self.index.read_bytes())["leases"] if self.index.exists() else []
        return found

    def claim_and_release(self) -> None:
        """Three commands."""
        now = datetime.now(UTC)
        lease_id = f"{self.number}-{time.monotonic_ns()}"
        times = {"acquired_at": stamp(now), "expires_at": stamp(now + timedelta(hours=1)), "last_beat": stamp(now)}
        lease = {"lease_id": lease_id, "issue_id": f"issue-{self.number}", "agent_id": "agent:a", "worktree_id": "wt:1",
                 "branch": None, "ttl_secs": 3600, **times, "stale": False}  # fmt: skip
        with self.locked():
            self.append("acquire", **lease)
            self.save([*self.leases(), lease])
        ends = stamp(now + timedelta(hours=2))
        with self.locked():
            self.append("renew", lease_id=lease_id, new_expires_at=ends, new_last_beat=lease["last_beat"])
            others = [one for one in self.leases() if one["lease_id"] != lease_id]
            self.save([*others, lease | {"expires_at": ends}])
        with self.locked():
            self.append("force-evict", lease_id=lease_id, evicted_at=stamp(now), reason="done")
            self.save([one for one in self.leases() if one["lease_id"] != lease_id])


def write_on(number: int, control: Path, stop: Path) -> int:
    """Claim until the stop file is there; gives how often."""
    claimer = Claimer(number, control)
    done = 0
    end = time.monotonic() + MOST_SECONDS
    while not stop.exists() and time.monotonic() < end:
        claimer.claim_and_release()
        if not done:
            say_begun()
        done += 1
    return done


if __name__ == "__main__":
    sys.stdout.write(str(write_on(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))))
