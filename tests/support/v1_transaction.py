"""A small model of one transaction of the tracker since v1, step by step on a real disk.

The generators do one step and then give the name of the crash state that a kill would leave there: V1 to V8 of the
tracker's writes, an empty name for a settled store, ``stuck`` where the tracker itself could not go on. Names, links
and order are the tracker's (``storage/file_transaction.rs``). How nested members of a journal are spelled is not known
for sure. Left out are ``fsync`` and modes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Root = Literal["data", "worktree"]

HEX = "0123456789abcdef" * 2
MARKER = ".jit-bootstrap/transaction-protocol-v1"
DIGEST = hashlib.sha256(b"layout").hexdigest()


@dataclass(frozen=True)
class Target:
    """A file or directory that a transaction writes.

    Attributes:
        root: ``data`` is the store, ``worktree`` the directory around it.
        path: below that.
        kind: as the journal spells it.
        data: the new bytes of a file; None for one that goes, and for a directory.
    """

    root: Root
    path: str
    kind: Literal["create_directory", "write_file", "delete_file"]
    data: bytes | None = None


def targets_between(
    before: Mapping[str, bytes], after: Mapping[str, bytes], outside: Mapping[str, bytes]
) -> list[Target]:
    """What makes one store of another, in the tracker's order: directories first, index and log last."""

    def folders(files: Mapping[str, bytes]) -> set[str]:
        return {str(folder) for path in files for folder in PurePosixPath(path).parents}

    found = [Target("data", path, "create_directory") for path in sorted(folders(after) - folders(before))]
    last = ("index.json", "events.jsonl")
    for path in sorted(before.keys() | after.keys(), key=lambda path: (path in last, path)):
        if path not in after:
            found.append(Target("data", path, "delete_file"))
        elif before.get(path) != after[path]:
            found.append(Target("data", path, "write_file", after[path]))
    return [*found, *(Target("worktree", path, "write_file", data) for path, data in outside.items())]


def identity_of(path: Path) -> dict[str, Any]:
    """What the tracker knows a file by: the object, the digest of its bytes, and its size."""
    data, status = path.read_bytes(), path.stat()
    return {
        "object": f"{status.st_dev}:{status.st_ino}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "byte_size": len(data),
    }


class Transaction:
    """One mutation of a store that is there.

    Args:
        top: the directory around the store ``.jit``.
        targets: what it writes; the numbers of stages and backups are their places in this list.
    """

    def __init__(self, top: Path, targets: list[Target]) -> None:
        self.top = top
        self.targets = targets
        self.places = {"data": top / ".jit", "worktree": top}
        self.control = top / ".jit" / "tmp" / "transactions" / HEX
        self.companion = top / ".jit-bootstrap" / "transactions" / HEX
        self.has_companion = any(target.root == "worktree" for target in targets)
        self.expected: list[dict[str, Any] | None] = [None] * len(targets)
        self.final: list[dict[str, Any] | None] = [None] * len(targets)
        self.published = 0

    def live(self, at: int) -> Path:
        """Where a target stands."""
        return self.places[self.targets[at].root] / self.targets[at].path

    def area(self, at: int) -> Path:
        """The directory that holds what is staged and kept of a target."""
        return self.control if self.targets[at].root == "data" else self.companion

    def stage(self, at: int) -> Path:
        """Where the new bytes of a target wait."""
        kind = "dir" if self.targets[at].kind == "create_directory" else "file"
        return self.area(at) / "stages" / f"{kind}-{at}"

    def run(self, *, journal_first: bool = True) -> Iterator[str]:
        """The whole mutation."""
        yield from self.prepare()
        yield from self.publish()
        yield from self.write_journal("committed", "V3", "V4")
        yield from self.clean_up(journal_first=journal_first)

    def prepare(self) -> Iterator[str]:
        """All that is done before the first target is touched."""
        for folder in (self.control, self.control / "stages", self.control / "backups"):
            folder.mkdir(parents=True)
            yield "V1"
        if self.has_companion:
            self.companion.mkdir(parents=True)
            (self.top / MARKER).touch()
            for name in ("stages", "backups"):
                (self.companion / name).mkdir()
            (self.companion / "companion").write_text(DIGEST)
            yield "V1"
        for at, target in enumerate(self.targets):
            if target.kind != "create_directory" and self.live(at).exists():
                self.expected[at] = identity_of(self.live(at))
        yield from self.write_journal("prepared", "V1", "V2")
        for at, target in enumerate(self.targets):
            if target.kind == "create_directory":
                self.stage(at).mkdir()
                yield "V2"
            elif target.data is not None:
                self.stage(at).write_bytes(target.data[: len(target.data) // 2])
                yield "V2"
                self.stage(at).write_bytes(target.data)
                self.final[at] = identity_of(self.stage(at))
                yield "V2"
            if self.expected[at] is not None:
                shutil.copyfile(self.live(at), self.area(at) / "backups" / f"backup-{at}")
                yield "V2"
        yield from self.write_journal("prepared", "V2", "V2")

    def write_journal(self, decision: str, before: str, after: str) -> Iterator[str]:
        """The journal under its next name, and then under its own."""
        actions = []
        for at, target in enumerate(self.targets):
            what: dict[str, Any] = {"kind": target.kind, "mode": 0o755 if target.kind == "create_directory" else 0o644}
            what["stage"] = str(self.stage(at).relative_to(self.area(at))) if target.kind != "delete_file" else None
            what["backup"] = f"backups/backup-{at}" if self.expected[at] is not None else None
            place = {"root": target.root, "relative": target.path}
            known = {"expected": self.expected[at], "final_identity": self.final[at]}
            actions.append({"path": place, "owner": "mutation", **known, "action": what})
        journal = {
            "version": 3,
            "transaction_id": HEX,
            "layout_digest": DIGEST,
            "owner_digest": DIGEST,
            "plan_hash": DIGEST,
            "data_root_was_absent": False,
            "data_stage": None,
            "data_stage_identity": None,
            "decision": decision,
            "actions": actions,
        }
        following = self.control / "journal.next"
        following.write_text(json.dumps(journal, indent=2))
        yield before
        following.rename(self.control / "journal.json")
        yield after

    def publish(self) -> Iterator[str]:
        """Each target in turn; between the two renames of a replacement its name does not exist."""
        for at, target in enumerate(self.targets):
            live, backups = self.live(at), self.area(at) / "backups"
            if target.kind == "delete_file":
                live.rename(backups / f"deleted-{at}")
            elif target.kind == "create_directory":
                self.stage(at).rename(live)
            elif self.expected[at] is None:
                live.hardlink_to(self.stage(at))
            else:
                live.rename(backups / f"replaced-{at}")
                yield "V3"
                self.stage(at).rename(live)
            self.published = at + 1
            yield "V3"

    def roll_back(self) -> Iterator[str]:
        """What recovery does with a transaction that was not committed: the targets again as they were, the last first.

        It may be killed between any two steps, too.
        """
        for at, target in reversed(list(enumerate(self.targets))):
            live, backups = self.live(at), self.area(at) / "backups"
            away = backups / f"{'deleted' if target.kind == 'delete_file' else 'replaced'}-{at}"
            if away.exists():
                away.replace(live)
                yield "V3"
            elif at < self.published:
                if target.kind == "create_directory":
                    live.rmdir()
                else:
                    live.unlink()
                yield "V3"
        yield from self.write_journal("rolled_back", "V3", "V5")
        yield from self.clean_up()

    def clean_up(self, *, journal_first: bool = True) -> Iterator[str]:
        """The control directory under another name, and then gone, piece by piece in no certain order."""
        cleanup = self.control.with_name(f"cleanup-{HEX}")
        self.control.rename(cleanup)
        yield "V6"
        pieces = [cleanup / "journal.json", cleanup / "backups", cleanup / "stages"]
        for piece in pieces if journal_first else reversed(pieces):
            if piece.is_dir():
                shutil.rmtree(piece)
            else:
                piece.unlink()
            # Without the journal it is what V1 is; with it, and without what it was to publish, recovery fails.
            yield "V1" if journal_first else "stuck" if cleanup.joinpath("journal.json").exists() else "V1"
        cleanup.rmdir()
        cleanup.parent.rmdir()
        cleanup.parent.parent.rmdir()
        yield "V7" if self.has_companion else ""
        if self.has_companion:
            shutil.rmtree(self.top / ".jit-bootstrap" / "transactions")
            yield ""
            shutil.rmtree(self.top / ".jit-bootstrap")
            yield ""


def initialise(top: Path, files: Mapping[str, bytes]) -> Iterator[str]:
    """A fresh ``init``: the whole store is built beside its place, and one rename publishes it."""
    control, stage = top / ".jit-bootstrap" / "transactions" / HEX, top / f"jit-stage-{HEX}"
    control.mkdir(parents=True)
    (top / MARKER).touch()
    yield "V1"
    journal = {"version": 3, "transaction_id": HEX, "layout_digest": DIGEST, "data_root_was_absent": True}
    journal |= {"data_stage": stage.name, "actions": []}
    for decision in ("prepared", "committed"):
        (control / "journal.next").write_text(json.dumps({**journal, "decision": decision}))
        yield "V1" if decision == "prepared" else "V8"
        (control / "journal.next").rename(control / "journal.json")
        yield "V8"
        if decision == "prepared":
            for path, data in files.items():
                (stage / path).parent.mkdir(parents=True, exist_ok=True)
                (stage / path).write_bytes(data)
            (stage / "issues").mkdir()
            yield "V8"
            os.rename(stage, top / ".jit")
            yield "V8"
    shutil.rmtree(top / ".jit-bootstrap")
    yield ""
