"""A deterministic model of the issue tracker, in memory: stores and the exact writes that make them.

A store is a ``dict[str, bytes]`` from path below ``.jit/`` to bytes. Two eras of the tracker are modelled:
``june`` (declared member order, one write after another, appended log) and ``v1`` (sorted members, one
transaction per command, ``gates.toml``). Times are nanoseconds since 1970 inside and RFC 3339 with nine
digits in records; one seed gives one history, whatever the machine.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Era = Literal["june", "v1"]
Kind = Literal["replace", "append", "delete", "mkdir"]
Record = dict[str, Any]

P = ParamSpec("P")
R = TypeVar("R")

ISSUE_ORDER = (
    "id", "title", "description", "state", "priority", "assignee", "dependencies", "gates_required",
    "gates_status", "context", "documents", "labels", "content_format", "created_at", "updated_at",
)  # fmt: skip
"""June's declared order of an issue's members (``crates/jit/src/domain/types.rs``)."""

TERMINAL = ("done", "rejected")
OPEN = ("backlog", "ready", "in_progress", "gated")
TYPES = {"milestone": 1, "epic": 2, "story": 3, "task": 4, "bug": 4}
UNIQUE_NAMESPACES = ("resolution", "team", "type")
NAMESPACES = ("component", "epic", "milestone", "resolution", "story", "team", "type")
LABEL_PATTERN = "^[a-z][a-z0-9-]*:[a-zA-Z0-9][a-zA-Z0-9._/-]*$"
START = {"june": 1_782_000_000_000_000_000, "v1": 1_786_000_000_000_000_000}
"""First clock reading of each era: 2026-06-21 and 2026-08-06, in ns since 1970."""


class RefusedError(Exception):
    """The tracker refuses this command; nothing was written."""


@dataclass(frozen=True, slots=True)
class Write:
    """One step of a command: what happens to one path of the store.

    Attributes:
        path: below ``.jit/``; a directory for ``mkdir``.
        data: the whole file for ``replace``, the new tail for ``append``, None for ``delete`` and ``mkdir``.
        kind: ``replace`` is temp file and rename, ``append`` one write(2) at the end of the log.
    """

    path: str
    data: bytes | None
    kind: Kind


def apply_write(files: dict[str, bytes], write: Write) -> None:
    """Do one write on a store in memory; a directory leaves no trace there."""
    if write.kind == "replace":
        files[write.path] = write.data or b""
    elif write.kind == "append":
        files[write.path] = files.get(write.path, b"") + (write.data or b"")
    elif write.kind == "delete":
        files.pop(write.path, None)


def temp_path(path: str, pid: int, sequence: int = 0) -> str:
    """June's temp name of a ``replace``: ``.<name>.<pid>.<seq>.tmp``; of a run or preset ``<path>.tmp``."""
    folder, _, name = path.rpartition("/")
    if path.startswith(("gate-runs/", "config/")):
        return f"{path}.tmp"
    return f"{folder}/.{name}.{pid}.{sequence}.tmp".lstrip("/")


def stamp(instant: int) -> str:
    """RFC 3339 with ``Z`` and nine digits of `instant`, in ns since 1970."""
    seconds, fraction = divmod(instant, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def pretty(record: object, era: Era = "june") -> bytes:
    """A JSON record as written: two spaces, raw UTF-8, no final newline; v1 sorts every object."""
    return json.dumps(record, indent=2, ensure_ascii=False, sort_keys=era == "v1").encode()


def line(event: object, era: Era = "june") -> bytes:
    """A log line without its newline: compact; v1 sorts every object."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False, sort_keys=era == "v1").encode()


def document_bytes(path: str) -> bytes:
    """What the model puts into a document; it depends on the name alone, so a move keeps it."""
    return f"# {path.rpartition('/')[2]}\n".encode()


def documents_of(files: dict[str, bytes]) -> dict[str, bytes]:
    """The documents that the model's issues name: path below the repository's root to bytes."""
    issues = [json.loads(raw) for path, raw in files.items() if path.startswith("issues/")]
    return {entry["path"]: document_bytes(entry["path"]) for issue in issues for entry in issue["documents"]}


def random_id(rng: random.Random) -> str:
    """A UUID of version 4, from the seeded source."""
    bits = rng.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | (4 << 76) | (2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def issue_path(issue_id: str) -> str:
    """Where the store keeps an issue."""
    return f"issues/{issue_id}.json"


def run_path(run_id: str) -> str:
    """Where the store keeps the result of a gate run."""
    return f"gate-runs/{run_id}/result.json"


def is_finished(issue: Record) -> bool:
    """Whether a dependency on `issue` is met: ``done``, ``rejected``, or ``archived`` from one of them."""
    return issue["state"] in TERMINAL or (issue["state"] == "archived" and issue.get("archived_from") in TERMINAL)


def _toml_string(text: str) -> str:
    if '"' in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return _toml_string(value) if isinstance(value, str) else str(value)


def gates_toml(gates: Iterable[Record]) -> bytes:
    """``gates.toml`` as v1 rewrites it whole: gates sorted by key, nulls absent, one final newline."""
    blocks = []
    for gate in sorted(gates, key=lambda gate: str(gate["key"])):
        plain = ("version", "key", "title", "description", "stage", "mode", "priority", "auto")
        rows = ["[[gates]]", *(f"{name} = {_toml_value(gate[name])}" for name in plain)]
        tables = [("gates.reserved", gate.get("reserved") or {})]
        if inputs := gate.get("inputs"):
            tables.insert(0, ("gates.inputs", inputs))
        if checker := gate.get("checker"):
            tables.insert(0, ("gates.checker.env", checker.get("env") or {}))
            bare = {name: value for name, value in checker.items() if name != "env" and value is not None}
            tables.insert(0, ("gates.checker", bare))
        for name, table in tables:
            rows += ["", f"[{name}]", *(f"{key} = {_toml_value(value)}" for key, value in table.items())]
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks).encode() if blocks else b"gates = []\n"


CONFIG = """\
# Settings of a store made for tests.

[version]
schema = 2

[type_hierarchy]
types = { milestone = 1, epic = 2, story = 3, task = 4, bug = 4 }
strategic_types = ["milestone", "epic"]

[type_hierarchy.label_associations]
epic = "epic"
milestone = "milestone"
story = "story"

[validation]
strictness = "loose"
default_type = "task"

[namespaces.type]
description = "What kind of work this is."
unique = true
examples = ["type:task", "type:bug"]

[namespaces.component]
description = "The part of the program it touches."
unique = false
examples = ["component:reader"]

[namespaces.epic]
description = "The epic it belongs to."
unique = false
examples = ["epic:harbour"]

[namespaces.milestone]
description = "The release it belongs to."
unique = false
examples = ["milestone:v2.0"]

[namespaces.story]
description = "The story it belongs to."
unique = false
examples = ["story:landing"]

[namespaces.team]
description = "Who does it."
unique = true
examples = ["team:north"]

[namespaces.resolution]
description = "Why it was rejected."
unique = true
examples = ["resolution:duplicate"]

[documentation]
development_root = "dev"
managed_paths = ["dev/active"]
archive_root = "dev/archive"
permanent_paths = ["docs/"]

[documentation.categories]
study = "studies"
"""

INVARIANTS = """\
[[invariants]]
id = "no-silent-loss"
statement = "Nothing a person wrote goes away without being asked for."
kind = "advisory"
"""

HOUSE_RULE = "house:epic-needs-task"
LABEL_RULE = {"june": "default:label-format", "v1": "label-format"}


def rules_toml(era: Era) -> bytes:
    """``rules.toml`` as ``init`` scaffolds it for the model's configuration, and one rule of the house."""
    origin = 'origin = "default"\n' if era == "v1" else ""
    prefix, unique = ("default:", "namespace-unique:") if era == "june" else ("", "namespace-unique-")
    rows = [
        (name, "error", enforce, f'{{ json-schema = "schemas/default-{name}.json" }}')
        for name, enforce in (
            ("label-format", "true"),
            ("namespace-registry", "false"),
            ("type-hierarchy-known", "false"),
        )
    ]
    rows += [
        (unique + name, "error", "true", f'{{ require-label = {{ label = "{name}:*", min = 0, max = 1 }} }}')
        for name in UNIQUE_NAMESPACES
    ]
    rows += [
        (name, "warn", "false", f'{{ type-hierarchy = {{ kind = "{name}" }} }}')
        for name in ("orphan-leaf", "strategic-consistency")
    ]
    blocks = [
        f'[[rules]]\nname = "{prefix}{name}"\n{origin}severity = "{severity}"\nenforce = {enforce}\nassert = {body}\n'
        for name, severity, enforce, body in rows
    ]
    house = (
        f'[[rules]]\nname = "{HOUSE_RULE}"\nwhen = {{ type = "epic", state = ["done"] }}\n'
        'severity = "error"\nenforce = true\n'
        'assert = { dependency-shape = { target = { type = "task" }, mode = "must" } }\n'
    )
    return "\n".join([*blocks, house]).encode()


def baked_schemas() -> dict[str, bytes]:
    """The three schemas ``init`` derives from the configuration: sorted, pretty, with a final newline."""

    def labels(pattern: str) -> Record:
        items = {"pattern": pattern, "type": "string"}
        return {"properties": {"raw_labels": {"items": items, "type": "array"}}, "type": "object"}

    known = {"items": {"enum": sorted(TYPES)}, "type": "array"}
    types = {"properties": {"labels": {"properties": {"type": known}, "type": "object"}}, "type": "object"}
    by_name = {
        "label-format": labels(LABEL_PATTERN),
        "namespace-registry": labels(f"^({'|'.join(NAMESPACES)}):"),
        "type-hierarchy-known": types,
    }
    return {f"schemas/default-{name}.json": pretty(body, "v1") + b"\n" for name, body in by_name.items()}


def _command(
    method: Callable[Concatenate[Tracker, P], R],
) -> Callable[Concatenate[Tracker, P], R]:
    """Make a method one run of the tracker: its writes are gathered, and taken back when it refuses."""

    @functools.wraps(method)
    def run(self: Tracker, /, *args: P.args, **kwargs: P.kwargs) -> R:
        kept = dict(self.files), dict(self.outside), self.rng.getstate(), self.now
        self._begin()
        try:
            result = method(self, *args, **kwargs)
        except RefusedError:
            self.files, self.outside = kept[0], kept[1]
            self.rng.setstate(kept[2])
            self.now = kept[3]
            raise
        self._finish()
        return result

    return run


class Tracker:
    """The tracker of one era at work on one store.

    Every public method named after a command writes what the tracker writes, in its order, keeps the writes
    in `writes` and applies them to `files`; it raises `RefusedError` where the tracker refuses or where
    going on would leave a store that the project's own checks mind.

    Attributes:
        files: the store, path below ``.jit/`` to bytes.
        outside: documents of the repository, path below its root to bytes.
        writes: what the last command wrote, in order; in `v1` the list is one transaction, applied whole.
        now: the clock, ns since 1970.
    """

    def __init__(self, seed: int, era: Era, files: dict[str, bytes] | None = None) -> None:
        self.era: Era = era
        self.rng = random.Random(f"{era}-{seed}")
        self.files: dict[str, bytes] = dict(files or {})
        self.outside: dict[str, bytes] = {}
        self.writes: list[Write] = []
        self.now = START[era] + self.rng.randrange(1_000_000_000)
        if files:
            self.now = max(self.now, *(_instant(event["timestamp"]) for event in self.events()), 0)
        self._pending: dict[str, Write] = {}
        self._lines: list[bytes] = []

    # -- looking -----------------------------------------------------------------------------------

    def index(self) -> Record:
        """The issue index."""
        record: Record = json.loads(self.files["index.json"])
        return record

    def ids(self) -> list[str]:
        """Ids of the living issues, in order of creation."""
        ids: list[str] = self.index()["all_ids"]
        return ids

    def issue(self, issue_id: str) -> Record:
        """One issue, decoded; refused when there is none."""
        raw = self.files.get(issue_path(issue_id))
        if raw is None:
            raise RefusedError(f"no issue {issue_id}")
        record: Record = json.loads(raw)
        return record

    def issues(self) -> dict[str, Record]:
        """All living issues, in order of creation."""
        return {issue_id: self.issue(issue_id) for issue_id in self.ids()}

    def events(self) -> list[Record]:
        """The log, decoded."""
        return [json.loads(raw) for raw in self.files.get("events.jsonl", b"").splitlines()]

    def runs(self) -> dict[str, Record]:
        """All gate runs, by id."""
        return {
            path.split("/")[1]: json.loads(raw) for path, raw in self.files.items() if path.startswith("gate-runs/")
        }

    def gates(self) -> dict[str, Record]:
        """The gate registry, by key."""
        if "gates.toml" in self.files:
            rows = tomllib.loads(self.files["gates.toml"].decode())["gates"]
            return {gate["key"]: gate for gate in rows}
        gates: dict[str, Record] = json.loads(self.files["gates.json"])["gates"]
        return gates

    def dependents(self, issue_id: str) -> list[str]:
        """Ids of the issues that depend directly on one."""
        return [other for other, issue in self.issues().items() if issue_id in issue["dependencies"]]

    # -- running -----------------------------------------------------------------------------------

    def do(self, operation: str, *args: Any, **kwargs: Any) -> list[Write]:
        """Run the command of that name and give its writes; `files` already holds them."""
        getattr(self, operation)(*args, **kwargs)
        return self.writes

    def steps(self, operation: str, *args: Any, **kwargs: Any) -> list[Write]:
        """The writes a command would make, without making them."""
        return self.fork().do(operation, *args, **kwargs)

    def fork(self) -> Tracker:
        """A second tracker on a copy of the store, whose next ids and times are the same."""
        twin = Tracker.__new__(Tracker)
        twin.era, twin.now, twin.writes = self.era, self.now, list(self.writes)
        twin.files, twin.outside = dict(self.files), dict(self.outside)
        twin.rng = random.Random()
        twin.rng.setstate(self.rng.getstate())
        twin._pending, twin._lines = {}, []
        return twin

    def _begin(self) -> None:
        self.writes, self._pending, self._lines = [], {}, []
        self.now += self.rng.randrange(2_000_000_000, 400_000_000_000)
        self._tidy_clock()

    def _tidy_clock(self) -> None:
        if self.now % 1000 == 0:  # a reading that ends in zeros would be written with fewer digits
            self.now += 1 + self.rng.randrange(998)

    def _read_clock(self) -> int:
        """One reading: June reads for every save and event, v1 once per command."""
        if self.era == "june":
            self.now += self.rng.randrange(11_000, 2_900_000)
            self._tidy_clock()
        return self.now

    def _finish(self) -> None:
        if self.era == "june":
            return
        if self._lines:
            prefix = self.files.get("events.jsonl", b"")
            if prefix and not prefix.endswith(b"\n"):
                prefix += b"\n"
            log = prefix + b"".join(raw + b"\n" for raw in self._lines)
            self._pending["events.jsonl"] = Write("events.jsonl", log, "replace")
            self.files["events.jsonl"] = log
        last = ("index.json", "events.jsonl")
        self.writes = [write for path, write in self._pending.items() if path not in last]
        self.writes += [self._pending[path] for path in last if path in self._pending]

    def _write(self, path: str, data: bytes | None, kind: Kind = "replace") -> None:
        write = Write(path, data, kind)
        apply_write(self.files, write)
        if self.era == "june":
            self.writes.append(write)
        else:
            self._pending[path] = write

    def _event(self, kind: str, issue_id: str | None = None, **rest: object) -> None:
        """June: two appends, text then newline; v1: the log is replaced once, at the end of the command."""
        event: Record = {"type": kind, "id": random_id(self.rng)}
        if issue_id is not None:
            event["issue_id"] = issue_id
        event |= {"timestamp": stamp(self._read_clock()), **rest}
        if self.era == "june":
            self._write("events.jsonl", line(event), "append")
            self._write("events.jsonl", b"\n", "append")
        else:
            self._lines.append(line(event, "v1"))

    def _save(self, issue: Record) -> None:
        issue["updated_at"] = stamp(self._read_clock())
        if self.era == "june":
            known = {name: issue[name] for name in ISSUE_ORDER if name in issue}
            self._write(issue_path(issue["id"]), pretty(known))
        else:
            self._write(issue_path(issue["id"]), pretty(issue, "v1"))

    def _save_index(self, index: Record) -> None:
        self._write("index.json", pretty(index, self.era))

    def _save_gates(self, gates: dict[str, Record]) -> None:
        if self.era == "june":
            self._write("gates.json", pretty({"gates": gates}))
        else:
            self._write("gates.toml", gates_toml(gates.values()))

    def _is_blocked(self, issue: Record) -> bool:
        return not all(is_finished(self.issue(other)) for other in issue["dependencies"])

    def _unpassed(self, issue: Record, stage: str | None = None) -> list[str]:
        gates = self.gates()
        return [
            key
            for key in issue["gates_required"]
            if issue["gates_status"].get(key, {}).get("status") != "passed"
            and (stage is None or gates[key]["stage"] == stage)
        ]

    def _move(self, issue: Record, state: str) -> str:
        """Change the state and what v1 keeps beside it; gives the state left."""
        left: str = issue["state"]
        issue["state"] = state
        if self.era == "v1":
            moment = stamp(self._read_clock())
            if state == "ready":
                issue.setdefault("first_ready_at", moment)
            if state == "done":
                issue.setdefault("done_at", moment)
            if state == "archived":
                issue["archived_from"] = left
            else:
                issue.pop("archived_from", None)
        return left

    def _enter(self, issue: Record, state: str) -> None:
        """June: save, state event, completed event, then each dependent that this unblocks."""
        left = self._move(issue, state)
        self._save(issue)
        self._event("issue_state_changed", issue["id"], **{"from": left, "to": state})
        if state == "done":
            self._event("issue_completed", issue["id"])
        if is_finished(issue):
            self._promote(issue["id"])

    def _promote(self, issue_id: str) -> None:
        for other in self.dependents(issue_id):
            issue = self.issue(other)
            if issue["state"] == "backlog" and not self._is_blocked(issue):
                self._enter(issue, "ready")

    def _assign(self, issue: Record, assignee: str | None) -> None:
        if self.era == "v1" and issue["assignee"] is None and assignee is not None:
            issue.setdefault("claimed_at", stamp(self._read_clock()))
        issue["assignee"] = assignee

    # -- the store ---------------------------------------------------------------------------------

    @_command
    def init(self) -> None:
        """A new store. June: issue index, registry, empty log, config, schemas, rules, in this order."""
        self._save_index({"schema_version": 2, "all_ids": [], "deleted_ids": []})
        self._save_gates({})
        self._write("events.jsonl", b"")
        self._write("config.toml", CONFIG.encode())
        for path, data in baked_schemas().items():
            self._write(path, data)
        self._write("rules.toml", rules_toml(self.era))

    @_command
    def write_invariants(self) -> None:
        """``invariants.toml``, which people write by hand."""
        self._write("invariants.toml", INVARIANTS.encode())

    @_command
    def create(
        self,
        title: str,
        description: str = "",
        priority: str = "normal",
        gates: Sequence[str] = (),
        labels: Sequence[str] = (),
        depends_on: Sequence[str] = (),
        bypass: str | None = None,
        content_format: str | None = None,
    ) -> str:
        """A new issue; gives its id. June tracker: create writes issue, issue index, event in this order.

        It is born ``ready``; with `depends_on` (v1 only, batch creation) as ``backlog`` when one of them is
        open, without a state event. `bypass` names a rule that the title or a label broke and a person
        overrode.
        """
        if depends_on and self.era == "june":
            raise RefusedError("June creates without dependencies")
        if unknown := [key for key in gates if key not in self.gates()]:
            raise RefusedError(f"no gate {unknown[0]}")
        moment = stamp(self._read_clock())
        marked = [*labels] if any(label.startswith("type:") for label in labels) else [*labels, "type:task"]
        issue: Record = {
            "id": random_id(self.rng),
            "title": title,
            "description": description,
            "state": "ready",
            "priority": priority,
            "assignee": None,
            "dependencies": sorted(set(depends_on)),
            "gates_required": [*gates],
            "gates_status": {},
            "context": {},
            "documents": [],
            "labels": marked,
            **({} if content_format is None else {"content_format": content_format}),
            "created_at": moment,
            "updated_at": moment,
        }
        blocked = self._is_blocked(issue)
        if blocked:
            issue["state"] = "backlog"
        elif self.era == "v1":
            issue["first_ready_at"] = moment
        issue_id: str = issue["id"]
        data = pretty(issue, self.era)
        self._write(issue_path(issue_id), data)
        index = self.index()
        index["all_ids"].append(issue_id)
        self._save_index(index)
        self._event("issue_created", issue_id, title=title, priority=priority)
        if depends_on:
            fields = ["dependencies", "state"] if blocked else ["dependencies"]
            self._event("issue_updated", issue_id, updated_by="batch-create", fields=fields)
        if bypass is not None:
            self._event("local_rule_bypassed", issue_id, rule=bypass)
        return issue_id

    @_command
    def update(
        self,
        issue_id: str,
        title: str | None = None,
        description: str | None = None,
        priority: str | None = None,
        labels: Sequence[str] | None = None,
        updated_by: str = "issue-update",
    ) -> None:
        """New fields: save, then ``issue_updated``. What changes nothing is refused."""
        issue = self.issue(issue_id)
        wanted: Record = {"title": title, "description": description, "priority": priority}
        wanted["labels"] = None if labels is None else [*labels]
        fields = [name for name, value in wanted.items() if value is not None and issue[name] != value]
        if not fields:
            raise RefusedError("nothing changes")
        issue |= {name: wanted[name] for name in fields}
        self._save(issue)
        self._event("issue_updated", issue_id, updated_by=updated_by, fields=fields)

    @_command
    def assign(self, issue_id: str, assignee: str | None) -> None:
        """Assign or unassign by hand: a save without an event."""
        issue = self.issue(issue_id)
        self._assign(issue, assignee)
        self._save(issue)

    @_command
    def set_state(self, issue_id: str, state: str, bypassed_rule: str | None = None) -> None:
        """Another state; ``done`` over unpassed gates becomes ``gated``, over open dependencies is refused.

        `bypassed_rule`: the transition was forced over this rule, whose event June writes before the save.
        """
        issue = self.issue(issue_id)
        legal = {
            "backlog": ("rejected", "archived"),
            "ready": ("in_progress", "gated", "done", "rejected", "archived"),
            "in_progress": ("ready", "gated", "done", "rejected", "archived"),
            "gated": ("in_progress", "done", "rejected", "archived"),
            "done": ("archived",),
            "rejected": ("archived",),
            "archived": (),
        }
        if state not in legal[issue["state"]]:
            raise RefusedError(f"{issue['state']} does not become {state}")
        if state == "in_progress" and self._unpassed(issue, "precheck"):
            raise RefusedError("a gate before the start is not passed")
        if state in {"ready", "gated", "done"} and self._is_blocked(issue):
            raise RefusedError("a dependency is open")
        if state == "archived" and self.era == "june" and self.dependents(issue_id):
            raise RefusedError("an archived issue of June blocks its dependents")
        if state == "done" and self._unpassed(issue):
            state = "gated"
        if state == "gated" and (issue["state"] == "gated" or not self._unpassed(issue)):
            raise RefusedError("nothing to wait for")
        if bypassed_rule is not None:
            self._event("graph_rule_bypassed", issue_id, target=state, rule=bypassed_rule)
        self._enter(issue, state)

    @_command
    def block(self, issue_id: str, target: str, rule: str) -> None:
        """A transition that a rule of the graph stopped: only its event is written."""
        self.issue(issue_id)
        self._event("transition_blocked", issue_id, target=target, rule=rule)

    @_command
    def claim(self, issue_id: str, assignee: str) -> None:
        """June tracker: ready to in_progress (save, event), assignee (save), then ``issue_claimed``."""
        issue = self.issue(issue_id)
        if issue["state"] not in {"ready", "in_progress"} or issue["assignee"] not in {None, assignee}:
            raise RefusedError("not to be claimed")
        if issue["state"] == "ready":
            if self._unpassed(issue, "precheck"):
                raise RefusedError("a gate before the start is not passed")
            self._enter(issue, "in_progress")
        self._assign(issue, assignee)
        self._save(issue)
        self._event("issue_claimed", issue_id, assignee=assignee)

    @_command
    def release(self, issue_id: str, reason: str = "handed back") -> None:
        """Save (back to ready, nobody), state event, ``issue_released``."""
        issue = self.issue(issue_id)
        if issue["state"] != "in_progress" or issue["assignee"] is None or self._is_blocked(issue):
            raise RefusedError("not to be released")
        assignee = issue["assignee"]
        self._assign(issue, None)
        self._enter(issue, "ready")
        self._event("issue_released", issue_id, assignee=assignee, reason=reason)

    def done(self, issue_id: str) -> None:
        """``done`` with every gate passed and every dependency finished; refused otherwise."""
        if self._unpassed(self.issue(issue_id)):
            raise RefusedError("a gate is not passed")
        self.set_state(issue_id, "done")

    @_command
    def reject(self, issue_id: str, resolution: str = "duplicate") -> None:
        """``rejected`` with a ``resolution`` label; dependents may become ready."""
        issue = self.issue(issue_id)
        if issue["state"] not in OPEN:
            raise RefusedError("finished already")
        issue["labels"] = [label for label in issue["labels"] if not label.startswith("resolution:")]
        issue["labels"].append(f"resolution:{resolution}")
        self._enter(issue, "rejected")

    @_command
    def delete(self, issue_id: str) -> None:
        """June tracker: unlink, issue index (out of one list, into the other), ``issue_deleted``.

        Refused when something depends on it: the tracker would go on and leave edges to a deleted id.
        """
        self.issue(issue_id)
        if self.dependents(issue_id):
            raise RefusedError("something depends on it")
        self._write(issue_path(issue_id), None, "delete")
        index = self.index()
        index["all_ids"].remove(issue_id)
        index["deleted_ids"].append(issue_id)
        self._save_index(index)
        self._event("issue_deleted", issue_id)

    # -- dependencies ------------------------------------------------------------------------------

    def reach(self, start: str) -> set[str]:
        """Ids that `start` depends on, directly or not."""
        seen: set[str] = set()
        todo = list(self.issue(start)["dependencies"])
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += self.issue(other)["dependencies"]
        return seen

    def _reduced(self, ids: list[str]) -> list[str]:
        return [one for one in ids if not any(one in self.reach(other) for other in ids if other != one)]

    @_command
    def dep_add(self, issue_id: str, on: str) -> None:
        """Save (edge, own list reduced, maybe ready to backlog), state event, ``issue_updated``.

        Like the tracker it reduces only the list it edits, so an edge further up may become redundant.
        """
        issue = self.issue(issue_id)
        if on == issue_id or on in issue["dependencies"] or issue_id in self.reach(on):
            raise RefusedError("a cycle, or there already")
        if on in self.reach(issue_id):
            raise RefusedError("implied already")
        issue["dependencies"] = self._reduced([*issue["dependencies"], on])
        if issue["state"] not in {"backlog", "ready", "in_progress"} and self._is_blocked(issue):
            raise RefusedError("finished over an open dependency")
        left = issue["state"]
        if left == "ready" and self._is_blocked(issue):
            self._move(issue, "backlog")
        self._save(issue)
        if issue["state"] != left:
            self._event("issue_state_changed", issue_id, **{"from": left, "to": issue["state"]})
        self._event("issue_updated", issue_id, updated_by="dependency-add", fields=["dependencies"])

    @_command
    def dep_remove(self, issue_id: str, on: str) -> None:
        """Save, ``issue_updated``, and backlog to ready when nothing is open any more."""
        issue = self.issue(issue_id)
        if on not in issue["dependencies"]:
            raise RefusedError("no such edge")
        issue["dependencies"].remove(on)
        self._save(issue)
        self._event("issue_updated", issue_id, updated_by="dependency-remove", fields=["dependencies"])
        if issue["state"] == "backlog" and not self._is_blocked(issue):
            self._enter(issue, "ready")

    def redundant(self) -> dict[str, list[str]]:
        """Issues with edges implied by others, and those edges."""
        found = {}
        for issue_id, issue in self.issues().items():
            kept = self._reduced(issue["dependencies"])
            if extra := [other for other in issue["dependencies"] if other not in kept]:
                found[issue_id] = extra
        return found

    @_command
    def validate_fix(self) -> None:
        """``validate --fix``: every redundant edge goes; per issue a save and ``dependency_reduced``."""
        found = self.redundant()
        if not found:
            raise RefusedError("nothing to reduce")
        for issue_id, extra in found.items():
            issue = self.issue(issue_id)
            old = issue["dependencies"]
            issue["dependencies"] = [other for other in old if other not in extra]
            self._save(issue)
            counts = {"old_count": len(old), "new_count": len(old) - len(extra), "removed_deps": extra}
            self._event("dependency_reduced", issue_id, **counts)

    # -- gates -------------------------------------------------------------------------------------

    @_command
    def gate_define(
        self,
        key: str,
        title: str,
        description: str = "",
        stage: str = "postcheck",
        command: str | None = None,
        inputs: Sequence[str] = (),
    ) -> None:
        """A gate in the registry, or its update; `command` makes it automated, `inputs` (v1) are its roots.

        June: save of the registry, an event only for an update; v1 has an event for both.
        """
        gates = self.gates()
        known = key in gates
        gate: Record = {"version": 1, "key": key, "title": title, "description": description, "stage": stage}
        gate["mode"] = "manual" if command is None else "auto"
        if command is not None:
            gate["checker"] = {
                "type": "exec",
                "command": command,
                "timeout_seconds": 300,
                "working_dir": None,
                "env": {},
                "pass_context": False,
            }
        gate |= {"priority": 100, "reserved": {}, "auto": command is not None}
        if self.era == "june":
            gate["example_integration"] = None
        elif inputs:
            gate["inputs"] = {"roots": [*inputs]}
        gates[key] = gate
        self._save_gates(gates)
        if known:
            self._event("gate_definition_updated", gate_key=key)
        elif self.era == "v1":
            self._event("gate_definition_created", gate_key=key)

    @_command
    def gate_undefine(self, key: str) -> None:
        """A gate out of the registry; refused while an issue requires it or a run names it."""
        gates = self.gates()
        used = {name for issue in self.issues().values() for name in issue["gates_required"]}
        if key not in gates or key in used or any(run["gate_key"] == key for run in self.runs().values()):
            raise RefusedError("unknown, or in use")
        del gates[key]
        self._save_gates(gates)
        if self.era == "v1":
            self._event("gate_definition_removed", gate_key=key)

    @_command
    def gate_add(self, issue_id: str, *keys: str) -> None:
        """June tracker: ``gate_added`` for each key first, the save (pending statuses) last."""
        issue = self.issue(issue_id)
        if issue["state"] not in OPEN or not keys:
            raise RefusedError("finished")
        for key in keys:
            if key not in self.gates() or key in issue["gates_required"]:
                raise RefusedError("unknown, or required already")
            self._event("gate_added", issue_id, gate_key=key)
        moment = stamp(self._read_clock())
        for key in keys:
            issue["gates_required"].append(key)
            issue["gates_status"][key] = {"status": "pending", "updated_by": None, "updated_at": moment}
        self._save(issue)

    @_command
    def gate_remove(self, issue_id: str, key: str) -> None:
        """June tracker: ``gate_removed`` first, the save (key and status gone) last."""
        issue = self.issue(issue_id)
        if key not in issue["gates_required"] or issue["state"] == "gated":
            raise RefusedError("not required, or waited for")
        self._event("gate_removed", issue_id, gate_key=key)
        issue["gates_required"].remove(key)
        issue["gates_status"].pop(key, None)
        self._save(issue)

    def _judge(self, issue: Record, key: str, status: str, by: str | None, at: int) -> None:
        issue["gates_status"][key] = {"status": status, "updated_by": by, "updated_at": stamp(at)}
        self._save(issue)
        self._event(f"gate_{status}", issue["id"], gate_key=key, updated_by=by)
        if issue["state"] == "gated" and not self._unpassed(issue):
            self._enter(issue, "done")

    def _to_judge(self, issue_id: str, key: str, mode: str) -> Record:
        issue = self.issue(issue_id)
        if key not in issue["gates_required"] or issue["state"] not in OPEN or self.gates()[key]["mode"] != mode:
            raise RefusedError("not to be judged so")
        return issue

    @_command
    def gate_pass(self, issue_id: str, key: str, by: str = "human:ada") -> None:
        """A person passes a manual gate: save, event; a gated issue with all passed goes on to ``done``."""
        issue = self._to_judge(issue_id, key, "manual")
        self._judge(issue, key, "passed", by, self._read_clock())

    @_command
    def gate_fail(self, issue_id: str, key: str, by: str = "human:ada") -> None:
        """A person fails a manual gate: save, event."""
        issue = self._to_judge(issue_id, key, "manual")
        self._judge(issue, key, "failed", by, self._read_clock())

    @_command
    def gate_run(
        self,
        issue_id: str,
        key: str,
        exit_code: int | None = 0,
        stdout: str = "",
        findings: Record | None = None,
        reuse: str | None = None,
    ) -> str:
        """An automated gate runs; gives the run's id. June: run directory, result, save of the issue, event.

        `exit_code` None is a time-out. `reuse` (v1) names an executed run of the same gate whose verdict is
        taken.
        Status: 0 passed; 126, 127 and None error; other failed. The issue's status takes the run's start
        (June) or the one clock reading of the command (v1).
        """
        issue = self._to_judge(issue_id, key, "auto")
        gate = self.gates()[key]
        run_id = random_id(self.rng)
        began = self._read_clock()
        took = 0 if reuse is not None else self.rng.randrange(4_000_000, 90_000_000_000)
        self.now += took
        self._tidy_clock()
        ended = began if reuse is not None else self.now
        status = "passed" if exit_code == 0 else "error" if exit_code in {126, 127, None} else "failed"
        run: Record = {
            "schema_version": 1,
            "run_id": run_id,
            "gate_key": key,
            "stage": gate["stage"],
            "issue_id": issue_id,
            "commit": f"{self.rng.getrandbits(160):040x}",
            "branch": "main",
            "status": status,
            "started_at": stamp(began),
            "completed_at": stamp(ended),
            "duration_ms": (ended - began) // 1_000_000,
            "exit_code": exit_code,
            "stdout": stdout,
            "stderr": "" if status == "passed" else "see the line above\n",
            "command": gate["checker"]["command"],
            "by": "auto:executor",
            "message": None,
        }
        if self.era == "v1":
            run |= {"tree_dirty": False, "origin": {"derivation": "executed"}}
            if findings is not None:
                run["findings"] = findings
            if "inputs" in gate:
                run["inputs_digest"] = hashlib.sha256(key.encode()).hexdigest()
        if reuse is not None:
            source = self.runs().get(reuse, {})
            if self.era == "june" or "inputs" not in gate or source.get("gate_key") != key:
                raise RefusedError("nothing to reuse")
            if source["origin"]["derivation"] != "executed" or source["status"] not in {"passed", "failed"}:
                raise RefusedError("nothing to reuse")
            run |= {
                "commit": None,
                "branch": None,
                "tree_dirty": None,
                "exit_code": None,
                "stdout": "",
                "stderr": "",
            }
            run |= {"status": source["status"], "origin": {"derivation": "reused", "source_run": reuse}}
            status = source["status"]
        self._write(f"gate-runs/{run_id}", None, "mkdir")
        self._write(run_path(run_id), pretty(run, self.era))
        verdict = "passed" if status == "passed" else "failed"
        self._judge(issue, key, verdict, "auto:executor", began if self.era == "june" else self.now)
        return run_id

    @_command
    def preset_create(self, name: str, *keys: str) -> None:
        """A preset made from gates of the registry."""
        members = ("key", "title", "description", "stage", "mode", "checker")
        gates = self.gates()
        rows = [{member: gates[key][member] for member in members if member in gates[key]} for key in keys]
        for row in rows:
            if "checker" in row:  # gates.toml has no null to carry
                row["checker"].setdefault("working_dir", None)
        record = {"name": name, "description": f"Gates for {name}", "gates": rows}
        self._write(f"config/gate-presets/{name}.json", pretty(record, self.era))

    # -- documents ---------------------------------------------------------------------------------

    @_command
    def document_add(
        self,
        issue_id: str,
        path: str,
        commit: str | None = None,
        label: str | None = None,
        doc_type: str | None = None,
    ) -> None:
        """Name a document of the repository in an issue: a save without an event.

        `path` is below the repository's root; if `outside` lacks it, a small file is put there.
        """
        issue = self.issue(issue_id)
        entry = {"path": path, "commit": commit, "label": label, "doc_type": doc_type, "format": "markdown"}
        if entry in issue["documents"]:
            raise RefusedError("named already")
        self.outside.setdefault(path, document_bytes(path))
        issue["documents"].append(entry)
        self._save(issue)

    def _move_document(self, source: str, destination: str) -> list[Record]:
        """Rename a document and save every issue that names it unpinned; gives v1's reference changes."""
        self.outside[destination] = self.outside.pop(source)
        changes = []
        for issue_id, issue in self.issues().items():
            own = [
                {"issue": issue_id, "document_index": number, "from_path": source, "to_path": destination}
                for number, entry in enumerate(issue["documents"])
                if entry["path"] == source and entry["commit"] is None
            ]
            for change in own:
                issue["documents"][change["document_index"]]["path"] = destination
            if own:
                self._save(issue)
            changes += own
        return changes

    @_command
    def document_archive(self, path: str, category: str = "study") -> None:
        """June: rename under the archive root, save of each issue that names it, ``document_archived``."""
        if self.era != "june" or not path.startswith("dev/active/") or path not in self.outside:
            raise RefusedError("not an active document")
        destination = path.replace("dev/active/", "dev/archive/studies/")
        touched = {change["issue"] for change in self._move_document(path, destination)}
        rest = {
            "source": path,
            "destination": destination,
            "category": category,
            "issues_updated": len(touched),
        }
        self._event("document_archived", None, **rest)

    @_command
    def archive(self, issue_id: str) -> None:
        """v1: archive a finished issue with its active documents.

        One transaction: documents renamed and every reference rewritten, ``artifact_archive_executed`` (only
        when there are documents), then the state event.
        """
        issue = self.issue(issue_id)
        if self.era != "v1" or issue["state"] not in TERMINAL:
            raise RefusedError("not finished")
        root = f"dev/archive/{issue_id[:8]}"
        paths = {entry["path"] for entry in issue["documents"] if entry["commit"] is None}
        active = sorted(path for path in paths if path.startswith("dev/active/") and path in self.outside)
        publications, changes, deletions = [], [], []
        for path in active:
            destination = path.replace("dev/active", f"{root}/active")
            body = self.outside[path]
            identity = {"sha256": hashlib.sha256(body).hexdigest(), "byte_size": len(body)}
            publications.append(
                {"source": path, "destination": destination, "content_identity": identity, "adopted": False}
            )
            deletions.append({"source": path, "content_identity": identity})
            changes += self._move_document(path, destination)
        if active:
            self._event(
                "artifact_archive_executed",
                None,
                target={"kind": "container", "id": issue_id},
                destination_root=root,
                publications=publications,
                reference_changes=changes,
                planned_deletions=deletions,
                reconciling=False,
            )
            issue = self.issue(issue_id)
        self._enter(issue, "archived")

    # -- v1's repository commands ------------------------------------------------------------------

    @_command
    def upgrade(self) -> None:
        """The store goes on under v1: ``gates.toml`` for ``gates.json``; all other bytes stay June's."""
        gates = self.gates()
        self.era = "v1"
        self.now = max(self.now, START["v1"] + self.rng.randrange(1_000_000_000))
        self._tidy_clock()
        self._write("gates.json", None, "delete")
        self._save_gates(gates)

    @_command
    def migrate_lifecycle(self) -> None:
        """v1: fill the lifecycle times that the log knows, then ``lifecycle_timestamps_backfilled``."""
        if self.era != "v1":
            raise RefusedError("June knows no lifecycle times")
        events = self.events()
        touched = 0
        for issue_id, issue in self.issues().items():
            found: dict[str, str] = {}
            for event in events:
                if event.get("issue_id") == issue_id:
                    name = {"issue_claimed": "claimed_at", "issue_state_changed": ""}.get(event["type"])
                    if name == "":
                        name = {"ready": "first_ready_at", "done": "done_at"}.get(event["to"])
                    if name:
                        found.setdefault(name, event["timestamp"])
            missing = {name: moment for name, moment in found.items() if name not in issue}
            if missing:
                self._write(issue_path(issue_id), pretty(issue | missing, "v1"))
                touched += 1
        if not touched:
            raise RefusedError("nothing to fill")
        self._event("lifecycle_timestamps_backfilled", None, issues_updated=touched)

    @_command
    def profile_apply(self, profile_id: str = "workflow") -> None:
        """v1: a profile's record (declared order, final newline), then ``profile_lifecycle``."""
        if self.era != "v1":
            raise RefusedError("June knows no profiles")
        digest = hashlib.sha256(profile_id.encode()).hexdigest()
        record = {
            "id": profile_id,
            "version": "1.0.0",
            "origin": {"source": "embedded"},
            "package_hash": digest,
            "target_hashes": {".jit/rules.toml": hashlib.sha256(self.files["rules.toml"]).hexdigest()},
        }
        self._write(f"profiles/{profile_id}.json", pretty(record) + b"\n")
        rows = [{"id": profile_id, "status": "applied", "variables": [{"name": "team", "source": "default"}]}]
        self._event("profile_lifecycle", None, operation="apply", profiles=rows, isolated_torn_tail=False)

    @_command
    def override_checkout(self) -> None:
        """v1: a person let a linked checkout write; only the event is written."""
        if self.era != "v1":
            raise RefusedError("June does not ask")
        rest = {"checkout": "/srv/checkout", "declared_stance": "refuse", "invocation_override": "allow"}
        self._event("linked_checkout_write_overridden", None, **rest)

    # -- half of a command, or against its rules, for the damage catalogue

    @_command
    def write_event(self, /, kind: str, issue_id: str | None = None, **rest: object) -> None:
        """An event alone: what is left of a command whose save never came."""
        self._event(kind, issue_id, **rest)

    @_command
    def force(self, issue_id: str, state: str) -> None:
        """A state with its events, whatever dependencies and gates say; no dependent follows."""
        issue = self.issue(issue_id)
        left = self._move(issue, state)
        self._save(issue)
        self._event("issue_state_changed", issue_id, **{"from": left, "to": state})
        if state == "done":
            self._event("issue_completed", issue_id)

    # -- at random ---------------------------------------------------------------------------------

    def random_edit(self, rng: random.Random) -> list[Write]:
        """One legal edit at random, and its writes.

        The store stays as clean as it was: a new issue gets an edge by a second command at once, a removed
        edge leaves both ends another one, and no edit makes an edge elsewhere redundant.
        """
        names = [
            "create", "update", "update", "claim", "claim", "release", "dep_add", "dep_add", "dep_remove",
            "gate_define", "gate_add", "gate_add", "gate_remove", "gate_pass", "gate_fail", "gate_run",
            "gate_run", "document_add", "delete", "archive", "reject", "done", "done",
        ]  # fmt: skip
        while True:
            name = rng.choice(names)
            try:
                return self._edit(name, rng)
            except RefusedError:
                continue

    def _edit(self, name: str, rng: random.Random) -> list[Write]:
        issues = self.issues()
        if not issues or name == "create":
            return self._create_linked(rng, issues)
        issue_id = rng.choice(list(issues))
        issue = issues[issue_id]
        if name == "update":
            return self.do(name, issue_id, **_random_fields(rng, issue))
        if name == "claim":
            return self.do(name, issue_id, rng.choice(("agent:alpha", "agent:beta", "human:ada")))
        if name == "dep_add":
            return self._add_edge(issue_id, rng.choice(list(issues)))
        if name == "dep_remove" and issue["dependencies"]:
            return self._remove_edge(issues, issue_id, rng.choice(issue["dependencies"]))
        if name == "gate_define":
            return self._random_gate(rng)
        if name == "gate_add":
            past = {
                event["gate_key"]
                for event in self.events()
                if event.get("issue_id") == issue_id and "gate_key" in event
            }
            keys = [key for key in self.gates() if key not in past and key not in issue["gates_required"]]
            return self.do(name, issue_id, *rng.sample(keys, min(len(keys), rng.randint(1, 2))))
        if name == "gate_remove":
            keys = [key for key, status in issue["gates_status"].items() if status["status"] == "pending"]
            return self._with_key(name, issue_id, keys, rng)
        if name in {"gate_pass", "gate_fail"}:
            return self._with_key(name, issue_id, issue["gates_required"], rng)
        if name == "gate_run":
            code = rng.choice((0, 0, 0, 1, 2, 127, None))
            return self._with_key(name, issue_id, issue["gates_required"], rng, exit_code=code)
        if name == "document_add":
            return self.do(name, issue_id, f"docs/note-{rng.randrange(20)}.md")
        if name == "delete" and not self._isolates(issues, issue_id):
            return self.do(name, issue_id)
        if name == "archive":
            return self.do("archive", issue_id) if self.era == "v1" else self.do("set_state", issue_id, "archived")
        if name in {"release", "reject", "done"}:
            return self.do(name, issue_id)
        raise RefusedError("not now")

    def _with_key(
        self, name: str, issue_id: str, keys: Sequence[str], rng: random.Random, **rest: object
    ) -> list[Write]:
        if not keys:
            raise RefusedError("no gate")
        return self.do(name, issue_id, rng.choice(keys), **rest)

    def _create_linked(self, rng: random.Random, issues: dict[str, Record]) -> list[Write]:
        gates = list(self.gates())
        chosen = rng.sample(gates, min(len(gates), rng.randrange(2)))
        labels = ["epic:harbour", rng.choice(("type:task", "type:bug"))]
        writes = self.do("create", _random_title(rng), labels=labels, gates=chosen)
        new = self.ids()[-1]
        targets = [other for other, issue in issues.items() if issue["state"] in {"backlog", "ready", "in_progress"}]
        first, second = (rng.choice(targets), new) if targets and rng.random() < 0.5 else (new, "")
        if issues:
            return writes + self.do("dep_add", first, second or rng.choice(list(issues)))
        return writes

    def _add_edge(self, issue_id: str, on: str) -> list[Write]:
        trial = self.fork()
        trial.dep_add(issue_id, on)
        if trial.redundant() or trial.isolated():
            raise RefusedError("would make an edge redundant")
        return self.do("dep_add", issue_id, on)

    def isolated(self) -> list[str]:
        """Issues without an edge, in or out."""
        issues = self.issues()
        linked = {other for issue in issues.values() for other in issue["dependencies"]}
        return [one for one, issue in issues.items() if not issue["dependencies"] and one not in linked]

    def _isolates(self, issues: dict[str, Record], gone: str) -> bool:
        left = {one: issue["dependencies"] for one, issue in issues.items() if one != gone}
        linked = {other for edges in left.values() for other in edges}
        return any(not edges and one not in linked for one, edges in left.items())

    def _remove_edge(self, issues: dict[str, Record], issue_id: str, on: str) -> list[Write]:
        issue = issues[issue_id]
        linked = [other for one in issues.values() for other in one["dependencies"]]
        if (len(issue["dependencies"]) == 1 and issue_id not in linked) or (
            linked.count(on) == 1 and not issues[on]["dependencies"]
        ):
            raise RefusedError("would isolate an issue")
        return self.do("dep_remove", issue_id, on)

    def _random_gate(self, rng: random.Random) -> list[Write]:
        key = f"extra-{rng.randrange(9)}"
        if key in self.gates():
            return self.do("gate_undefine", key)
        return self.do("gate_define", key, f"Extra {key}", command=rng.choice((None, "true")))


def _random_title(rng: random.Random) -> str:
    verbs = ("Moor", "Chart", "Caulk", "Splice", "Sound", "Überholen:")
    nouns = ("the keel", "every buoy", "the log line", "an anchor", "the northern light ✦", 'a "spare" sail')
    return f"{rng.choice(verbs)} {rng.choice(nouns)} {rng.randrange(1000)}"


def _random_fields(rng: random.Random, issue: Record) -> dict[str, Any]:
    kind = rng.randrange(4)
    if kind == 0:
        return {"title": _random_title(rng)}
    if kind == 1:
        return {"description": f"{_random_title(rng)}.\n\n- [hard] REQ-{rng.randrange(10, 99)}: it holds\n"}
    if kind == 2:
        return {"priority": rng.choice(("low", "normal", "high", "critical"))}
    label = f"component:part-{rng.randrange(5)}"
    others = [one for one in issue["labels"] if one != label]
    return {"labels": others if label in issue["labels"] else [*others, label]}


def _instant(text: str) -> int:
    moment, _, fraction = text.rstrip("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{moment}+00:00").timestamp())
    return whole * 1_000_000_000 + int(fraction.ljust(9, "0"))
