"""Which parent brought each part of a relation that is broken though no parent alone broke it.

Two branches that are each in order can meet in a circle of dependencies, an edge to an issue that the other one
deleted, or `done` with a gate that the other one asked for. Source: section 3.2 of the merge semantics.
"""

from __future__ import annotations

from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.merge.audit import Audit
    from jit_hooks.problem import Problem
    from jit_hooks.store.store import Store

    Part = tuple[str, Callable[[Store], bool]]


def origins(audit: Audit, problem: Problem) -> str:
    """The sides that each part of a problem comes from; empty when one parent has all, or parts are not known."""
    find = _PARTS.get(problem.code)
    parts = list(find(problem)) if find is not None else []
    if not parts or any(all(has(parent) for _, has in parts) for parent in audit.parents):
        return ""
    return ", ".join(f"{what} {_origin(audit, has)}" for what, has in parts)


def _origin(audit: Audit, has: Callable[[Store], bool]) -> str:
    if any(has(base) for base in audit.bases):
        return "was there before"
    brought = [audit.side(number) for number, parent in enumerate(audit.parents) if has(parent)]
    return f"comes from {' and '.join(brought)}" if brought else "was made in the merge"


def _circle(problem: Problem) -> Iterator[Part]:
    members = [layout.issue_id_of(path) for path in (problem.path, *problem.related)]
    for issue, target in zip(members, [*members[1:], members[0]], strict=True):
        yield f"{issue[:8]} -> {target[:8]}", _depends(issue, target)


def _edge(problem: Problem) -> Iterator[Part]:
    target = problem.subject
    yield "the dependency", _depends(layout.issue_id_of(problem.path), target)
    yield f"that {target[:8]} is gone", lambda store: not store.has_issue(target)


def _requirement(problem: Problem) -> Iterator[Part]:
    key = problem.subject
    yield "the requirement", _requires(layout.issue_id_of(problem.path), key)
    yield "that no gate is called so", lambda store: key not in (store.gate_keys or ())


def _done(problem: Problem) -> Iterator[Part]:
    issue, key = layout.issue_id_of(problem.path), problem.subject

    def is_done(store: Store) -> bool:
        known = store.issue(issue)
        return known is not None and known.state == "done"

    yield "`done`", is_done
    yield f"the requirement of `{key}`", _requires(issue, key)


def _deleted(problem: Problem) -> Iterator[Part]:
    issue = problem.subject
    yield "the deletion", lambda store: store.is_deleted(issue)
    yield "what is alive", lambda store: store.has_issue(issue) and not store.is_deleted(issue)


def _depends(issue: str, target: str) -> Callable[[Store], bool]:
    def has(store: Store) -> bool:
        known = store.issue(issue)
        return known is not None and target in known.dependencies

    return has


def _requires(issue: str, key: str) -> Callable[[Store], bool]:
    def has(store: Store) -> bool:
        known = store.issue(issue)
        return known is not None and (key in known.gates_required or key in known.gates_status)

    return has


_PARTS: dict[str, Callable[[Problem], Iterator[Part]]] = {
    "dependency-cycle": _circle,
    "dependency-missing": _edge,
    "gate-unregistered": _requirement,
    "done-gate-open": _done,
    "index-deleted-alive": _deleted,
}
