"""Records as the checks need them: one file read and judged as text, and the facts kept of it.

A fact object is small, so that a store of tens of thousands of issues fits in memory: descriptions and run
output are dropped once the record checks have seen them.
"""

from __future__ import annotations

from jit_hooks.store import layout, validators
from jit_hooks.store.reader import TextFault, conflict_marker, not_utf8, read_json, shared
from jit_hooks.store.snapshot import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.validators import Fault

_KEY_PARTS = 32
"""Parts of a dotted key of TOML; the tracker writes five at the most."""

ERA_MEMBERS = frozenset(("created_at", "updated_at"))
"""Members of an issue that the tracker writes since 2026-02-14 and requires since; older records lack them."""

_VALIDATORS = {
    "issue": validators.issue,
    "index": validators.index,
    "run": validators.gate_run,
    "gates-json": validators.gates_json,
    "gates-toml": validators.gates_toml,
    "preset": validators.preset,
    "profile": validators.profile,
}


class Record:
    """One file of a store, read.

    Attributes:
        kind: see ``layout.kind_of``.
        data: its bytes; empty when they were too large to read.
        document: the parsed content; None when ``fault`` says why there is none.
        faults: what the schema of its kind finds, without values the settings accept.
    """

    __slots__ = ("_faults", "_loads", "_unknown", "accepted", "data", "document", "fault", "kind", "path")

    def __init__(self, path: str, data: bytes | TooLarge, accepted: Accepted) -> None:
        self.path = path
        self.kind = layout.kind_of(path)
        self.accepted = accepted
        self.document: object = None
        self.fault: TextFault | None = None
        self._faults: list[Fault] | None = None
        self._loads: bool | None = None
        self._unknown: list[str] | None = None
        size = data.size if isinstance(data, TooLarge) else len(data)
        if isinstance(data, TooLarge) or size > accepted.record_bytes:
            self.data = b""
            self.fault = TextFault("limit-exceeded", f"is {size} bytes long, more than a record may have")
        else:
            self.data = data
            self._parse()

    def _parse(self) -> None:
        if self.kind in layout.TOML_KINDS:
            self.document, self.fault = _read_toml(self.data)
        elif self.kind != "log":
            self.document, self.fault = read_json(
                self.data, max_bytes=self.accepted.record_bytes, max_depth=self.accepted.depth
            )

    @property
    def faults(self) -> list[Fault]:
        """Schema faults; empty for a kind without schema and for a record that does not parse."""
        if self._faults is None:
            validate = _VALIDATORS.get(self.kind)
            self._faults = validate(self.document) if validate and self.fault is None else []
            if self._faults:
                self._faults = self.accepted.left(self._faults, self.document)
        return self._faults

    @property
    def unknown(self) -> list[str]:
        """Pointers of members the tracker drops at its next save."""
        if self._unknown is None:
            self._unknown = []
            validate = _VALIDATORS.get(self.kind)
            if validate is not None and self.fault is None:
                # By name: asking for it loads a module that the hot path does without.
                self._unknown = getattr(validators, f"{validate.__name__}_unknown")(self.document)
        return self._unknown

    @property
    def loads(self) -> bool:
        """True if the tracker of the record's own era can load it."""
        if self._loads is None:
            self._loads = self.fault is None and all(is_era_fault(self.kind, fault) for fault in self.faults)
        return self._loads

    @property
    def members(self) -> dict[str, object]:
        """The document of a record that is an object; empty otherwise."""
        return self.document if type(self.document) is dict else {}


def is_era_fault(kind: str, fault: Fault) -> bool:
    """True if a fault only says that a record is older than a requirement."""
    pointer, rule, _ = fault
    return kind == "issue" and rule == "required" and pointer[1:] in ERA_MEMBERS


def _read_toml(data: bytes) -> tuple[object, TextFault | None]:
    import tomllib

    fault = not_utf8(data)
    if fault is not None:
        return None, fault
    marker = conflict_marker(data)
    if marker is not None:
        return None, TextFault("conflict-marker", "holds the markers of an unresolved merge conflict", marker)
    if _has_long_key(data):
        return None, TextFault("toml-unparsable", f"is not TOML that can be read: a key has over {_KEY_PARTS} parts")
    try:
        return tomllib.loads(data.decode("utf-8")), None
    except RecursionError:
        return None, TextFault("toml-unparsable", "is not TOML that can be read: it nests too deep")
    except tomllib.TOMLDecodeError as error:
        return None, TextFault("toml-unparsable", f"is not TOML: {error}")
    except ValueError:
        return None, TextFault("toml-unparsable", "is not TOML that can be read: it holds a number too long")


def _has_long_key(data: bytes) -> bool:
    """True if a dotted key has more parts than anybody writes: ``tomllib`` takes their square in memory."""
    if data.count(b".") < _KEY_PARTS:
        return False
    import re

    part = rb"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
    return re.search(rb"""(?<![\w"'-])(?:%b[ \t]*+\.[ \t]*+){%d}""" % (part, _KEY_PARTS), data) is not None


class GateStatus:
    """The verdict an issue carries for one gate."""

    __slots__ = ("at", "by", "status")

    def __init__(self, document: dict[str, object]) -> None:
        self.status = shared(document.get("status"))
        self.by = shared(document.get("updated_by"))
        self.at = document.get("updated_at")


class Issue:
    """What the relations of an issue rest on; made only of a record that loads.

    ``created_at`` and ``updated_at`` are empty in records of 2025.
    """

    __slots__ = (
        "archived_from",
        "assignee",
        "created_at",
        "dependencies",
        "documents",
        "gates_required",
        "gates_status",
        "id",
        "labels",
        "own_id",
        "priority",
        "state",
        "title",
        "updated_at",
    )

    def __init__(self, stem: str, document: dict[str, object]) -> None:
        self.id = stem
        self.own_id = stem if document["id"] == stem else document["id"]
        self.title = document["title"]
        self.state = shared(document["state"])
        self.priority = shared(document["priority"])
        self.assignee = shared(document.get("assignee"))
        self.archived_from = document.get("archived_from")
        self.created_at = document.get("created_at", "")
        self.updated_at = document.get("updated_at", "")
        self.dependencies: tuple[str, ...] = tuple(map(shared, document["dependencies"]))  # type: ignore[call-overload]
        self.gates_required: tuple[str, ...] = tuple(map(shared, document["gates_required"]))  # type: ignore[call-overload]
        self.gates_status = {
            key: GateStatus(value)
            for key, value in document["gates_status"].items()  # type: ignore[attr-defined]
        }
        self.labels: tuple[str, ...] = tuple(map(shared, document["labels"]))  # type: ignore[call-overload]
        self.documents: list[dict[str, object]] = document["documents"]  # type: ignore[assignment]

    @property
    def path(self) -> str:
        """The path of the record in the store."""
        return layout.issue_path(self.id)

    @property
    def is_finished(self) -> bool:
        """True if a dependency on it is met: ``done``, ``rejected``, or ``archived`` from one of them."""
        state = self.archived_from if self.state == "archived" else self.state
        return state in ("done", "rejected")


class IssueIndex:
    """The issue index: ids in creation order, deleted ids in order of deletion."""

    __slots__ = ("alive", "alive_set", "deleted", "deleted_set", "version")

    def __init__(self, document: dict[str, object]) -> None:
        self.version: int = document["schema_version"]  # type: ignore[assignment]
        self.alive: list[str] = document["all_ids"]  # type: ignore[assignment]
        self.deleted: list[str] = document.get("deleted_ids", [])  # type: ignore[assignment]
        self.alive_set = frozenset(self.alive)
        self.deleted_set = frozenset(self.deleted)


class Run:
    """What the relations of a gate run rest on."""

    __slots__ = ("by", "exit_code", "gate", "id", "issue", "own_id", "reused_from", "started_at", "status")

    def __init__(self, run_id: str, document: dict[str, object]) -> None:
        self.id = run_id
        self.own_id = run_id if document["run_id"] == run_id else document["run_id"]
        self.gate = shared(document["gate_key"])
        self.issue = shared(document["issue_id"])
        self.status = shared(document["status"])
        self.started_at = document["started_at"]
        self.by = shared(document.get("by"))
        self.exit_code = document.get("exit_code")
        origin = document.get("origin")
        self.reused_from = origin.get("source_run") if type(origin) is dict else None


class Registry:
    """The gate registry of either tracker: ``gates`` maps a key to its definition."""

    __slots__ = ("gates", "path")

    def __init__(self, path: str, document: dict[str, object]) -> None:
        self.path = path
        gates = document.get("gates", {})
        if type(gates) is list:
            self.gates: dict[str, dict[str, object]] = {gate["key"]: gate for gate in gates}
        else:
            self.gates = gates  # type: ignore[assignment]
