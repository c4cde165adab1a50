"""The bytes a tracker writes for a record: its exact layout, in either order of members.

Pretty JSON, two spaces, raw UTF-8, no final newline. June's tracker (to June 2026) writes members in the order
its types declare them and maps in any order; v1 sorts every object. Schemas of a store are sorted and end in a
newline. Source: `serde_json`'s pretty printer, tried against 238 files of the tracker.
"""

from __future__ import annotations

try:  # as `json.encoder` does; the package itself needs `re`, the dearest module here
    from _json import encode_basestring
except ImportError:
    from json.encoder import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Shape = tuple[tuple[str, ...], Mapping[str, "Shape"]]

MAP = "*"
"""Stands for every member of a map; the elements of a list have the shape of the list itself."""

_FREE: Shape = ((), {})

_CHECKER: Shape = (
    (
        "type", "command", "timeout_seconds", "working_dir", "env", "pass_context", "prompt", "prompt_file",
    ),
    {},
)  # fmt: skip
_GATE: Shape = (
    (
        "version", "key", "title", "description", "stage", "mode", "checker", "priority", "reserved", "auto",
        "example_integration",
    ),
    {"checker": _CHECKER},
)  # fmt: skip
_ASSET: Shape = (
    ("original_path", "resolved_path", "asset_type", "mime_type", "content_hash", "is_shared"),
    {},
)
_DOCUMENT: Shape = (("path", "commit", "label", "doc_type", "format", "assets"), {"assets": _ASSET})
_FINDING: Shape = (
    ("id", "severity", "summary", "disposition", "origin", "file", "line", "references"),
    {},
)

DECLARED: dict[str, Shape] = {
    "issue": (
        (
            "id", "title", "description", "state", "priority", "assignee", "dependencies", "gates_required",
            "gates_status", "context", "documents", "labels", "content_format", "created_at", "updated_at",
            "first_ready_at", "claimed_at", "done_at", "archived_from",
        ),
        {"gates_status": ((), {MAP: (("status", "updated_by", "updated_at"), {})}), "documents": _DOCUMENT},
    ),
    "index": (("schema_version", "all_ids", "deleted_ids"), {}),
    "run": (
        (
            "schema_version", "run_id", "gate_key", "stage", "issue_id", "commit", "branch", "status",
            "started_at", "completed_at", "duration_ms", "exit_code", "stdout", "stderr", "command", "by",
            "message", "tree_dirty", "findings", "inputs_digest", "origin",
        ),
        {
            "findings": (("verdict", "summary", "findings"), {"findings": _FINDING}),
            "origin": (("derivation", "source_run"), {}),
        },
    ),
    "gates-json": (("gates",), {"gates": ((), {MAP: _GATE})}),
    "preset": (("name", "description", "gates"), {"gates": (_GATE[0][1:7], {"checker": _CHECKER})}),
}  # fmt: skip
"""June's order of members by record kind; those since July 2026 follow. An object without names is a map."""

quoted: Callable[[str], str] = encode_basestring
"""A text as the trackers write it: in quotes, with as few escapes as there can be."""

_OTHER_ESCAPE = rb'\\(?!["\\btnfr]|u00(?:0[0-7bef]|1[0-9a-f]))'
"""A backslash that begins no escape the tracker makes, or the second one of an escaped backslash."""


def is_canonical(kind: str, document: object, data: bytes) -> bool:
    """True if the bytes are what a tracker writes for this document, in either order of members.

    ``document`` is what the bytes parse to. Strings are not written again, which would cost more than all the
    rest: pretty JSON has a string on one line, so that line only has to begin and end right, and all escapes of
    a record are looked at together.
    """
    if type(document) is not dict or not _has_plain_escapes(data):
        return False
    if kind == "schema":
        if not data.endswith(b"\n"):
            return False
        data = data[:-1]
    lines = iter(data.split(b"\n"))
    if not _follows_value(document, next(lines), 0, lines, "", b"") or next(lines, None) is not None:
        return False
    return is_sorted(document) or (kind in DECLARED and _is_declared(document, DECLARED[kind]))


def _has_other_escape(data: bytes) -> bool:
    import re

    return re.search(_OTHER_ESCAPE, data) is not None


def _has_plain_escapes(data: bytes) -> bool:
    """True if every escape is one the tracker makes, in its spelling."""
    if b"\\" not in data or not _has_other_escape(data):
        return True
    return not _has_other_escape(data.replace(b"\\\\", b""))


_STRINGS = frozenset((str,))

_beginnings: dict[tuple[tuple[str, ...], str], tuple[list[bytes], list[bytes]]] = {}


def _beginnings_of(names: tuple[str, ...], inner: str) -> tuple[list[bytes], list[bytes]]:
    """How the lines of an object's members begin; the second list for all but the last, when they are strings."""
    found = _beginnings.get((names, inner))
    if found is None:
        begins = [f"{inner}{quoted(name)}: ".encode() for name in names]
        found = begins, [begin + b'"' for begin in begins[:-1]]
        if len(_beginnings) < 256 and len(names) > 3:
            _beginnings[names, inner] = found
    return found


def _follows_value(value: object, line: bytes, skip: int, lines: Iterator[bytes], indent: str, comma: bytes) -> bool:
    """True if a value stands in ``line`` after ``skip`` bytes, and in the lines that follow, as it should."""
    rest = line[skip:]
    if type(value) is str:
        return rest.startswith(b'"') and rest.endswith(b'"' + comma)
    if type(value) is dict:
        if not value:
            return rest == b"{}" + comma
        return (
            rest == b"{"
            and _follows_object(value, lines, indent)
            and next(lines, b"")
            == b"%s}%s"
            % (
                indent.encode(),
                comma,
            )
        )
    if type(value) is list:
        if not value:
            return rest == b"[]" + comma
        return (
            rest == b"["
            and _follows_list(value, lines, indent)
            and next(lines, b"")
            == b"%s]%s"
            % (
                indent.encode(),
                comma,
            )
        )
    return rest == _scalar(value, rest) + comma


def _follows_object(document: dict[str, object], lines: Iterator[bytes], indent: str) -> bool:
    inner = indent + "  "
    begins, openings = _beginnings_of(tuple(document), inner)
    members = iter(document.values())
    for opening, begin, member, line in zip(openings, begins, members, lines, strict=False):
        if type(member) is str:
            if not (line.startswith(opening) and line.endswith(b'",')):
                return False
        elif member is None:
            if line != begin + b"null,":
                return False
        elif type(member) is int:
            if line != b"%b%d," % (begin, member):
                return False
        elif not line.startswith(begin) or not _follows_value(member, line, len(begin), lines, inner, b","):
            return False
    member, line = next(members, None), next(lines, b"")
    return line.startswith(begins[-1]) and _follows_value(member, line, len(begins[-1]), lines, inner, b"")


def _follows_list(items: list[object], lines: Iterator[bytes], indent: str) -> bool:
    inner = indent + "  "
    begin, last = inner.encode(), len(items) - 1
    if _STRINGS.issuperset(map(type, items)):
        begin += b'"'
        for _, line in zip(range(last), lines, strict=False):
            if not (line.startswith(begin) and line.endswith(b'",')):
                return False
        line = next(lines, b"")
        return line.startswith(begin) and line.endswith(b'"')
    for position, item in enumerate(items):
        line = next(lines, b"")
        comma = b"," if position < last else b""
        if not line.startswith(begin) or not _follows_value(item, line, len(begin), lines, inner, comma):
            return False
    return True


def _scalar(value: object, rest: bytes) -> bytes:
    """How a number, a truth value or null is written; a fraction keeps its spelling."""
    if value is None:
        return b"null"
    if type(value) is bool:
        return b"true" if value else b"false"
    return rest.removesuffix(b",") if type(value) is float else str(value).encode()


def is_sorted(document: object) -> bool:
    """True if every object at every depth has its members in the order of their names."""
    if type(document) is dict:
        names = list(document)
        return names == sorted(names) and all(
            is_sorted(value) for value in document.values() if type(value) is dict or type(value) is list
        )
    return type(document) is not list or all(
        is_sorted(value) for value in document if type(value) is dict or type(value) is list
    )


def _is_declared(document: object, shape: Shape) -> bool:
    """True if known members come in declared order, unknown ones after them; maps and free values as they like."""
    if type(document) is list:
        return all(_is_declared(item, shape) for item in document if type(item) is dict)
    if type(document) is not dict:
        return True
    names, inside = shape
    if names and not _is_in_order(tuple(document), names):
        return False
    if MAP in inside:
        return all(_is_declared(value, inside[MAP]) for value in document.values())
    return all(_is_declared(document.get(name), below) for name, below in inside.items())


_orders: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}


def _is_in_order(members: tuple[str, ...], names: tuple[str, ...]) -> bool:
    found = _orders.get((members, names))
    if found is None:
        found = list(members) == in_order(members, names)
        if len(_orders) < 256:
            _orders[members, names] = found
    return found


def in_order(members: Iterable[str], names: tuple[str, ...]) -> list[str]:
    """Members in the order of these names, others after them as they come."""
    there = dict.fromkeys(members)
    return [name for name in names if name in there] + [name for name in there if name not in names]


def canonical(kind: str, document: object, *, sorted_members: bool) -> bytes:
    """The bytes a tracker writes for a document: with every object sorted, or in declared order.

    In declared order maps, unknown members and unknown objects keep the order they have.
    """
    parts: list[str] = []
    if sorted_members or kind == "schema":
        _write(document, "", parts, None)
    else:
        _write(document, "", parts, DECLARED.get(kind, _FREE))
    return ("".join(parts) + ("\n" if kind == "schema" else "")).encode("utf-8")


def _write(value: object, indent: str, parts: list[str], shape: Shape | None) -> None:
    inner = indent + "  "
    if type(value) is dict:
        if not value:
            parts.append("{}")
            return
        names, inside = shape if shape is not None else _FREE
        order = sorted(value) if shape is None else in_order(value, names)
        lead = "{\n"
        for name in order:
            parts.append(f"{lead}{inner}{quoted(name)}: ")
            below = None if shape is None else inside.get(name) or inside.get(MAP) or _FREE
            _write(value[name], inner, parts, below)
            lead = ",\n"
        parts.append(f"\n{indent}}}")
    elif type(value) is list:
        lead = "[\n"
        for item in value:
            parts.append(f"{lead}{inner}")
            _write(item, inner, parts, shape)
            lead = ",\n"
        parts.append(f"\n{indent}]" if value else "[]")
    elif type(value) is str:
        parts.append(quoted(value))
    elif type(value) is float:
        parts.append(repr(value))
    else:
        parts.append(_scalar(value, b"").decode())
