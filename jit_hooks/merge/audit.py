"""A merge held against all its parents and all their merge bases, atom by atom.

An atom is changed by a parent when it differs from every base. What one parent alone changed nobody had to
choose, so its absence from the result proves a loss; where both changed it any choice is a person's, and legal.
The same question is asked of a rewritten commit: base is the old commit's parent, the parents are the new one's
parent and the old commit. Source: section 6 of the merge semantics.
"""

from __future__ import annotations

from jit_hooks.merge.atoms import atoms, is_under
from jit_hooks.merge.log import by_name, common_start, elements_of
from jit_hooks.merge.merging import KINDS, MERGED, NOT_MERGED, merge
from jit_hooks.merge.values import read_values
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from jit_hooks.merge.atoms import Atoms, Pointer
    from jit_hooks.merge.log import Variants
    from jit_hooks.store.store import Store

ATOMIC = frozenset(("issue", "index", "run", "gates-json", "gates-toml"))
"""Kinds of file that are compared atom by atom; the log is compared by events, all else as a whole."""

DERIVED = frozenset(("ready", "backlog"))
"""States that the tracker computes from dependencies."""

SAVE_STAMP = ("updated_at",)

MERGED_SIDES = tuple(f"the {which} parent" for which in ("first", "second", "third", "fourth"))
REPLAYED = "what is here already", "the commit being applied"
"""What to call the parents: those of a merge commit, and the two sides while a commit is replayed."""


class Change:
    """An atom of the result that needs a word.

    Attributes:
        pointer: which atom; empty for a whole file.
        parent: the number of the parent whose change it is, or -1.
    """

    __slots__ = ("parent", "pointer")

    def __init__(self, pointer: Pointer, parent: int = -1) -> None:
        self.pointer = pointer
        self.parent = parent


class Verdict:
    """What an audit found in one file: atoms lost, atoms both parents changed that are as before, atoms of nobody."""

    __slots__ = ("dropped", "lost", "own")

    def __init__(self) -> None:
        self.lost: list[Change] = []
        self.dropped: list[Change] = []
        self.own: list[Change] = []


class Audit:
    """The result of one merge with its parents and all their merge bases.

    Args:
        result: the store the merge made.
        parents: the stores of its parents, first parent first; two or more.
        bases: the stores of all merge bases; none for unrelated histories.
        paths: store paths in which the result differs from any parent.
        sides: what to call the parents; of ``REPLAYED`` only some files are known, so none is thrown away whole.
    """

    def __init__(
        self,
        result: Store,
        parents: tuple[Store, ...],
        bases: tuple[Store, ...],
        paths: Iterable[str],
        *,
        sides: tuple[str, ...] = MERGED_SIDES,
    ) -> None:
        self.result = result
        self.parents = parents
        self.bases = bases
        self.paths = sorted(paths)
        self._verdicts: dict[str, Verdict] = {}
        self._logs: list[dict[bytes, Variants]] | None = None
        self._sides = sides
        self._discarded: tuple[int, str] | None = (-1, "") if sides is REPLAYED else None

    def side(self, number: int) -> str:
        """The name that a message gives a parent."""
        return self._sides[number] if number < len(self._sides) else f"the {number + 1}th parent"

    def of_kind(self, kind: str) -> Iterator[str]:
        """The paths of one kind."""
        return (path for path in self.paths if layout.kind_of(path) == kind)

    def verdict(self, path: str) -> Verdict:
        """The faults of the merge of one file."""
        found = self._verdicts.get(path)
        if found is None:
            found = self._verdicts[path] = Verdict()
            kind = layout.kind_of(path)
            if kind in ATOMIC:
                self._judge_atoms(kind, path, found)
            elif kind == "log":
                self._judge_log(found)
            elif kind in layout.TEXT_KINDS:
                self._judge_text(path, found)
        return found

    @property
    def discarded(self) -> tuple[int, str]:
        """The parent whose whole work is not in the result, and a path that proves it; (-1, "") when none is."""
        if self._discarded is None:
            self._discarded = self._find_discarded()
        return self._discarded

    def _find_discarded(self) -> tuple[int, str]:
        for kept, parent in enumerate(self.parents):
            # Not the settings: they may hold the permission for just this.
            paths = [path for path in self.paths if path != layout.SETTINGS]
            if any(data_of(self.result, path) != data_of(parent, path) for path in paths):
                continue
            for number in range(len(self.parents)):
                proof = "" if number == kept else self._proof_of_loss(kept, number)
                if proof:
                    return number, proof
        return -1, ""

    def _proof_of_loss(self, kept: int, number: int) -> str:
        """A path at which another parent's work is lost, now that the result is the parent kept."""
        for path in self.paths:
            data = data_of(self.parents[number], path)
            if data == data_of(self.result, path) or any(data == data_of(base, path) for base in self.bases):
                continue
            if self._is_lost(kept, number, path, data):
                return path
        return ""

    def _is_lost(self, kept: int, number: int, path: str, data: bytes | None) -> bool:
        if layout.kind_of(path) == "log":
            logs = self.logs()
            result, parent, bases = logs[0], logs[number + 1], logs[len(self.parents) + 1 :]
            if any(name not in result and not any(name in base for base in bases) for name in parent):
                return True
        ours = data_of(self.parents[kept], path)
        if data is None or ours is None:
            return any(ours == data_of(base, path) for base in self.bases) or not self.bases
        return any(change.parent == number for change in self.verdict(path).lost)

    def _is_added(self, path: str) -> bool:
        return all(data_of(base, path) is None for base in self.bases)

    def _judge_atoms(self, kind: str, path: str, found: Verdict) -> None:
        data = data_of(self.result, path)
        result = atoms_in(self.result, path)
        if data is None or result is None:
            return  # that a file is gone, or does not parse, is told by other codes
        bases = [atoms_in(base, path) for base in self.bases]
        voters = [
            (number, atoms_in(parent, path))
            for number, parent in enumerate(self.parents)
            if data_of(parent, path) is not None or self._is_added(path)
        ]
        if not voters or all(data_of(self.parents[number], path) is None for number, _ in voters):
            found.own.append(Change(()))
            return
        known_bases = [base for base in bases if base is not None]
        versions = {number: version for number, version in voters if version is not None}
        if len(versions) < len(voters) or len(known_bases) < len(bases):
            return
        sure = _Merged(self, kind, path, data)
        if not sure.is_result:
            settled = _Settled(self, kind)
            _compare(result, versions, known_bases or [{}], sure, settled, found)

    def _judge_text(self, path: str, found: Verdict) -> None:
        """A file merged as text: all that is sure is when one parent alone changed it and the result is the other's."""
        data, theirs = data_of(self.result, path), [data_of(parent, path) for parent in self.parents]
        before = [data_of(base, path) for base in self.bases]
        changed = [number for number, version in enumerate(theirs) if version not in before]
        if before and len(changed) == 1 and data in before and data != theirs[changed[0]] and data in theirs:
            found.lost.append(Change((), changed[0]))

    def logs(self) -> list[dict[bytes, Variants]]:
        """The events by name of result, parents and bases, after what all these logs begin with."""
        if self._logs is None:
            stores = (self.result, *self.parents, *self.bases)
            datas = [data_of(store, layout.LOG) or b"" for store in stores]
            start = common_start(datas[0], *datas[1:])
            self._logs = [by_name(elements_of(data[start:])) for data in datas]
        return self._logs

    def _judge_log(self, found: Verdict) -> None:
        """Events that one parent alone rewrote and the result has as before; lost lines are told by `event-lost`."""
        result, *versions = self.logs()
        parents, bases = versions[: len(self.parents)], versions[len(self.parents) :]
        for name, variants in result.items():
            before = [base[name].keys() for base in bases if name in base]
            if not before or any(type(value) is bytes for value in variants):
                continue
            changed = [
                number for number, parent in enumerate(parents) if name in parent and parent[name].keys() not in before
            ]
            if len(changed) == 1 and variants.keys() in before:
                found.lost.append(Change((name.decode("utf-8", "replace"),), changed[0]))


class _Merged:
    """What the one merge function makes of the parents of a two-parent merge, from each base.

    Attributes:
        is_result: whether the result is that merge, byte for byte; then there is nothing to look for.
        opened: pointers it leaves to a person, from any base.
        values: the atoms it decided, from every base.
    """

    def __init__(self, audit: Audit, kind: str, path: str, result: bytes) -> None:
        self.is_result = False
        self.opened: list[Pointer] = []
        self.values: list[Atoms] = []
        sides = [data_of(parent, path) for parent in audit.parents]
        if kind not in KINDS or len(sides) != 2 or sides[0] is None or sides[1] is None:
            return
        name = layout.issue_id_of(path) if kind == "issue" else layout.run_id_of(path) if kind == "run" else ""
        for base in [data_of(base, path) for base in audit.bases] or [None]:
            found = merge(kind, base, sides[0], sides[1], name=name)
            if found.status == NOT_MERGED or found.reason:
                continue
            self.opened.extend(conflict.pointer for conflict in found.conflicts)
            if found.status == MERGED:
                self.is_result = self.is_result or found.document == result
                self.values.append(atoms(kind, read_values(found.document)[0]))

    def leaves_open(self, pointer: Pointer) -> bool:
        """True if a person had to choose here."""
        return any(is_under(pointer, opened) for opened in self.opened) or (
            pointer[0] == "gates_required" and ("gates_status", *pointer[1:]) in self.opened
        )

    def decides(self, pointer: Pointer, value: Hashable) -> bool:
        """True if a declared rule gives this value."""
        return any(decided.get(pointer) == value for decided in self.values)


class _Settled:
    """Differences by which whoever merges makes the store whole again, where no line of either side was wrong.

    An edge to an issue, or the requirement of a gate, that the other side removed has to go; and of `ready` and
    `backlog` the tracker computes which it is (rule S3).
    """

    def __init__(self, audit: Audit, kind: str) -> None:
        self.result = audit.result
        self.before = (*audit.parents, *audit.bases)
        self.kind = kind

    def covers(self, pointer: Pointer, values: Iterable[Hashable]) -> bool:
        """True if this atom of an issue differs for such a reason."""
        if self.kind != "issue":
            return False
        if pointer == ("state",):
            return DERIVED.issuperset(values)
        if pointer[0] == "dependencies":
            return not self.result.has_issue(pointer[1]) and any(one.has_issue(pointer[1]) for one in self.before)
        if pointer[0] not in ("gates_required", "gates_status") or self.result.gate_keys is None:
            return False
        key = pointer[1]
        return key not in self.result.gate_keys and any(key in (one.gate_keys or ()) for one in self.before)


def _compare(
    result: Atoms,
    parents: Mapping[int, Atoms],
    bases: list[Atoms],
    sure: _Merged,
    settled: _Settled,
    found: Verdict,
) -> None:
    pointers = dict.fromkeys(pointer for version in (result, *parents.values(), *bases) for pointer in version)
    for pointer in pointers:
        if _has_its_own_code(pointer, settled.kind):
            continue
        value = result.get(pointer)
        before = [base.get(pointer) for base in bases]
        changed = {number: side.get(pointer) for number, side in parents.items() if side.get(pointer) not in before}
        values = set(changed.values())
        if value in values or sure.decides(pointer, value) or settled.covers(pointer, (value, *values)):
            continue
        if len(values) > 1:  # both sides changed it, and the result has neither
            if value in before:
                found.dropped.append(Change(pointer))
        elif changed and sure.leaves_open(pointer):
            continue
        elif changed and not _is_later(pointer, value, values):
            found.lost.append(Change(pointer, min(changed)))
        elif all(side.get(pointer) != value for side in parents.values()):
            found.own.append(Change(pointer))


def _has_its_own_code(pointer: Pointer, kind: str) -> bool:
    """True if an atom is none of this audit's: a save stamp carries no decision, lives of ids have their own codes."""
    return pointer == SAVE_STAMP or (kind == "index" and pointer[0] == "ids")


def _is_later(pointer: Pointer, value: Hashable, changed: set[Hashable]) -> bool:
    """True if the result holds a verdict newer than the one a parent brought: somebody judged the gate again."""
    times = [_moment(found) for found in (value, *changed)]
    return pointer[0] == "gates_status" and all(times) and times[0] > max(times[1:])


def _moment(entry: Hashable) -> str:
    """The instant in the key of a gate's status (``issue.GATE_STATUS``)."""
    told = dict(entry[1]).get("updated_at") if type(entry) is tuple and entry[0] == "{" else None
    return str(told[1]) if type(told) is tuple else ""


def data_of(store: Store, path: str) -> bytes | None:
    """The bytes of a file; None when it is absent or too large to read."""
    data = store.snapshot.read(path)
    return data if type(data) is bytes else None


def atoms_in(store: Store, path: str) -> Atoms | None:
    """The atoms of a file of an atomic kind: none when it is absent, None when it does not parse."""
    kind, data = layout.kind_of(path), data_of(store, path)
    if data is None:
        return {}
    if kind in layout.TOML_KINDS:
        record = store.record(path)
        return atoms(kind, record.document) if record is not None and record.fault is None else None
    document, fault = read_values(data)
    return atoms(kind, document) if fault is None else None
