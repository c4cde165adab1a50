"""A record taken apart into its atoms: what a merge decides one by one, and an audit compares.

An atom that a version does not have is not in its map; two versions agree on an atom when their values there
are equal. Written apart from the merge, so that the laws judge it by something else than itself.
"""

from __future__ import annotations

from jit_hooks.merge.issue import ASSET_KEYS, DOCUMENT_KEYS, GATE_STATUS
from jit_hooks.merge.registry import EXECUTED
from jit_hooks.merge.run import KEYS as RUN_KEYS
from jit_hooks.merge.values import ABSENT, nullable, plain, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    Pointer = tuple[str, ...]
    Atoms = dict[Pointer, Hashable]
    Found = Iterator[tuple[Pointer, Hashable]]

THERE = "there"
"""The value of an atom that says no more than that an element is there."""

TIMES = ("created_at", "updated_at", "first_ready_at", "claimed_at", "done_at")
SETS = ("dependencies", "gates_required", "labels")


def atoms(kind: str, document: object) -> Atoms:
    """The atoms of a record, by pointer; none of what is no object."""
    if type(document) is not dict:
        return {}
    take: Callable[[dict[str, object]], Found] = {
        "issue": _of_issue,
        "index": _of_index,
        "run": _of_run,
        "gates-json": _of_registry,
        "gates-toml": _of_registry,
    }[kind]
    return dict(take(document))


def _of_issue(document: dict[str, object]) -> Found:
    for name, value in document.items():
        pointer = (name,)
        if name in TIMES:
            yield from _unless_null(pointer, time(value))
        elif name in ("assignee", "content_format", "archived_from"):
            yield from _unless_null(pointer, plain(value))
        elif name in SETS and type(value) is list:
            yield from (((name, str(item)), THERE) for item in value)
        elif name == "gates_status" and type(value) is dict:
            yield from (((name, key), GATE_STATUS(entry)) for key, entry in value.items())
        elif name == "documents" and type(value) is list:
            yield from _of_documents(value)
        else:
            yield from _unknown(pointer, value)


def _unless_null(pointer: Pointer, value: Hashable) -> Found:
    if value is not None:
        yield pointer, value


def _unknown(pointer: Pointer, value: object) -> Found:
    if type(value) is dict:
        yield pointer, THERE
        for name, member in value.items():
            yield from _unknown((*pointer, name), member)
    else:
        yield pointer, plain(value)


def _of_documents(documents: list[object]) -> Found:
    for entry in documents:
        if type(entry) is not dict:
            yield ("documents", str(entry)), THERE
            continue
        label = entry.get("label")
        pointer = ("documents", str(entry.get("path")), *(() if label is None else (str(label),)))
        yield pointer, THERE
        for name, value in entry.items():
            if name == "assets" and type(value) is list:
                yield from _of_assets((*pointer, name), value)
            elif name in DOCUMENT_KEYS:
                yield from _unless_null((*pointer, name), plain(value))
            else:
                yield from _unknown((*pointer, name), value)


def _of_assets(pointer: Pointer, assets: list[object]) -> Found:
    for asset in assets:
        if type(asset) is not dict:
            yield (*pointer, str(asset)), THERE
            continue
        own = (*pointer, str(asset.get("original_path")))
        yield own, THERE
        for name, value in asset.items():
            if name in ASSET_KEYS:
                yield from _unless_null((*own, name), plain(value))
            else:
                yield from _unknown((*own, name), value)


def _of_index(document: dict[str, object]) -> Found:
    alive, dead = (_ids(document.get(name)) for name in ("all_ids", "deleted_ids"))
    for name in dict.fromkeys((*alive, *dead)):
        yield ("ids", name), (name in alive, name in dead)
    for name, value in document.items():
        if name not in ("all_ids", "deleted_ids"):
            yield from _unknown((name,), value)


def _ids(value: object) -> dict[str, None]:
    return dict.fromkeys(map(str, value)) if type(value) is list else {}


def _of_run(document: dict[str, object]) -> Found:
    for name, value in document.items():
        yield from _unless_null((name,), RUN_KEYS.get(name, plain)(value))


def _of_registry(document: dict[str, object]) -> Found:
    gates: object = document.get("gates")
    if type(gates) is list:
        gates = {str(gate.get("key")): gate for gate in gates if type(gate) is dict}
    for key, gate in gates.items() if type(gates) is dict else ():
        yield ("gates", key), THERE
        if type(gate) is not dict:
            continue
        yield ("gates", key, "checker"), _executed(gate)
        for name, value in gate.items():
            if name not in EXECUTED:
                yield from _unknown(("gates", key, name), value)
    for name, value in document.items():
        if name != "gates":
            yield from _unknown((name,), value)


def _executed(gate: Mapping[str, object]) -> Hashable:
    """The command that a gate executes, as one atom; it carries the name of its weightiest member."""
    return plain([nullable(gate.get(name, ABSENT)) for name in EXECUTED])


def is_under(pointer: Pointer, opened: Pointer) -> bool:
    """True if an atom belongs to what a conflict leaves open: it, something inside it, or a label of the namespace."""
    if opened[:1] == ("labels",) and len(opened) == 2:
        return pointer[:1] == ("labels",) and pointer[-1].partition(":")[0] == opened[1]
    if len(opened) == 3 and opened[0] == "gates" and opened[2] in EXECUTED:
        return pointer == ("gates", opened[1], "checker")
    return pointer[: len(opened)] == opened
