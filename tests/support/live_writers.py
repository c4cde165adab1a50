"""Writers of both trackers as real processes, on one store: ``live_writers.py ERA NUMBER SEED STORE STOP LIMIT``.

Each writer edits issues of its own, so that the lost updates of June's unlocked load-modify-save do no real damage,
and writes them exactly as its tracker does: the same order, the same locks, the same names in between. June: temp
file and rename under an exclusive ``.index.lock``, events appended in two writes under ``.events.lock``, gate runs
under no lock at all. v1: one transaction a command under ``.repo-write.lock``, in which a replaced file is moved away
before the new one takes its name. Left out is ``fsync``, which no other process can see.

In one thing the v1 writers are politer than the tracker: they take ``.index.lock`` too. June knows nothing of
``.repo-write.lock``, so the two trackers at once really do lose entries of the issue index (V16 of the notes on v1);
the store must stay healthy here, for any error that a check reports has to be a false one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import random
import shutil
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_processes import say_begun

from jit_hooks.testing.stores import mixed_tracker
from jit_hooks.testing.tracker import (
    Era,
    Record,
    RefusedError,
    Tracker,
    Write,
    document_bytes,
    documents_of,
    gates_toml,
    pretty,
    temp_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 120.0
"""Seconds to wait for a lock. A tracker gives up after 5, and June then leaves a state without its event: real
damage, which has no place here."""

MOST_SECONDS = 600.0
"""After which a writer ends by itself, whoever started it."""

MOST_ISSUES = 5
"""Of one writer; more would only make the 1,000 checks slow."""

OWN = ("issues/", "gate-runs/")
"""What one writer alone writes."""

COUNT = 8
ERAS: tuple[Era, ...] = ("june", "v1")


def era_of(number: int) -> Era:
    """Even writers are June's, odd ones v1's."""
    return ERAS[number % 2]


class Writer(Tracker):
    """The tracker's model with a store of its own, which remembers the writes of each command.

    Attributes:
        commands: the writes of the commands run and not yet taken, command by command.
    """

    def __init__(self, number: int, seed: int) -> None:
        base = mixed_tracker(0).files
        skipped = ("issues/", "gate-runs/", "events.jsonl", "index.json")
        files = {path: data for path, data in base.items() if not path.startswith(skipped)}
        files["index.json"] = pretty({"schema_version": 2, "all_ids": [], "deleted_ids": []})
        files["events.jsonl"] = b""
        self.number = number
        self.commands: list[list[Write]] = []
        super().__init__(1000 * seed + number, era_of(number), files)
        labels = ["epic:harbour", "type:task"]
        first = self.create(f"Writer {number}", labels=labels, gates=["tests", "review"])
        for task in range(4):
            self.dep_add(first, self.create(f"Task {task} of writer {number}", labels=labels, gates=["lint"]))

    def do(self, operation: str, *args: Any, **kwargs: Any) -> list[Write]:
        """Run a command and remember its writes."""
        writes = super().do(operation, *args, **kwargs)
        self.commands.append(list(writes))
        return writes

    def take(self) -> list[list[Write]]:
        """The commands run since the last call."""
        taken, self.commands = self.commands, []
        return taken

    def _random_gate(self, rng: random.Random) -> list[Write]:
        if self.era == "june":  # the store has v1's registry, which June does not write
            raise RefusedError("no registry")
        key = f"extra-{self.number}-{rng.randrange(3)}"
        if key in self.gates():
            return self.do("gate_undefine", key)
        return self.do("gate_define", key, f"Extra {key}", command="true")

    def _create_linked(self, rng: random.Random, issues: dict[str, Record]) -> list[Write]:
        if len(issues) >= MOST_ISSUES:
            raise RefusedError("enough issues")
        return super()._create_linked(rng, issues)


def lay_out(top: Path, seed: int) -> None:
    """The store all writers begin with, and the documents its issues may name, below ``top``."""
    base = mixed_tracker(0)
    files = dict(base.files)
    index = base.index()
    for number in range(COUNT):
        writer = Writer(number, seed)
        files.update((path, data) for path, data in writer.files.items() if path.startswith(OWN))
        files["events.jsonl"] += writer.files["events.jsonl"]
        index["all_ids"] += writer.ids()
    files["index.json"] = pretty(index)
    for path, data in files.items():
        target = top / ".jit" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    notes = [f"docs/note-{number}.md" for number in range(20)]
    for path, data in {**documents_of(files), **{path: document_bytes(path) for path in notes}}.items():
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@contextlib.contextmanager
def locked(path: Path, *, create: bool = True) -> Iterator[None]:
    """An exclusive ``flock``, polled every 10 ms as both trackers do; the file is never written or unlinked."""
    flags = os.O_RDWR | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(path, flags, 0o644)
    except FileNotFoundError:
        if create:
            raise
        yield
        return
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


class Disk:
    """Lays a writer's commands out on the store on disk, which others change too.

    What the model knows whole (issue index, log, registry) is its own part; on disk it becomes a change of what is
    there.
    """

    def __init__(self, store: Path, writer: Writer, rng: random.Random) -> None:
        self.store = store
        self.rng = rng
        self.sequence = 0
        self.index = writer.index()
        self.log = len(writer.files["events.jsonl"])
        self.gates = writer.gates()

    def pause(self) -> None:
        """Let others run, at the places where a writer is between two states."""
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() / 1000)

    def rebased(self, write: Write) -> bytes | None:
        """The whole new bytes of a file on disk, for a write of the model; the caller holds the locks."""
        path = self.store / write.path
        if write.data is None:
            return None
        if write.path == "index.json":
            return self._index(json.loads(path.read_bytes()), json.loads(write.data))
        if write.path == "events.jsonl":
            tail, self.log = write.data[self.log :], len(write.data)
            return path.read_bytes() + tail
        if write.path == "gates.toml":
            return self._gates(tomllib.loads(path.read_text("utf-8")), tomllib.loads(write.data.decode()))
        return write.data

    def _index(self, now: Record, own: Record) -> bytes:
        gone = [one for one in self.index["all_ids"] if one not in own["all_ids"]]
        now["all_ids"] = [one for one in now["all_ids"] if one not in gone]
        now["all_ids"] += [one for one in own["all_ids"] if one not in self.index["all_ids"]]
        now["deleted_ids"] += gone
        self.index = own
        return pretty(now)

    def _gates(self, now: Record, own: Record) -> bytes:
        mine = {gate["key"]: gate for gate in own["gates"]}
        gates = {gate["key"]: gate for gate in now["gates"] if gate["key"] in mine or gate["key"] not in self.gates}
        gates.update(mine)
        self.gates = mine
        return gates_toml(gates.values())

    # -- June

    def june(self, writes: list[Write]) -> None:
        """One write after another, each under its own lock."""
        at = 0
        while at < len(writes):
            write = writes[at]
            if write.kind == "append":
                self._append(write, writes[at + 1])
                at += 2
            elif write.path.startswith("gate-runs/"):
                self._run(write)
                at += 1
            else:
                both = at + 1 < len(writes) and writes[at + 1].path == "index.json"
                self._save(write, writes[at + 1] if both else None)
                at += 2 if both else 1
            self.pause()

    def _append(self, text: Write, newline: Write) -> None:
        with locked(self.store / ".events.lock"):
            log = os.open(self.store / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            for write in (text, newline):
                os.write(log, write.data or b"")
                self.pause()
            os.close(log)

    def _run(self, write: Write) -> None:
        path = self.store / write.path
        if write.kind == "mkdir":
            path.mkdir(parents=True)
            return
        temp = self.store / temp_path(write.path, os.getpid())
        temp.write_bytes(write.data or b"")
        self.pause()
        temp.rename(path)

    def _save(self, write: Write, index: Write | None) -> None:
        lock = self.store / write.path.replace(".json", ".lock")
        with locked(self.store / ".index.lock"), locked(lock):
            if write.data is None:
                (self.store / write.path).unlink()
                lock.unlink()
            else:
                self._replace(write.path, write.data)
            self.pause()
            if index is not None:
                self._replace(index.path, self.rebased(index) or b"")

    def _replace(self, path: str, data: bytes) -> None:
        temp = self.store / temp_path(path, os.getpid(), self.sequence)
        self.sequence += 1
        with temp.open("wb") as file:  # unbuffered halves: a temp may be seen torn, its target never
            file.write(data[: len(data) // 2])
            file.flush()
            self.pause()
            file.write(data[len(data) // 2 :])
        temp.rename(self.store / path)

    # -- v1

    def v1(self, writes: list[Write]) -> None:
        """One transaction."""
        with (
            locked(self.store.parent / ".jit-bootstrap.lock", create=False),
            locked(self.store / ".repo-write.lock"),
            locked(self.store / ".index.lock"),  # in this test only, see above
            locked(self.store / ".events.lock"),
        ):
            self._transact([(write, self.rebased(write)) for write in writes])

    def _transact(self, targets: list[tuple[Write, bytes | None]]) -> None:
        name = f"{self.rng.getrandbits(128):032x}"
        control = self.store / "tmp" / "transactions" / name
        (control / "stages").mkdir(parents=True)
        (control / "backups").mkdir()
        self._journal(control, name, "prepared", [])
        self.pause()
        actions = []
        for number, (write, data) in enumerate(targets):
            live = self.store / write.path
            kind = "create_directory" if write.kind == "mkdir" else "delete_file" if data is None else "write_file"
            if write.kind == "mkdir":
                (control / "stages" / f"dir-{number}").mkdir()
            elif data is not None:
                (control / "stages" / f"file-{number}").write_bytes(data)
            if live.is_file():
                shutil.copyfile(live, control / "backups" / f"backup-{number}")
            actions.append({"path": {"root": "data", "relative": write.path}, "action": {"kind": kind}})
        self._journal(control, name, "prepared", actions)
        for number, (write, data) in enumerate(targets):
            self._publish(control, number, self.store / write.path, write, data)
            self.pause()
        self._journal(control, name, "committed", actions)
        self.pause()
        cleanup = control.with_name(f"cleanup-{name}")
        control.rename(cleanup)
        shutil.rmtree(cleanup)
        with contextlib.suppress(OSError):
            cleanup.parent.rmdir()
            cleanup.parent.parent.rmdir()

    def _publish(self, control: Path, number: int, live: Path, write: Write, data: bytes | None) -> None:
        stage = control / "stages" / f"file-{number}"
        if write.kind == "mkdir":
            live.parent.mkdir(exist_ok=True)
            (control / "stages" / f"dir-{number}").rename(live)
        elif data is None:
            live.rename(control / "backups" / f"deleted-{number}")
        elif live.exists():
            live.rename(control / "backups" / f"replaced-{number}")
            self.pause()
            stage.rename(live)
        else:
            live.hardlink_to(stage)

    def _journal(self, control: Path, name: str, decision: str, actions: list[Record]) -> None:
        body = {"version": 3, "transaction_id": name, "decision": decision, "actions": actions}
        following = control / "journal.next"
        following.write_bytes(json.dumps(body, indent=2).encode())
        following.rename(control / "journal.json")


def digest_of(data: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(data).hexdigest()


def write_on(number: int, seed: int, store: Path, stop: Path, limit: int) -> int:
    """Edit until the stop file is there or the limit of commands is reached; gives the number of commands.

    Beside the stop file it leaves ``writer-NUMBER.json``: the ids of all its ``events``, and the digests of its own
    ``records`` as it left them.
    """
    writer = Writer(number, seed)
    rng = random.Random(f"live-{seed}-{number}")
    disk = Disk(store, writer, rng)
    writer.take()
    done = 0
    end = time.monotonic() + MOST_SECONDS
    while done < limit and not stop.exists() and time.monotonic() < end:
        writer.random_edit(rng)
        for writes in writer.take():
            if writer.era == "june":
                disk.june(writes)
            else:
                disk.v1(writes)
            if not done:
                say_begun()
            done += 1
        time.sleep(rng.random() / 40)  # a command's own start; without it the locks were never free
    told = {
        "events": [event["id"] for event in writer.events()],
        "records": {path: digest_of(data) for path, data in writer.files.items() if path.startswith(OWN)},
    }
    stop.with_name(f"writer-{number}.json").write_text(json.dumps(told), encoding="utf-8")
    return done


if __name__ == "__main__":
    os.nice(10)  # the check beside us is one, and we are eight
    _, own_number, own_seed, own_store, own_stop, own_limit = sys.argv
    sys.stdout.write(str(write_on(int(own_number), int(own_seed), Path(own_store), Path(own_stop), int(own_limit))))
