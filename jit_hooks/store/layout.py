"""Which file of a store is what: the only place that knows path names.

Paths are store paths: relative to the store's directory, ``/`` between parts. What lies beside the store
but belongs to the tracker carries a leading ``../``; what lies in the control plane, a leading ``control:``; what lies
at the top of the worktree, where that is another directory, a leading ``top:``.
Source: the tracker's ``storage/json.rs``, ``worktree_paths.rs`` and ``path.rs``.
"""

from __future__ import annotations

USUAL_STORE = ".jit/"
"""Where a store usually lies, from the top of a worktree."""

INDEX = "index.json"
LOG = "events.jsonl"
LOG_BACKUP = "events.jsonl.bak"
GATES_JSON = "gates.json"
GATES_TOML = "gates.toml"
CONFIG = "config.toml"
RULES = "rules.toml"
TEMPLATES = "templates.toml"
INVARIANTS = "invariants.toml"
SETTINGS = "hooks.toml"

ISSUES = "issues/"
RUNS = "gate-runs/"
CORRUPT_RUNS = "gate-runs-corrupt/"
PRESETS = "config/gate-presets/"
PROFILES = "profiles/"
SCHEMAS = "schemas/"
TRANSACTIONS = "tmp/transactions/"

BESIDE = (".jit-bootstrap", "jit-stage-", "cleanup-jit-stage-", ".merge_file_")
"""How the names begin that the tracker and git leave in the directory that holds the store."""

TOP = "top:"
"""How paths at the top of the worktree begin, where the store does not lie there; as in plans."""

CONTROL = "control:"
"""How paths of the control plane begin, ``<git common dir>/jit/``, which all worktrees share; as in plans."""

CLAIMS = "control:claims.jsonl"
CLAIMS_ASIDE = "control:claims.jsonl.bak"
CLAIMS_INDEX = "control:claims.index.json"
CLAIMS_TEMP = "control:claims.index.tmp"
CLAIMS_LOCK = "control:locks/claims.lock"

_FIXED = {
    INDEX: "index",
    LOG: "log",
    GATES_JSON: "gates-json",
    GATES_TOML: "gates-toml",
    CONFIG: "config",
    RULES: "rules",
    TEMPLATES: "templates",
    INVARIANTS: "invariants",
    SETTINGS: "settings",
    "worktree.json": "machine",
    "server.pid.json": "machine",
    "server.log": "machine",
}

RECORD_KINDS = frozenset(("issue", "index", "log", "run", "gates-json", "gates-toml", "preset", "profile"))
"""Kinds that hold tracker records; the rest is configuration, machine state or unknown."""

TEXT_KINDS = RECORD_KINDS | {"config", "rules", "templates", "invariants", "schema", "settings"}
"""Kinds whose content is read."""

TOML_KINDS = frozenset(("gates-toml", "config", "rules", "templates", "invariants", "settings"))

MAX_DEPTH = 128
MAX_RECORD_BYTES = 64 * 1024 * 1024
MAX_LOG_BYTES = 1024 * 1024 * 1024
MAX_META_BYTES = 64 * 1024
"""What is read at the most: of a document, of one record, of a log, of the metadata of a lock."""

HEX = frozenset("0123456789abcdef")


def kind_of(path: str) -> str:
    """The kind of a store path: a kind of record or of configuration, ``temp``, ``lock``, ``machine``, ``other`` ..."""
    if path.endswith("/result.json") and path.startswith(RUNS) and path.count("/") == 2:
        return "run"
    if path.startswith(ISSUES) and path.endswith(".json") and path.count("/") == 1 and path[len(ISSUES)] != ".":
        return "issue"
    return _FIXED.get(path) or _other_kind(path)


def _other_kind(path: str) -> str:
    if path.startswith(("../", TOP)):
        return _beside_kind(path.removeprefix("../").removeprefix(TOP))
    if path.startswith(CONTROL):
        return _control_kind(path)
    if path.startswith(TRANSACTIONS):
        return "transaction"
    name = path.rsplit("/", 1)[-1]
    if name.endswith(".lock.meta"):
        return "machine"
    if name.endswith(".lock"):
        return "lock"
    if is_temp(name) or path.startswith("tmp/"):
        return "temp"
    if path.startswith(RUNS) and path.count("/") >= 2:
        return "run-stray"
    if name.startswith(".") or not path.endswith(".json"):
        return "other"
    if path.startswith(PRESETS) and path.count("/") == 2:
        return "preset"
    if path.startswith(PROFILES) and path.count("/") == 1:
        return "profile"
    if path.startswith(SCHEMAS):
        return "schema"
    return "other"


def _beside_kind(name: str) -> str:
    if name == ".jit-bootstrap.lock":
        return "lock"
    if name.startswith(".merge_file_"):
        return "temp"
    if name.startswith((".jit-bootstrap/", "jit-stage-", "cleanup-jit-stage-")):
        return "transaction"
    return "other"


def _control_kind(path: str) -> str:
    if path == CLAIMS:
        return "claims"
    if path == CLAIMS_INDEX:
        return "claims-index"
    return "control-meta" if path.endswith(".lock.meta") else "control"


def is_temp(name: str) -> bool:
    """True if a file name is one the tracker, git or this program gives to a write in flight.

    ``.<name>.<pid>.<seq>.tmp``, ``<name>.tmp``, ``.tmp`` and six characters, ``.merge_file_*``.
    """
    if name.endswith(".tmp") or name.startswith(".merge_file_"):
        return True
    return len(name) == 10 and name.startswith(".tmp") and name[4:].isalnum()


def is_uuid4(text: str) -> bool:
    """True if this is a lower-case UUID version 4, the only form of id the tracker makes."""
    return (
        len(text) == 36
        and text[8] == text[13] == text[18] == text[23] == "-"
        and text[14] == "4"
        and text[19] in "89ab"
        and HEX.issuperset(text.replace("-", ""))
        and text.count("-") == 4
    )


def issue_path(issue_id: str) -> str:
    """The path of the issue with this id."""
    return f"{ISSUES}{issue_id}.json"


def issue_id_of(path: str) -> str:
    """The stem of an issue's path; the path must be of kind ``issue``."""
    return path[len(ISSUES) : -len(".json")]


def run_path(run_id: str) -> str:
    """The path of the result of the gate run with this id."""
    return f"{RUNS}{run_id}/result.json"


def run_id_of(path: str) -> str:
    """The directory name of any path below ``gate-runs/``."""
    return path[len(RUNS) :].split("/", 1)[0]
