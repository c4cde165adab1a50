"""The settings of a store: ``.jit/hooks.toml``, which the tracker ignores, and git config, which may only tighten.

The file is read from the source that is judged, so that an unstaged permission excuses nothing in a commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from jit_hooks.checks import BY_CODE
from jit_hooks.errors import UsageError
from jit_hooks.store import layout
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.layout import MAX_DEPTH, MAX_LOG_BYTES, MAX_RECORD_BYTES
from jit_hooks.store.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.store.snapshot import Snapshot

_TIGHTENED = "jit-hooks.severity."
"""How the keys of git config begin."""

_RANK = {"off": 0, "note": 1, "warning": 2, "error": 3}


@dataclass(frozen=True)
class AcceptedInstance:
    """One problem that the repository lives with on purpose, and why.

    ``record`` is the record as reports print it (a path from the top, or an event id); ``subject``, when given,
    must match too.
    """

    code: str
    record: str
    reason: str
    subject: str = ""

    def covers(self, problem: Problem, record: str) -> bool:
        """True if a problem, whose record reads like this in reports, is the one meant."""
        same = self.record in (record, problem.record)
        return self.code == problem.code and same and self.subject in ("", problem.subject)


@dataclass(frozen=True)
class Settings:
    """What a repository has decided.

    Attributes:
        severity: code to ``error``, ``warning``, ``note`` or ``off``.
        accepted: values newer than this program, and the limits of what is read.
        instances: the ``[[accept]]`` entries that name one problem.
        seconds: the time limit of a judgement; None where the settings name none, 0 for no limit.
    """

    severity: dict[str, str] = field(default_factory=dict)
    accepted: Accepted = field(default_factory=Accepted)
    instances: tuple[AcceptedInstance, ...] = ()
    seconds: int | None = None

    def severity_of(self, code: str, default: str) -> str:
        """The severity of a code, where the settings name it; else the default."""
        return self.severity.get(code, default)

    def limited(self, record_bytes: int, log_bytes: int) -> Settings:
        """These settings, with lower limits of what is read where they name none of their own."""
        own = self.accepted
        accepted = Accepted(
            own.values,
            own.schema_version,
            depth=own.depth,
            record_bytes=record_bytes if own.record_bytes == MAX_RECORD_BYTES else own.record_bytes,
            log_bytes=log_bytes if own.log_bytes == MAX_LOG_BYTES else own.log_bytes,
        )
        return replace(self, accepted=accepted)

    @property
    def raised(self) -> frozenset[str]:
        """The codes that the settings make errors."""
        return frozenset(code for code, severity in self.severity.items() if severity == "error")

    def tightened(self, listing: bytes) -> Settings:
        """These settings with ``jit-hooks.severity.<code>`` of git config laid over them, where that is stricter.

        Args:
            listing: what ``git config --null --get-regexp`` printed.

        Raises:
            UsageError: git config names a code or a severity that does not exist.
        """
        severity = dict(self.severity)
        for piece in listing.decode("utf-8", "replace").split("\0"):
            key, _, value = piece.partition("\n")
            if not key:
                continue
            code = key.removeprefix(_TIGHTENED)
            if code == key:
                near = get_close_matches(key, [_TIGHTENED + known for known in BY_CODE], 1)
                hint = f"did you mean `{near[0]}`?" if near else f"there is only `{_TIGHTENED}CODE`"
                message = f"git config: there is no key `{key}`; {hint}"
                raise UsageError(message)
            check_code(code, f"git config {key}")
            if value not in _RANK:
                message = f"git config {key}: {value!r} is not a severity: error, warning, note"
                raise UsageError(message)
            before = severity.get(code, BY_CODE[code].severity)
            if _RANK[value] > _RANK[before]:
                severity[code] = value
        return replace(self, severity=severity)


def check_code(code: str, where: str) -> None:
    """Refuse a problem code that does not exist, naming the nearest.

    Raises:
        UsageError: there is no such code.
    """
    if code not in BY_CODE:
        near = get_close_matches(code, BY_CODE, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        message = f"{where}: there is no problem code `{code}`{hint}"
        raise UsageError(message)


def read_settings(snapshot: Snapshot, shown: str = ".jit/hooks.toml") -> Settings:
    """The settings in a snapshot; the defaults when it holds none.

    Args:
        snapshot: the source judged.
        shown: how messages name the file.

    Raises:
        UsageError: the file is not TOML, or holds a key or value that does not exist.
    """
    snapshot.look_closely((layout.SETTINGS, layout.CONFIG))
    data = snapshot.read(layout.SETTINGS)
    if data is None:
        if any(snapshot.entry(path) is not None for path in (layout.SETTINGS, f"{layout.SETTINGS}/")):
            message = f"{shown} is not a regular file: its settings cannot be read"
            raise UsageError(message)
        return Settings()
    record = Record(layout.SETTINGS, data, Accepted())
    if record.fault is not None:
        message = f"{shown} {record.fault.message}"
        if _has_both_accepts(data):
            message += "; TOML cannot hold [accept] and [[accept]] in one file: write [[accept]] for both"
        raise UsageError(message)
    _refuse_unknown(record.members, shown)
    tables = record.members.get("accept", [])
    entries: list[dict[str, object]] = [tables] if isinstance(tables, dict) else tables  # type: ignore[assignment]
    values: dict[str, set[str]] = {}
    version = 2
    instances = []
    for entry in entries:
        if "code" in entry:
            check_code(str(entry["code"]), f"{shown}, [[accept]]")
            instances.append(AcceptedInstance(**{key: str(value) for key, value in entry.items()}))
            continue
        for key, value in entry.items():
            if key == "schema-version":
                version = max(version, int(value))  # type: ignore[call-overload]
            else:
                values.setdefault(key, set()).update(value)  # type: ignore[arg-type]
    severity = record.members.get("severity", {})
    for code in severity:  # type: ignore[attr-defined]
        check_code(code, f"{shown}, [severity]")
    limits: dict[str, int] = record.members.get("limits", {})  # type: ignore[assignment]
    accepted = Accepted(
        {key: frozenset(found) for key, found in values.items()},
        version,
        depth=limits.get("depth", MAX_DEPTH),
        record_bytes=limits.get("record-bytes", MAX_RECORD_BYTES),
        log_bytes=limits.get("log-bytes", MAX_LOG_BYTES),
    )
    return Settings(dict(severity), accepted, tuple(instances), limits.get("seconds"))  # type: ignore[call-overload]


def _has_both_accepts(data: object) -> bool:
    if not isinstance(data, bytes):
        return False
    lines = {line.split(b"#")[0].strip() for line in data.splitlines()}
    return {b"[accept]", b"[[accept]]"} <= lines


def _refuse_unknown(document: dict[str, object], shown: str) -> None:
    from jit_hooks import schemas

    for pointer, message in schemas.violations("hooks", document):
        where = f"{shown}, {pointer}" if pointer else shown
        text = f"{where}: {message}{_nearest(pointer)}"
        raise UsageError(text)


_KEYS = (
    "severity",
    "accept",
    "limits",
    "code",
    "record",
    "reason",
    "subject",
    "event-types",
    "states",
    "priorities",
    "schema-version",
    "run-statuses",
    "gate-statuses",
    "stages",
    "modes",
    "checker-types",
    "claim-operations",
    "content-formats",
    "asset-types",
    "run-origins",
    "profile-origins",
    "stances",
    "target-kinds",
    "depth",
    "record-bytes",
    "log-bytes",
    "seconds",
)


def _nearest(pointer: str) -> str:
    """The nearest known name to the member that a pointer ends with."""
    name = pointer.rpartition("/")[2]
    near = get_close_matches(name, [*_KEYS, *BY_CODE], 1)
    return f"; did you mean `{near[0]}`?" if near and near[0] != name else ""
