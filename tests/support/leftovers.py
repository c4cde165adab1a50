"""What the tracker leaves on one machine: transactions, locks, their metadata."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from memory_stores import A, bytes_of, issue, path, store_of

from jit_hooks.store.snapshot import Entry, Files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jit_hooks.store.machine import Machine


HEX = "0123456789abcdef" * 2

CONTROL = f"tmp/transactions/{HEX}"

JOURNAL = f"{CONTROL}/journal.json"

META = "control:locks/claims.lock.meta"

LOCK = "control:locks/claims.lock"

CONFIG = """
[documentation]
managed_paths = ["dev/active"]
archive_root = "dev/archive"
[documentation.categories]
study = "studies"
"""


class OnDisk(Files):
    """A worktree of which git tracks some paths."""

    held: tuple[str, ...] = ()

    def tracked(self) -> Mapping[str, Entry]:
        return dict.fromkeys(self.held, Entry("file"))


def on_disk(
    contents: Mapping[str, object],
    machine: Machine,
    beside: Mapping[str, bytes] | None = None,
    *,
    tracked: tuple[str, ...] = (),
) -> OnDisk:
    whole = {**store_of(issue(A)), **contents}
    files = {name: bytes_of(one) for name, one in whole.items() if not isinstance(one, Entry)}
    other = {name: one for name, one in whole.items() if isinstance(one, Entry)}
    snapshot = OnDisk(files, other=other, machine=machine, beside=beside)
    snapshot.held = tracked
    return snapshot


def identity(data: bytes) -> dict[str, object]:
    return {"object": "1:2", "sha256": hashlib.sha256(data).hexdigest(), "byte_size": len(data)}


def journal(decision: str, old: object, new: object, kind: str = "write_file", **path_members: object) -> bytes:
    target = {"root": "data", "relative": path(A), **path_members}
    action = {"path": target, "expected": old, "final_identity": new, "action": {"kind": kind}}
    return json.dumps({"version": 3, "decision": decision, "actions": [action]}).encode()


NOW = bytes_of(issue(A))

IS, WAS = identity(NOW), identity(b"before")

OTHER = identity(b"other")
