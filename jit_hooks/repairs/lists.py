"""Lists of an issue with some of their values taken out; what stays keeps its spelling."""

from __future__ import annotations

from jit_hooks.repairs.outcome import Mend
from jit_hooks.store.loss import value_of
from jit_hooks.store.records import Record
from jit_hooks.store.rewrite import rewrite_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.problem import Problem
    from jit_hooks.store.store import Store


def without_repeats(store: Store, problem: Problem, member: str) -> Mend:
    """The issue with each value of a list at its first place only."""
    data = store.snapshot.read(problem.path)
    record = Record(problem.path, data, store.accepted) if type(data) is bytes else None
    if record is None or not record.loads:
        return Mend()
    values = record.members[member]
    assert type(values) is list
    return Mend({problem.path: rewrite_list(record.data, f"/{member}", first_places(map(value_of, values)))})


def first_places(values: Iterable[object]) -> list[int]:
    """The places at which a value stands for the first time."""
    first: dict[object, int] = {}
    for at, value in enumerate(values):
        first.setdefault(value, at)
    return list(first.values())


def without_edges(store: Store, path: str, targets: set[str]) -> Mend:
    """The issue without its dependencies on these."""
    data = store.snapshot.read(path)
    if type(data) is not bytes:
        return Mend()
    listed = Record(path, data, store.accepted).members.get("dependencies")
    if type(listed) is not list:
        return Mend()
    keep = [at for at, target in enumerate(listed) if target not in targets]
    return Mend({path: rewrite_list(data, "/dependencies", keep)})
