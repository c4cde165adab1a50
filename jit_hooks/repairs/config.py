"""Repairs of configuration: from a copy, and of what the tracker once made from ``config.toml``."""

from __future__ import annotations

from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.repairs.restore import restored
from jit_hooks.store import labels, layout
from jit_hooks.store.rewrite import replace_value, rewrite_list
from jit_hooks.store.spans import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

_PATTERN = "/properties/raw_labels/items/pattern"
_ENUM = "/properties/labels/properties/type/items/enum"


def config_malformed(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """A configuration file that does not load comes back from a copy it is a beginning of."""
    return restored(store, problem.path, context)


def baked_schema_outdated(store: Store, problem: Problem, _: Context) -> Mend | Left:
    """The names in a baked schema as ``config.toml`` has them, in the order of names, as the tracker writes them."""
    config, path = store.table(layout.CONFIG), problem.path
    data = store.snapshot.read(path)
    if type(data) is not bytes or config is None:
        return Mend()
    if path == labels.NAMESPACE_SCHEMA and find(data, _PATTERN) is not None:
        names = "|".join(sorted(labels.namespaces_of(config)))
        return Mend({path: replace_value(data, _PATTERN, f"^({names}):")})
    if path == labels.TYPE_SCHEMA and find(data, _ENUM) is not None:
        return Mend({path: rewrite_list(data, _ENUM, (), sorted(labels.types_of(config)))})
    return Left("the schema has a shape that the tracker does not write")
