"""The claims log, read resiliently, and what it says of leases: the pure replay that checks and repairs share.

One bad line costs the tracker the whole log, and under v1 every change of an issue while leases are enforced; here
it costs that line. Source of the shapes: the tracker's ``storage/claim_coordinator.rs``.
"""

from __future__ import annotations

from jit_hooks.store import validators
from jit_hooks.store.log import digest_of, objects_inside
from jit_hooks.store.reader import TextFault, read_json
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.validators import Fault

STALE_SECONDS = 3600
"""What the tracker writes as ``stale_threshold_secs``, whatever is configured."""

LEASE_MEMBERS = (
    "lease_id",
    "issue_id",
    "agent_id",
    "worktree_id",
    "branch",
    "ttl_secs",
    "acquired_at",
    "expires_at",
    "last_beat",
    "stale",
)
"""The members of a lease, in the order the tracker writes them."""

ENDINGS = frozenset(("release", "auto-evict", "force-evict"))
"""Operations after which a lease is no more."""


class Entry:
    """One operation of the log: its line, byte offset and document, and whether it has that line to itself."""

    __slots__ = ("alone", "document", "line", "offset", "raw")

    def __init__(self, line: int, offset: int, raw: bytes, document: dict[str, object], *, alone: bool) -> None:
        self.line = line
        self.offset = offset
        self.raw = raw
        self.document = document
        self.alone = alone

    @property
    def name(self) -> str:
        """The name that a problem gives it: the first half of the SHA-256 of its bytes, 32 hex digits."""
        return digest_of(self.raw)

    @property
    def op(self) -> object:
        """The operation."""
        return self.document.get("op")

    @property
    def lease_id(self) -> str:
        """The lease it is about; empty when it names none."""
        found = self.document.get("lease_id")
        return found if type(found) is str else ""

    @property
    def seq(self) -> int | None:
        """Its position in the log as it says itself."""
        found = self.document.get("seq")
        return found if type(found) is int else None

    @property
    def faults(self) -> list[Fault]:
        """The faults that the schema finds, and a missing end: the tracker panics over a finite lease without one."""
        faults = validators.claim(self.document)
        if self.op == "acquire" and lacks_end(self.document):
            faults = [*faults, NO_END]
        return faults


NO_END: Fault = ("/expires_at", "required", "is not set, though the lease is for a time")


class BadOperation:
    """A line that is not one object and its newline: what the tracker's replay stops at.

    Attributes:
        line: its number, from 1.
        offset: its first byte.
        raw: its bytes, without the newline.
        fault: why it is none.
        entries: the whole operations inside; they count.
        rest: what is left without them; empty when nothing is.
    """

    __slots__ = ("entries", "fault", "line", "offset", "raw", "rest")

    def __init__(self, line: int, offset: int, raw: bytes, fault: TextFault) -> None:
        self.line = line
        self.offset = offset
        self.raw = raw
        self.fault = fault
        self.entries: list[Entry] = []
        left, at = [], 0
        for start, end, document in objects_inside(raw, is_operation, b'"op"'):
            self.entries.append(Entry(line, offset + start, raw[start:end], document, alone=False))
            left.append(raw[at:start])
            at = end
        left.append(raw[at:])
        self.rest = b" ".join(left).strip()

    @property
    def name(self) -> str:
        """The name that a problem gives it: the first half of the SHA-256 of its bytes, 32 hex digits."""
        return digest_of(self.raw)


class Replay:
    """What a claims log says.

    Attributes:
        aside: fragments of lines that a repair moved out of the log, one a line.
        entries: every whole operation, in the order of the log, of bad lines too.
        skipped: the lines that are not one object.
        leases: lease id to the lease as the last operation left it, alive only; a renewed one moves to the end.
        ended: lease id to the operation that ended it.
        without_end: operations that leave a finite lease without an end, by position in ``entries``.
        last_seq: the highest position in the log; 0 of an empty one.
    """

    __slots__ = ("aside", "ended", "entries", "last_seq", "leases", "skipped", "without_end")

    def __init__(self, aside: bytes = b"") -> None:
        self.aside = aside
        self.entries: list[Entry] = []
        self.skipped: list[BadOperation] = []
        self.leases: dict[str, dict[str, object]] = {}
        self.ended: dict[str, str] = {}
        self.without_end: set[int] = set()
        self.last_seq = 0

    @property
    def gaps(self) -> list[int]:
        """The positions below the last one that no operation has, at most a thousand of them."""
        seen = {entry.seq for entry in self.entries}
        return [seq for seq in range(1, min(self.last_seq, len(seen) + 1000)) if seq not in seen][:1000]

    def is_in_doubt(self, lease_id: str) -> bool:
        """True if bytes that nobody can read may have said something about a lease.

        They name it; or there are some, and no whole operation ever began or ended it. Those moved aside count as
        long as no operation ended it.
        """
        needle = lease_id.encode("utf-8", "replace")
        rests = [line.rest for line in self.skipped if line.rest]
        known = lease_id in self.leases or lease_id in self.ended
        named = any(needle in rest for rest in rests) or (lease_id not in self.ended and needle in self.aside)
        return named or (bool(rests) and not known)

    def _apply(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.last_seq = max(self.last_seq, entry.seq or 0)
        lease_id, document, op = entry.lease_id, entry.document, entry.op
        if not lease_id:
            return
        if op == "acquire":
            self.leases.pop(lease_id, None)
            self.leases[lease_id] = {name: document[name] for name in LEASE_MEMBERS if name in document}
            self.ended.pop(lease_id, None)
        elif op in ENDINGS:
            self.leases.pop(lease_id, None)
            self.ended[lease_id] = str(op)
        elif lease_id in self.leases and op in ("renew", "heartbeat"):
            lease = self.leases[lease_id]
            lease["last_beat"] = document.get("new_last_beat")
            if op == "renew":
                lease["expires_at"] = document.get("new_expires_at")
                self.leases[lease_id] = self.leases.pop(lease_id)
                if lacks_end(lease):
                    self.without_end.add(len(self.entries) - 1)


def replay(data: bytes, aside: bytes = b"") -> Replay:
    """The leases that a claims log leaves alive, from every whole operation in it. Blank lines say nothing.

    ``aside``: what a repair moved out of it (``claims.jsonl.bak``).
    """
    found = Replay(aside)
    offset = 0
    for number, raw in enumerate(data.split(b"\n"), 1):
        if raw.strip():
            _read_line(found, number, offset, raw, torn=offset + len(raw) >= len(data))
        offset += len(raw) + 1
    return found


def _read_line(found: Replay, number: int, offset: int, raw: bytes, *, torn: bool) -> None:
    document, fault = read_json(raw)
    if fault is None and type(document) is not dict:
        fault = TextFault("json-unparsable", "is not an object")
    if fault is None and torn:
        fault = TextFault("json-unparsable", "lacks its newline: the next operation would be glued to it")
    if fault is None:
        assert type(document) is dict
        found._apply(Entry(number, offset, raw, document, alone=True))
        return
    skipped = BadOperation(number, offset, raw, fault)
    found.skipped.append(skipped)
    for entry in skipped.entries:
        found._apply(entry)


def is_operation(document: dict[str, object]) -> bool:
    """True if an object found inside a line can be an operation."""
    return "op" in document and "seq" in document


def lacks_end(lease: dict[str, object]) -> bool:
    """True if a lease is for a time and has no end; ``ttl_secs`` 0 means without end."""
    ttl = lease.get("ttl_secs")
    return type(ttl) is int and ttl > 0 and lease.get("expires_at") is None


class ClaimsIndex:
    """The claims index as it stands: its leases by id, in its order, or why it cannot be read.

    Attributes:
        document: the whole of it; None when ``fault`` says why there is none.
        faults: what the schema finds.
        leases: lease id to lease; what has no id is left out.
    """

    __slots__ = ("document", "fault", "faults", "leases")

    def __init__(self, data: bytes) -> None:
        document, self.fault = read_json(data)
        if self.fault is None and (type(document) is not dict or type(document.get("leases")) is not list):
            self.fault = TextFault("json-unparsable", "is not an object with a list of leases")
        self.document: dict[str, object] | None = document if self.fault is None else None  # type: ignore[assignment]
        self.faults: list[Fault] = validators.claims_index(document) if self.fault is None else []
        self.leases: dict[str, dict[str, object]] = {}
        for position, lease in enumerate(self._listed()):
            if type(lease) is dict:
                if lacks_end(lease):
                    self.faults.append((f"/leases/{position}{NO_END[0]}", *NO_END[1:]))
                if type(lease.get("lease_id")) is str:
                    self.leases.setdefault(lease["lease_id"], lease)

    def _listed(self) -> list[object]:
        listed = self.document["leases"] if self.document is not None else []
        assert type(listed) is list
        return listed

    @property
    def repeated(self) -> list[str]:
        """Lease ids that it lists more than once."""
        ids = [lease["lease_id"] for lease in self._listed() if type(lease) is dict and "lease_id" in lease]
        return list(dict.fromkeys(one for one in ids if type(one) is str and ids.count(one) > 1))


def differences(log: Replay, index: ClaimsIndex) -> Iterator[tuple[str, str]]:
    """Leases of which log and index say different things: lease id, and what, as a sentence.

    None for what may lie in bytes that cannot be read; nor for a lease that ran out and is in the index still, for
    the tracker writes its end into the log alone when it only looks (``claim list``, ``claim status``).
    """
    for lease_id, lease in log.leases.items():
        listed = index.leases.get(lease_id)
        if log.is_in_doubt(lease_id):
            continue
        if listed is None:
            yield lease_id, "lives by the log, but the claims index does not list it"
        else:
            different = disagreeing(lease, listed)
            if different:
                yield lease_id, f"differs between the log and the claims index in `{'`, `'.join(different)}`"
    for lease_id in index.leases:
        if lease_id in log.leases or log.is_in_doubt(lease_id):
            continue
        ended = log.ended.get(lease_id)
        if ended is None:
            yield lease_id, "is in the claims index, but the log never says that it was taken"
        elif ended != "auto-evict":
            yield lease_id, f"is in the claims index, but the log says that it ended ({ended})"


def disagreeing(lease: dict[str, object], listed: dict[str, object]) -> list[str]:
    """The members in which a lease of the log and the one in the claims index say different things."""
    return [name for name in _SAME if _plain(name, lease) != _plain(name, listed)]


_SAME = ("issue_id", "agent_id", "worktree_id", "ttl_secs", "expires_at", "last_beat")
"""The members in which log and index agree; ``stale`` is worked out by a rebuild alone."""


def _plain(name: str, lease: dict[str, object]) -> object:
    value = lease.get(name)
    return instant_of(value) or value if name in ("expires_at", "last_beat") else value


def index_document(log: Replay, generated_at: str, sequence_gaps: tuple[int, ...] = ()) -> dict[str, object]:
    """The claims index that a rebuild from this log gives, members in the tracker's order.

    Args:
        log: the replay.
        generated_at: the time of the rebuild, RFC 3339.
        sequence_gaps: what to record as missing. The tracker records ``log.gaps``, and its ``validate`` then fails
            for good, for no command of it clears them.
    """
    return {
        "schema_version": 1,
        "generated_at": generated_at,
        "last_seq": log.last_seq,
        "stale_threshold_secs": STALE_SECONDS,
        "leases": [dict(lease) for lease in log.leases.values()],
        "sequence_gaps": list(sequence_gaps),
    }
