"""Repairs of what the tracker once made from ``config.toml``."""

from __future__ import annotations

from jit_hooks.store import labels, layout
from jit_hooks.store.rewrite import replace_value, rewrite_list
from jit_hooks.store.spans import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]

_PATTERN = "/properties/raw_labels/items/pattern"
_ENUM = "/properties/labels/properties/type/items/enum"


def baked_schema_outdated(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The names in a baked schema as ``config.toml`` has them, in the order of names, as the tracker writes them."""
    config = store.table(layout.CONFIG)
    changes: Changes = {}
    for problem in problems:
        data = store.snapshot.read(problem.path)
        if type(data) is not bytes or config is None:
            continue
        if problem.path == labels.NAMESPACE_SCHEMA and find(data, _PATTERN) is not None:
            names = "|".join(sorted(labels.namespaces_of(config)))
            changes[problem.path] = replace_value(data, _PATTERN, f"^({names}):")
        elif problem.path == labels.TYPE_SCHEMA and find(data, _ENUM) is not None:
            changes[problem.path] = rewrite_list(data, _ENUM, (), sorted(labels.types_of(config)))
        else:
            context.leave(problem, "the schema has a shape that the tracker does not write")
    return changes
