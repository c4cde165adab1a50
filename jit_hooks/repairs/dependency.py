"""Repairs of dependencies: an edge goes."""

from __future__ import annotations

from jit_hooks.repairs.lists import without_edges, without_repeats
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.store import graph, layout
from jit_hooks.store.times import instant_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store


def dependency_duplicate(store: Store, problem: Problem, _: Context) -> Mend:
    """Of a dependency named twice the first stays."""
    return without_repeats(store, problem, "dependencies")


def dependency_redundant(store: Store, problem: Problem, _: Context) -> Mend:
    """An edge that others imply goes: what depends on what stays as it was."""
    return without_edges(store, problem.path, {problem.subject})


def dependency_missing(store: Store, problem: Problem, context: Context) -> Mend | Left:
    """An edge to a deleted issue, or to one that was never in any copy, goes.

    Unsafe: it may be the issue that is missing and not the edge that is wrong.
    """
    target = layout.issue_path(problem.subject)
    if layout.kind_of(target) == "issue" and not store.is_deleted(problem.subject) and context.copies(target):
        return Left("a copy of the issue it names is in git: bring that back first")
    return without_edges(store, problem.path, {problem.subject})


def dependency_cycle(store: Store, problems: list[Problem], context: Context) -> Mend:
    """The edge of each circle that was added last goes; unsafe, for a person may know which one is wrong.

    Last is the edge that no parent has; of several the one of the issue saved last.
    """
    edges_of = graph.edges_of(store)
    gone: dict[str, set[str]] = {}
    for problem in problems:
        ids = [layout.issue_id_of(path) for path in (problem.path, *problem.related)]
        circle = list(zip(ids, [*ids[1:], ids[0]], strict=True))
        if all(target in edges_of(issue_id) for issue_id, target in circle):
            issue_id, target = max(circle, key=lambda edge: (*_newness(store, context, *edge), edge))
            gone.setdefault(layout.issue_path(issue_id), set()).add(target)
    done = Mend()
    for path in sorted(gone):
        done.add(without_edges(store, path, gone[path]), [])
    return done


def _newness(store: Store, context: Context, issue_id: str, target: str) -> tuple[bool, str]:
    known = any(
        (before := parent.issue(issue_id)) is not None and target in before.dependencies for parent in context.parents
    )
    issue = store.issue(issue_id)
    return not known, instant_of(issue.updated_at) if issue is not None else ""
