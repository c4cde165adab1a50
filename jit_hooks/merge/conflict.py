"""The form of a conflict in a JSON record: ordinary markers around whole members, written and read back.

The file never parses, so the tracker cannot load it and cannot overwrite it. Every choice of alternatives, one
per hunk, parses. Source: sections 4.1 and 4.2 of the merge semantics.
"""

from __future__ import annotations

from jit_hooks.merge.register import choose, is_open
from jit_hooks.merge.values import ABSENT
from jit_hooks.store.canonical import DECLARED, canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS, BASE, MIDDLE, THEIRS = b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"

UNFINISHED = OURS + b" this merge did not finish: both sides are in the git index\n"
"""The line a driver puts into the file before it decides, so that a killed one leaves no side alone."""

_ALWAYS_CLOSED = ("updated_at", "id", "run_id", "schema_version", "all_ids")
"""Members that no merge leaves open; one of them ends the document, for the last member has no comma."""


def write_conflict(
    kind: str,
    tree: Mapping[str, object],
    labels: tuple[str, str] = ("ours", "theirs"),
    *,
    sorted_members: bool,
) -> bytes | None:
    """The canonical document with every top-level member that holds something open shown three times.

    In ``gates.json`` the unit is one gate. None when no closed member can end the document.
    """
    writer = _Writer(kind, labels, sorted_members=sorted_members)
    order = writer.order(tree)
    if kind == "gates-json" and type(tree.get("gates")) is dict:
        return _write_gates(writer, tree, [name for name in order if name != "gates"])
    ordered = _with_closed_end(tree, order)
    if ordered is None:
        return None
    return b"{\n" + b"".join(writer.hunk((), name, tree[name], name != ordered[-1]) for name in ordered) + b"}"


def _write_gates(writer: _Writer, tree: Mapping[str, object], others: list[str]) -> bytes:
    """A registry: ``gates`` comes last, and is shown whole only when each gate in it is open."""
    gates = tree["gates"]
    assert type(gates) is dict
    before = b"".join(writer.hunk((), name, tree[name], True) for name in others)  # noqa: FBT003
    ordered = _with_closed_end(gates, sorted(gates) if writer.sorted_members else list(gates))
    if ordered is None:
        return b"{\n" + before + writer.hunk((), "gates", gates, False) + b"}"  # noqa: FBT003
    hunks = b"".join(writer.hunk(("gates",), name, gates[name], name != ordered[-1]) for name in ordered)
    return b"{\n" + before + b'  "gates": {\n' + hunks + b"  }\n}"


def _with_closed_end(tree: Mapping[str, object], order: list[str]) -> list[str] | None:
    """The order with a closed member last, for the last has no comma; None when all are open."""
    if order and not is_open(tree[order[-1]]):
        return order
    closed = [name for name in _ALWAYS_CLOSED if name in tree and not is_open(tree[name])]
    closed.extend(name for name in reversed(order) if not is_open(tree[name]))
    if not closed:
        return None
    return [name for name in order if name != closed[0]] + [closed[0]]


class _Writer:
    """Writes single members as the canonical document of their kind has them."""

    __slots__ = ("kind", "labels", "sorted_members")

    def __init__(self, kind: str, labels: tuple[str, str], *, sorted_members: bool) -> None:
        self.kind = kind
        self.labels = labels
        self.sorted_members = sorted_members

    def order(self, tree: Mapping[str, object]) -> list[str]:
        """The names of the members as the canonical document orders them."""
        if self.sorted_members:
            return sorted(tree)
        names = DECLARED[self.kind][0] if self.kind in DECLARED else ()
        return [name for name in names if name in tree] + [name for name in tree if name not in names]

    def hunk(self, above: tuple[str, ...], name: str, value: object, comma: bool) -> bytes:  # noqa: FBT001
        """The lines of one member; three times between markers when something in it is open."""
        if not is_open(value):
            return self.lines(above, name, value, comma)
        ours, base, theirs = (
            self.lines(above, name, choose(value, which), comma) for which in ("ours", "base", "theirs")
        )
        return b"".join(
            (
                _marker(OURS, self.labels[0], name),
                ours,
                _marker(BASE, "base", name),
                base,
                MIDDLE + b"\n",
                theirs,
                _marker(THEIRS, self.labels[1], name),
            )
        )

    def lines(self, above: tuple[str, ...], name: str, value: object, comma: bool) -> bytes:  # noqa: FBT001
        """One member, whole lines with the comma; nothing when it is absent."""
        if value is ABSENT:
            return b""
        document: dict[str, object] = {name: value}
        for outer in reversed(above):
            document = {outer: document}
        lines = canonical(self.kind, document, sorted_members=self.sorted_members).split(b"\n")
        depth = len(above) + 1
        return b"\n".join(lines[depth:-depth]) + (b",\n" if comma else b"\n")


def _marker(mark: bytes, side: str, name: str) -> bytes:
    """A marker line; its label ends in the member, on one line."""
    label = name.replace("\n", "\\n").replace("\r", "\\r")
    return b"%s %s: %s\n" % (mark, side.encode(), label.encode("utf-8"))


def write_whole(reason: str, base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """The three inputs as they are, between markers, for a file that cannot be merged by its members."""
    said = "".join(character if character.isprintable() else "?" for character in reason).encode("utf-8", "replace")
    return b"".join(
        (
            OURS + b" ours: not merged: " + said + b"\n",
            _ended(ours),
            BASE + b" base\n",
            _ended(base),
            MIDDLE + b"\n",
            _ended(theirs),
            THEIRS + b" theirs\n",
        )
    )


def _ended(data: bytes) -> bytes:
    return data if data.endswith(b"\n") or not data else data + b"\n"


def is_marker(line: bytes) -> bool:
    """True if a line begins as a marker of a conflict does."""
    return line.startswith((OURS, BASE, MIDDLE, THEIRS))


def read_conflict(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The documents of a file in conflict form: with every hunk as ours, as the base, and as theirs.

    None when the bytes hold no complete hunks with a base, of this form or of git's ``diff3``.
    """
    texts: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    inside, seen = -1, 0
    for line in _whole_lines(data):
        if not is_marker(line):
            for side in (inside,) if inside >= 0 else (0, 1, 2):
                texts[side].append(line)
            continue
        expected = (OURS, BASE, MIDDLE, THEIRS)[inside + 1]
        if not line.startswith(expected):
            return None
        seen += 1
        inside = -1 if inside == 2 else inside + 1
    if inside >= 0 or not seen:
        return None
    ours, base, theirs = (b"".join(text) for text in texts)
    return ours, base, theirs


def _whole_lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end
