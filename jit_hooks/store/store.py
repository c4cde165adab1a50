"""A store as look-ups: every relation a check follows, answered from any snapshot, read once and only when asked."""

from __future__ import annotations

from jit_hooks.store import layout
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.log import Log
from jit_hooks.store.reader import TextFault
from jit_hooks.store.records import Issue, IssueIndex, Record, Registry, Run
from jit_hooks.store.snapshot import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from jit_hooks.store.claims import ClaimsIndex, Replay
    from jit_hooks.store.snapshot import Entry, Snapshot

_FACT_KINDS = frozenset(
    (
        "issue",
        "run",
        "index",
        "gates-json",
        "gates-toml",
        "config",
        "rules",
        "templates",
        "invariants",
        "schema",
    )
)


class Store:
    """Look-ups over one snapshot.

    A record that does not parse or load has no facts: ``issue(id)`` is None while ``has_issue(id)`` is True.

    Args:
        snapshot: where the bytes come from.
        accepted: growth of the tracker that the settings take in.
        log_start: the byte of the event log up to which it equals the first parent's, and so is known.
    """

    def __init__(self, snapshot: Snapshot, accepted: Accepted | None = None, log_start: int = 0) -> None:
        self.snapshot = snapshot
        self.accepted = accepted or Accepted()
        snapshot.record_bytes = self.accepted.record_bytes
        snapshot.log_bytes = self.accepted.log_bytes
        self.log_start = log_start
        self._facts: dict[str, object] = {}
        self._log: Log | None = None
        self._dependents: dict[str, list[str]] | None = None
        self._entries: dict[str, Entry] | None = None
        self._members: dict[str, bool] = {}
        self._issue_ids: list[str] | None = None
        self._run_ids: list[str] | None = None
        self._runs_of: dict[object, list[Run]] | None = None
        self._tracked: dict[str, list[str]] | None = None
        self._claims: Replay | None = None
        self._claims_index: ClaimsIndex | None = None
        self._like: Store | None = None
        self._unlike: Container[str] = ()

    def records(self, paths: Iterable[str]) -> Iterator[Record]:
        """The records at these paths, read and parsed one by one; their facts are kept, they are not."""
        for path, data in self.snapshot.read_many(paths):
            if data is not None:
                yield self._keep(Record(path, data, self.accepted))

    def record(self, path: str) -> Record | None:
        """The record at this path, or None when there is no regular file."""
        data = self.snapshot.read(path)
        return None if data is None else self._keep(Record(path, data, self.accepted))

    def _keep(self, record: Record) -> Record:
        if record.kind in _FACT_KINDS and record.path not in self._facts:
            self._facts[record.path] = _facts_of(record)
        return record

    def _fact(self, path: str) -> object:
        if path not in self._facts:
            like = self._like
            if like is not None and path not in self._unlike and like.is_file(path) and self.is_file(path):
                self._facts[path] = like._fact(path)
            elif self.record(path) is None:
                self._facts[path] = None
        return self._facts.get(path)

    def share(self, other: Store, unlike: Container[str]) -> None:
        """Take what is known of records from a store in which they are the same, all but those at some paths."""
        self._like = other
        self._unlike = unlike

    def entries(self) -> dict[str, Entry]:
        """Everything in the store, in the order of names."""
        if self._entries is None:
            self._entries = dict(sorted(self.snapshot.entries().items()))
        return self._entries

    def tracked_of(self, kind: str) -> list[str]:
        """The paths of one kind that git tracks, in the order of names (``layout.kind_of``)."""
        if self._tracked is None:
            self._tracked = {}
            for path in sorted(self.snapshot.tracked()):
                self._tracked.setdefault(layout.kind_of(path), []).append(path)
        return self._tracked.get(kind, [])

    def is_file(self, path: str) -> bool:
        """True if a regular file stands at this path."""
        entry = self._entries.get(path) if self._entries is not None else self.snapshot.entry(path)
        return entry is not None and entry.kind == "file"

    def stands_at(self, path: str) -> bool:
        """True if anything stands at this path: a file, a link, or the sides of a conflict."""
        if not _is_path(path):
            return False
        snapshot = self.snapshot
        return bool(snapshot.entry(path) or snapshot.entry(f"{path}/")) or path in snapshot.unmerged()

    def issue_ids(self) -> list[str]:
        """The stems of all issue files."""
        if self._issue_ids is None:
            self._issue_ids = [
                layout.issue_id_of(path)
                for path, entry in self.entries().items()
                if path.startswith(layout.ISSUES) and entry.kind == "file" and layout.kind_of(path) == "issue"
            ]
        return self._issue_ids

    def run_ids(self) -> list[str]:
        """The names of all run directories that hold a result."""
        if self._run_ids is None:
            self._run_ids = [
                layout.run_id_of(path)
                for path, entry in self.entries().items()
                if path.startswith(layout.RUNS) and entry.kind == "file" and layout.kind_of(path) == "run"
            ]
        return self._run_ids

    def has_issue(self, issue_id: str) -> bool:
        """True if an issue file carries this id as its name."""
        return _is_name(issue_id) and self.is_file(layout.issue_path(issue_id))

    def issue(self, issue_id: str) -> Issue | None:
        """The issue in the file of this name, when it loads."""
        path = layout.issue_path(issue_id)
        if path not in self._facts and not self.has_issue(issue_id):
            return None
        fact = self._fact(path)
        return fact if type(fact) is Issue else None

    def has_run(self, run_id: str) -> bool:
        """True if a gate run of this id has a result."""
        return _is_name(run_id) and self.is_file(layout.run_path(run_id))

    def run(self, run_id: str) -> Run | None:
        """The gate run of this id, when it loads."""
        path = layout.run_path(run_id)
        if path not in self._facts and not self.has_run(run_id):
            return None
        fact = self._fact(path)
        return fact if type(fact) is Run else None

    def issues(self) -> Iterator[Issue]:
        """Every issue that loads."""
        for issue_id in self.issue_ids():
            issue = self.issue(issue_id)
            if issue is not None:
                yield issue

    def runs(self) -> Iterator[Run]:
        """Every gate run that loads."""
        for run_id in self.run_ids():
            run = self.run(run_id)
            if run is not None:
                yield run

    @property
    def issue_index(self) -> IssueIndex | None:
        """The issue index, when there is one that loads."""
        fact = self._fact(layout.INDEX)
        return fact if type(fact) is IssueIndex else None

    @property
    def registry(self) -> Registry | None:
        """The gate registry: ``gates.toml`` where it exists, else ``gates.json``; None when absent or unreadable."""
        path = self.registry_path
        fact = self._fact(path) if path else None
        return fact if type(fact) is Registry else None

    @property
    def registry_path(self) -> str:
        """The file that is the gate registry; empty when there is none."""
        for path in (layout.GATES_TOML, layout.GATES_JSON):
            if self.is_file(path):
                return path
        return ""

    @property
    def gate_keys(self) -> frozenset[str] | None:
        """The keys of all gates; None when the registry in force is absent or does not load.

        Those of a ``gates.json`` beside a ``gates.toml`` count: that one hides the other is told once, by itself.
        """
        registry = self.registry
        if registry is None:
            return None
        shadowed = self.registry_at(layout.GATES_JSON)
        return frozenset(registry.gates) | frozenset(shadowed.gates if shadowed is not None else ())

    def registry_at(self, path: str) -> Registry | None:
        """The gate registry in this file, when there is one that loads."""
        fact = self._fact(path)
        return fact if type(fact) is Registry else None

    def table(self, path: str) -> dict[str, object] | None:
        """A file of the store's configuration (or one of ``schemas/``), parsed; None when it is absent or broken."""
        fact = self._fact(path)
        return fact if type(fact) is dict else None

    @property
    def log(self) -> Log:
        """The event log; an absent one is empty, of one over the limit only the fault is known."""
        if self._log is None and self._like is not None and self._shares_log(self._like):
            self._log = self._like.log
        if self._log is None:
            data = self.log_data
            if type(data) is bytes:
                self._log = Log(data, self.accepted, self.log_start)
            else:
                size = data.size if isinstance(data, TooLarge) else 0
                said = f"is {size} bytes long, more than an event log may have"
                self._log = Log(b"", self.accepted, fault=TextFault("limit-exceeded", said) if size else None)
        return self._log

    def _shares_log(self, like: Store) -> bool:
        is_whole = self.log_start == like.log_start == 0
        return is_whole and layout.LOG not in self._unlike and like.is_file(layout.LOG) and self.is_file(layout.LOG)

    @property
    def log_data(self) -> bytes | TooLarge | None:
        """The bytes of the event log; None when there is none."""
        data = self.snapshot.read(layout.LOG)
        return TooLarge(len(data)) if type(data) is bytes and len(data) > self.accepted.log_bytes else data

    @property
    def claims(self) -> Replay:
        """The replay of the claims log; an absent one, or one over the limit, is empty."""
        if self._claims is None:
            from jit_hooks.store.claims import replay

            data, aside = self.snapshot.read(layout.CLAIMS), self.snapshot.read(layout.CLAIMS_ASIDE)
            self._claims = replay(data if type(data) is bytes else b"", aside if type(aside) is bytes else b"")
        return self._claims

    @property
    def claims_index(self) -> ClaimsIndex | None:
        """The claims index; None when there is no such file, or one over the limit."""
        if self._claims_index is None:
            from jit_hooks.store.claims import ClaimsIndex

            data = self.snapshot.read(layout.CLAIMS_INDEX)
            self._claims_index = ClaimsIndex(data) if type(data) is bytes else None
        return self._claims_index

    def runs_of(self, issue_id: str) -> list[Run]:
        """The gate runs of one issue that load. Reads every run, once."""
        if self._runs_of is None:
            self._runs_of = {}
            for run in self.runs():
                self._runs_of.setdefault(run.issue, []).append(run)
        return self._runs_of.get(issue_id, [])

    def dependents(self, issue_id: str) -> list[str]:
        """The ids of the issues that depend on this one. Reads every issue, once."""
        if self._dependents is None:
            self._dependents = {}
            for issue in self.issues():
                for dependency in dict.fromkeys(issue.dependencies):
                    self._dependents.setdefault(dependency, []).append(issue.id)
        return self._dependents.get(issue_id, [])

    def has_issue_with(self, member: str) -> bool:
        """True if any issue that loads has this member (``created_at``, ``updated_at``). Reads until it finds one."""
        if member not in self._members:
            self._members[member] = any(getattr(issue, member) for issue in self.issues())
        return self._members[member]

    def is_alive(self, issue_id: str) -> bool:
        """True if the id has a file and the issue index does not call it deleted."""
        return self.has_issue(issue_id) and not self.is_deleted(issue_id)

    def is_known(self, issue_id: str) -> bool:
        """True if the issue index lists this id, alive or deleted, or anything stands where its file belongs."""
        index = self.issue_index
        listed = index is not None and (issue_id in index.alive_set or issue_id in index.deleted_set)
        return listed or self.stands_at(layout.issue_path(issue_id))

    def is_deleted(self, issue_id: str) -> bool:
        """True if the issue index lists the id as deleted."""
        index = self.issue_index
        return index is not None and issue_id in index.deleted_set


def _is_path(path: str) -> bool:
    """True if a path built from an id stays where it should."""
    return all(_is_name(part) for part in path.split("/"))


_NOT_IN_NAMES = frozenset("/\\\0\n\r")


def _is_name(name: str) -> bool:
    """True if an id read from a record can be part of a path: an id never leads out of the store."""
    return bool(name) and name not in (".", "..") and _NOT_IN_NAMES.isdisjoint(name)


def _facts_of(record: Record) -> object:
    if not record.loads or type(record.document) is not dict:
        return None
    document = record.document
    if record.kind == "issue":
        return Issue(layout.issue_id_of(record.path), document)
    if record.kind == "run":
        return Run(layout.run_id_of(record.path), document)
    if record.kind == "index":
        return IssueIndex(document)
    if record.kind in ("gates-json", "gates-toml"):
        return Registry(record.path, document)
    return document
