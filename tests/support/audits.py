"""All that the family ``merge`` says of one merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jit_hooks.checks import CHECKS
from jit_hooks.merge.audit import Audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.problem import Problem
    from jit_hooks.store.store import Store


def audit(
    result: Store, parents: tuple[Store, ...], bases: tuple[Store, ...], paths: Iterable[str]
) -> Iterator[Problem]:
    """Every problem of the family ``merge``, in the order of the registry."""
    made = Audit(result, parents, bases, paths)
    for row in CHECKS:
        if row.needs == "merge":
            yield from row.function(made)
