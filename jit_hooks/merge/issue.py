"""The merge of one issue: a policy for every member, then what the members together may not be.

Source: sections 2.3 and 3.1 of the merge semantics, and section 8 for the members the tracker writes since
July 2026 (v1).
"""

from __future__ import annotations

from jit_hooks.merge.keyed import keyed_list
from jit_hooks.merge.register import (
    BOTH,
    Open,
    Sides,
    Undecided,
    by_key,
    interleave,
    membership,
    presence,
    scalar,
    strings,
    three,
    unknown,
)
from jit_hooks.merge.values import ABSENT, members, nullable, plain, time
from jit_hooks.store.times import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from jit_hooks.merge.facts import Facts
    from jit_hooks.merge.register import Decisions, Pointer
    from jit_hooks.merge.values import Key

    Policy = Callable[[Sides, Pointer, Decisions], object]

DERIVED = frozenset(("backlog", "ready"))
"""States the tracker computes from dependencies (rule S3)."""

GROUP = ("state", "assignee", "archived_from")
"""Members that one decision of a person writes together."""

GATE_STATUS = members({"updated_by": nullable, "updated_at": time})
"""When two entries of ``gates_status`` are equal."""

ASSET_KEYS: Mapping[str, Key] = dict.fromkeys(("resolved_path", "mime_type", "content_hash"), nullable)
DOCUMENT_KEYS: Mapping[str, Key] = dict.fromkeys(("commit", "label", "doc_type", "format"), nullable)


def merge_issue(sides: Sides, decisions: Decisions, facts: Facts) -> dict[str, object]:
    """The merged issue as a tree with ``Open`` where a person must choose.

    Args:
        sides: the issue's objects.
        decisions: takes the conflicts and the notes.
        facts: which label namespaces hold one label at the most.
    """
    orders = [list(value) if type(value) is dict else [] for value in sides.all[:3]]
    merged: dict[str, object] = {}
    for name in dict.fromkeys(name for order in orders for name in order):
        if name != "archived_from":
            merged[name] = _member(name, sides.member(name), decisions, facts)
    state = sides.member("state")
    if "archived_from" in {name for order in orders for name in order}:
        merged["archived_from"] = _archived_from(state, sides.member("archived_from"), merged, decisions)
    legal = _is_legal(sides.ours) and _is_legal(sides.theirs)
    if legal:
        _open_orphaned_statuses(sides, merged, decisions)
    _keep_gates_of_open_statuses(sides, merged)
    if legal:
        _open_done_over_a_gate(sides, merged, decisions)
    _open_the_group(sides, merged, decisions)
    _look_again(sides, merged, decisions)
    keep = {name for name, value in merged.items() if value is not ABSENT}
    return {name: merged[name] for name in interleave(orders[0], orders[1], orders[2], keep)}


def _member(name: str, sides: Sides, decisions: Decisions, facts: Facts) -> object:
    pointer = (name,)
    if name == "labels" and strings(sides.all):
        return _labels(sides, decisions, facts)
    policy = _POLICIES.get(name)
    if policy is None or not all(_fits(name, value) for value in sides.all):
        return unknown(sides, pointer, decisions)
    return policy(sides, pointer, decisions)


def _fits(name: str, value: object) -> bool:
    """True if a member has a type its policy understands; damage and old eras merge as unknown members."""
    if value is ABSENT:
        return True
    if name in ("dependencies", "gates_required"):
        return strings((value,))
    if name in ("gates_status", "context"):
        return type(value) is dict
    if name == "documents":
        return type(value) is list and all(
            type(item) is dict and type(item.get("path")) is str and isinstance(item.get("label"), str | None)
            for item in value
        )
    return type(value) is not dict


def _scalar(key: Key) -> Policy:
    return lambda sides, pointer, decisions: scalar(sides, pointer, decisions, key)


def _state(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    """A register and rule S3: a state the tracker derived gives way to one somebody chose.

    It must not ask for the new dependency that usually goes with a derived state: three branches would then
    conflict in some orders only (law L8).
    """
    found = three(sides)
    if not isinstance(found, Undecided):
        return found
    derived = [state in DERIVED for state in (sides.ours, sides.theirs)]
    if found is BOTH and sides.base in DERIVED and derived[0] != derived[1]:
        stays, gives_way = (sides.theirs, sides.ours) if derived[0] else (sides.ours, sides.theirs)
        decisions.note("S3", pointer, f"{stays} stands; {gives_way} was derived from dependencies")
        return stays
    return decisions.open(pointer, sides, found.name)


def _later_stamp(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    """``updated_at``: a one-sided change as it is, even to an earlier time; of two the later (rule S1)."""
    found = three(sides, time)
    if not isinstance(found, Undecided):
        return found
    later = max((sides.ours, sides.theirs), key=_order_of_times)
    decisions.note("S1", pointer, f"{later} is the later save")
    return later


def _first_occurrence(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    """A time the tracker sets once: of two the earlier (rule S5); what one side alone removed stays.

    June's tracker drops the members it does not know when it saves, so a removal is no decision.
    """

    def key(value: object) -> Hashable:
        return time(None if value is ABSENT else value)

    if (key(sides.ours) is None) != (key(sides.theirs) is None):
        kept = sides.theirs if key(sides.ours) is None else sides.ours
        if sides.is_based and key(sides.base) is not None:
            decisions.note("S5", pointer, f"{kept} stays, though one side no longer has it")
        return kept
    found = three(sides, key)
    if not isinstance(found, Undecided):
        return found
    earlier = min((sides.ours, sides.theirs), key=_order_of_times)
    decisions.note("S5", pointer, f"{earlier} came first")
    return earlier


def _order_of_times(value: object) -> tuple[str, str]:
    """Sorts times by instant; what is none comes first, in the order of its text."""
    moment = instant(value) if type(value) is str else None
    return moment or "", str(value)


def _archived_from(state: Sides, left: Sides, merged: Mapping[str, object], decisions: Decisions) -> object:
    """The state before an issue was archived: it follows the state that wins, and goes unless that is ``archived``."""
    stands = merged.get("state", ABSENT)
    if type(stands) is Open:
        return left.open if nullable(left.ours) != nullable(left.theirs) else three(left, nullable)
    if stands != "archived":
        return ABSENT if ABSENT in (left.ours, left.theirs) else scalar(left, ("archived_from",), decisions)
    archived = state.ours == "archived", state.theirs == "archived"
    if archived[0] != archived[1]:
        return left.ours if archived[0] else left.theirs
    return scalar(left, ("archived_from",), decisions, nullable)


def _string_set(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:  # noqa: ARG001
    """A set that is written as a list: it never conflicts."""
    lists = [value if type(value) is list else [] for value in sides.all[:3]]
    base, ours, theirs = lists
    if ours == theirs or (sides.is_based and base == ours):
        merged = theirs
    elif sides.is_based and base == theirs:
        merged = ours
    else:
        keep = membership(base, ours, theirs, is_based=sides.is_based)
        merged = interleave(_once(base), _once(ours), _once(theirs), keep)
    return presence(sides, list(merged))


def _once(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _gates_status(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    return presence(sides, by_key(sides, pointer, lambda entry, where: _gate_status(entry, where, decisions)))


def _gate_status(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    """One verdict, which moves as a whole: a placeholder gives way, then the later one stands (rule S2)."""
    if not sides.have(dict):
        return unknown(sides, pointer, decisions)
    found = three(sides, GATE_STATUS)
    if not isinstance(found, Undecided):
        return found
    ours, theirs = sides.ours, sides.theirs
    if type(ours) is not dict or type(theirs) is not dict:
        return decisions.open(pointer, sides, "one side removed the gate, the other judged it")
    if found is not BOTH:
        return decisions.open(pointer, sides, found.name)
    if _is_placeholder(ours) != _is_placeholder(theirs):
        stands = theirs if _is_placeholder(ours) else ours
        decisions.note("S2", pointer, f"{_told(stands)} stands; the other side only waits")
        return stands
    times = [_moment(entry) for entry in (ours, theirs)]
    if None in times or times[0] == times[1]:
        return decisions.open(pointer, sides, "two verdicts of one instant")
    stands, gives_way = (ours, theirs) if str(times[0]) > str(times[1]) else (theirs, ours)
    decisions.note("S2", pointer, f"{_told(stands)} is later than {_told(gives_way)}")
    return stands


def _is_placeholder(entry: Mapping[str, object]) -> bool:
    return entry.get("status") == "pending" and entry.get("updated_by") is None


def _moment(entry: Mapping[str, object]) -> str | None:
    at = entry.get("updated_at")
    return instant(at) if type(at) is str else None


def _told(entry: Mapping[str, object]) -> str:
    return f"{entry.get('status')} at {entry.get('updated_at')}"


def _context(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    return presence(sides, by_key(sides, pointer, lambda entry, where: scalar(entry, where, decisions)))


def _documents(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    return keyed_list(sides, pointer, decisions, _document_id, _document_key, _document)


def _document_id(entry: Mapping[str, object]) -> tuple[str, ...]:
    """One path under two labels is two documents."""
    path, label = entry.get("path"), entry.get("label")
    return (str(path),) if label is None else (str(path), str(label))


def _asset_id(entry: Mapping[str, object]) -> tuple[str, ...]:
    return (str(entry.get("original_path")),)


_asset_key = members(dict(ASSET_KEYS))


def _assets_key(value: object) -> Hashable:
    """Assets in any order; no list says the same as an empty one."""
    if value is ABSENT or value is None:
        value = []
    return frozenset(map(_asset_key, value)) if type(value) is list else plain(value)


_document_key = members({**DOCUMENT_KEYS, "assets": _assets_key})


def _document(sides: Sides, pointer: Pointer, decisions: Decisions) -> object:
    def one(entry: Sides, where: Pointer) -> object:
        if where[-1] == "assets" and all(_are_assets(value) for value in entry.all):
            return keyed_list(entry, where, decisions, _asset_id, _asset_key, _asset_in(decisions))
        if where[-1] in DOCUMENT_KEYS:
            return scalar(entry, where, decisions, DOCUMENT_KEYS[where[-1]])
        return unknown(entry, where, decisions)

    return by_key(sides, pointer, one)


def _are_assets(value: object) -> bool:
    return value is ABSENT or (
        type(value) is list and all(type(item) is dict and type(item.get("original_path")) is str for item in value)
    )


def _asset_in(decisions: Decisions) -> Callable[[Sides, Pointer, Decisions], object]:
    def one(entry: Sides, where: Pointer) -> object:
        return scalar(entry, where, decisions, ASSET_KEYS.get(where[-1], plain))

    return lambda sides, pointer, _: by_key(sides, pointer, one)


def _labels(sides: Sides, decisions: Decisions, facts: Facts) -> object:
    """A set of labels; a namespace that is unique is a register holding its one label."""
    lists = [_once(value) if type(value) is list else [] for value in sides.all[:3]]
    base, ours, theirs = lists
    keep = membership(base, ours, theirs, is_based=sides.is_based)
    opened: dict[str, Sides] = {}
    for namespace in dict.fromkeys(_namespace(label) for label in (*ours, *theirs)):
        if not namespace:
            continue
        held = sides.map(lambda value, of=namespace: _held(value, of))  # type: ignore[misc]
        found = three(held, frozenset)  # type: ignore[arg-type]
        if isinstance(found, Undecided) and _is_register(namespace, held, facts):
            opened[namespace] = held
            keep -= {label for label in keep if _namespace(str(label)) == namespace}
            keep |= {*held.ours, *held.theirs}  # type: ignore[misc]
    if not opened and not _repeats(sides.all):
        return presence(sides, list(interleave(base, ours, theirs, keep)))
    if not opened:
        return _string_set(sides, ("labels",), decisions)
    shown: list[object] = []
    for label in interleave(base, ours, theirs, keep):
        namespace = _namespace(label)
        if namespace not in opened:
            shown.append(label)
        elif opened[namespace] is not _DONE:
            held, opened[namespace] = opened[namespace].map(_only), _DONE
            shown.append(decisions.open(("labels", namespace), held, f"an issue has one label of `{namespace}`"))
    return shown


_DONE = Sides(ABSENT, ABSENT, ABSENT)


def _namespace(label: str) -> str:
    """The part before the colon; empty for a text that is no label."""
    return label.partition(":")[0] if ":" in label else ""


def _held(value: object, namespace: str) -> tuple[str, ...]:
    labels = value if type(value) is list else []
    return tuple(label for label in dict.fromkeys(labels) if _namespace(label) == namespace)


def _only(held: object) -> object:
    return held[0] if type(held) is tuple and len(held) == 1 else ABSENT


def _repeats(values: tuple[object, ...]) -> bool:
    return any(type(value) is list and len(set(value)) < len(value) for value in values)


def _is_register(namespace: str, held: Sides, facts: Facts) -> bool:
    """True if two labels of a namespace are one too many, here.

    Where the settings of the store cannot be read only evidence counts: each version has exactly one.
    """
    sizes = [len(value) for value in (held.base, held.ours, held.theirs)]  # type: ignore[arg-type]
    if sizes[1] > 1 or sizes[2] > 1:
        return False
    unique = facts.unique_namespaces()
    if unique is not None:
        return namespace in unique
    return sizes == [1, 1, 1]


_POLICIES: Mapping[str, Policy] = {
    "id": _scalar(plain),
    "title": _scalar(plain),
    "description": _scalar(plain),
    "state": _state,
    "priority": _scalar(plain),
    "assignee": _scalar(nullable),
    "dependencies": _string_set,
    "gates_required": _string_set,
    "gates_status": _gates_status,
    "context": _context,
    "documents": _documents,
    "content_format": _scalar(nullable),
    "created_at": _scalar(time),
    "updated_at": _later_stamp,
    "first_ready_at": _first_occurrence,
    "claimed_at": _first_occurrence,
    "done_at": _first_occurrence,
}


def _is_legal(version: object) -> bool:
    """True if one side alone keeps the relations inside an issue that a merge must not break (section 3.1)."""
    if type(version) is not dict:
        return False
    required, status = version.get("gates_required"), version.get("gates_status")
    if type(required) is not list or type(status) is not dict:
        return False
    return status.keys() <= set(map(str, required)) and not (
        version.get("state") == "done" and _unpassed(required, status)
    )


def _unpassed(required: object, status: object) -> list[str]:
    """The required gates that are not passed; one in conflict is not."""
    if type(required) is not list or type(status) is not dict:
        return []
    passed = [key for key, entry in status.items() if type(entry) is dict and entry.get("status") == "passed"]
    return [key for key in required if key not in passed]


def _open_orphaned_statuses(sides: Sides, merged: dict[str, object], decisions: Decisions) -> None:
    """A status of a gate nobody requires any more: one side removed the gate, the other judged it."""
    required, status = merged.get("gates_required"), merged.get("gates_status")
    if type(required) is not list or type(status) is not dict:
        return
    for key, entry in status.items():
        if key not in required and type(entry) is not Open:
            found = sides.member("gates_status").member(key)
            status[key] = decisions.open(("gates_status", key), found, "one side removed the gate, the other judged it")


def _keep_gates_of_open_statuses(sides: Sides, merged: dict[str, object]) -> None:
    """A gate whose status is open stays required until somebody decided."""
    required, status = merged.get("gates_required"), merged.get("gates_status")
    if type(required) is not list or type(status) is not dict:
        return
    waiting = [key for key, entry in status.items() if type(entry) is Open and key not in required]
    if waiting:
        lists = [_once(value) if strings((value,)) and type(value) is list else [] for value in _required(sides)]
        merged["gates_required"] = interleave(lists[0], lists[1], lists[2], {*required, *waiting})


def _required(sides: Sides) -> tuple[object, ...]:
    return sides.member("gates_required").all[:3]


def _open_done_over_a_gate(sides: Sides, merged: dict[str, object], decisions: Decisions) -> None:
    """``done`` with a required gate that is not passed: one side finished, the other asked for more."""
    state = sides.member("state")
    if merged.get("state") != "done" or state.ours == state.theirs:
        return
    open_gates = _unpassed(merged.get("gates_required"), merged.get("gates_status"))
    if not open_gates:
        return
    finisher, other = ("ours", "theirs") if state.ours == "done" else ("theirs", "ours")
    gates = ", ".join(f"`{gate}`" for gate in open_gates)
    merged["state"] = decisions.open(
        ("state",), state, f"{finisher} is done, but gate {gates}, which {other} asks for, is not passed"
    )


def _open_the_group(sides: Sides, merged: dict[str, object], decisions: Decisions) -> None:
    """State and assignee are written by one act: where one is open, the other is shown open too."""
    if not any(type(merged.get(name)) is Open for name in GROUP):
        return
    for name in GROUP:
        found = sides.member(name)
        if name in merged and type(merged[name]) is not Open and nullable(found.ours) != nullable(found.theirs):
            merged[name] = found.open
        if type(merged.get(name)) is Open and not decisions.is_open(name):
            decisions.open((name,), found, "goes with the other of state and assignee")


def _look_again(sides: Sides, merged: Mapping[str, object], decisions: Decisions) -> None:
    """The notes on a result that is legal for the tracker and yet worth a look, where neither side has it."""
    if any(type(version) is dict and _oddities(version) for version in (sides.ours, sides.theirs)):
        return
    for pointer, text in _oddities(merged):
        decisions.note("", pointer, text)


def _oddities(version: Mapping[str, object]) -> list[tuple[Pointer, str]]:
    found: list[tuple[Pointer, str]] = []
    state, required = version.get("state"), version.get("gates_required")
    if state == "gated" and required and not _unpassed(required, version.get("gates_status")):
        found.append((("state",), "waits for gates, and all are passed"))
    if state == "in_progress" and version.get("assignee") is None:
        found.append((("assignee",), "in progress, and nobody works on it"))
    created, updated = version.get("created_at"), version.get("updated_at")
    if type(created) is str and type(updated) is str and (instant(updated) or "") < (instant(created) or ""):
        found.append((("updated_at",), "is before `created_at`"))
    return found
