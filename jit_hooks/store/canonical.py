"""The layout in which the trackers write JSON, and whether bytes have it.

Both eras write two spaces, ``": "``, raw UTF-8, short escapes and no final newline. June's tracker writes members in
the order its code declares, maps in any order; v1's sorts every object. ``json.dumps`` with an indentation is plain
Python and too slow for every record of a full check.
"""

from __future__ import annotations

from json.encoder import encode_basestring

_DECLARED = {
    "issue": (
        "id", "title", "description", "state", "priority", "assignee", "dependencies", "gates_required",
        "gates_status", "context", "documents", "labels", "content_format", "created_at", "updated_at",
        "first_ready_at", "claimed_at", "done_at", "archived_from",
    ),
    "index": ("schema_version", "all_ids", "deleted_ids"),
    "run": (
        "schema_version", "run_id", "gate_key", "stage", "issue_id", "commit", "branch", "tree_dirty", "status",
        "started_at", "completed_at", "duration_ms", "exit_code", "stdout", "stderr", "command", "by", "message",
        "findings", "inputs_digest", "origin",
    ),
    "gates-json": ("gates",),
    "preset": ("name", "description", "gates"),
}  # fmt: skip
"""Members of each kind as June's tracker and the first v1 releases declare them (``domain/types.rs``)."""

_STATUS = ("status", "updated_by", "updated_at")
_DOCUMENT = ("path", "commit", "label", "doc_type", "format", "assets")
_ASSET = ("original_path", "resolved_path", "asset_type", "mime_type", "content_hash", "is_shared")
_GATE = (
    "version", "key", "title", "description", "stage", "mode", "checker", "priority", "reserved", "auto",
    "example_integration", "inputs",
)  # fmt: skip
_CHECKER = (
    "type", "command", "timeout_seconds", "working_dir", "env", "pass_context", "prompt", "prompt_file",
)  # fmt: skip


def is_canonical(kind: str, document: object, data: bytes) -> bool:
    """Whether these bytes are what one of the trackers would write for this document."""
    if pretty(document).encode("utf-8", "surrogatepass") != data:
        return False
    return is_sorted(document) or _is_declared(kind, document)


def canonical(document: object, *, sorted_members: bool) -> bytes:
    """The document as a tracker writes it: sorted as v1's, else in the order it has."""
    return pretty(_sorted(document) if sorted_members else document).encode("utf-8")


def pretty(value: object, pad: str = "") -> str:
    """A document as text, members in the order they have."""
    if type(value) is dict:
        if not value:
            return "{}"
        inner = pad + "  "
        body = f",\n{inner}".join(
            [
                f"{encode_basestring(key)}: {encode_basestring(item) if type(item) is str else pretty(item, inner)}"
                for key, item in value.items()
            ]
        )
        return f"{{\n{inner}{body}\n{pad}}}"
    if type(value) is list:
        if not value:
            return "[]"
        inner = pad + "  "
        body = f",\n{inner}".join(
            [encode_basestring(item) if type(item) is str else pretty(item, inner) for item in value]
        )
        return f"[\n{inner}{body}\n{pad}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if type(value) is str:
        return encode_basestring(value)
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    return repr(value)


def is_sorted(value: object) -> bool:
    """Whether every object of a document has its members in sorted order."""
    if type(value) is dict:
        keys = list(value)
        if keys != sorted(keys):
            return False
        return all(is_sorted(item) for item in value.values() if type(item) is dict or type(item) is list)
    if type(value) is list:
        return all(is_sorted(item) for item in value if type(item) is dict or type(item) is list)
    return True


def _sorted(value: object) -> object:
    if type(value) is dict:
        return {key: _sorted(value[key]) for key in sorted(value)}
    if type(value) is list:
        return [_sorted(item) for item in value]
    return value


def _is_declared(kind: str, document: object) -> bool:
    if type(document) is not dict or not _in_order(document, _DECLARED.get(kind, ())):
        return False
    if kind == "issue":
        return all(_in_order(status, _STATUS) for status in _values(document.get("gates_status"))) and all(
            _in_order(entry, _DOCUMENT) and all(_in_order(asset, _ASSET) for asset in _values(entry.get("assets")))
            for entry in _values(document.get("documents"))
        )
    if kind in ("gates-json", "preset"):
        return all(
            _in_order(gate, _GATE) and _in_order(gate.get("checker"), _CHECKER)
            for gate in _values(document.get("gates"))
        )
    return True


def _values(value: object) -> list[dict[str, object]]:
    found = value.values() if type(value) is dict else value if type(value) is list else ()
    return [item for item in found if type(item) is dict]


def _in_order(value: object, order: tuple[str, ...]) -> bool:
    """Whether the members that are declared stand in the declared order; unknown ones may stand anywhere after."""
    if type(value) is not dict:
        return True
    known = [key for key in value if key in order]
    return known == [key for key in order if key in value] and list(value)[: len(known)] == known
