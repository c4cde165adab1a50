"""Repairs of what a merge lost: where nobody had to choose, the versions are merged again."""

from __future__ import annotations

from jit_hooks.merge.facts import Facts
from jit_hooks.merge.merging import KINDS, MERGED, merge
from jit_hooks.store import layout
from jit_hooks.store.rewrite import rewrite_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store

    Changes = dict[str, bytes | None]


def merge_lost_edit(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The versions of a file merged once more, where the result was one parent's whole and no value is contested.

    Where the result is no parent's, somebody has decided something, and it stays.
    """
    changes: Changes = {}
    for path in dict.fromkeys(problem.path for problem in problems):
        found = _merged_again(store, path, context)
        if isinstance(found, bytes):
            changes[path] = found
            context.say(path, "both sides, merged again")
            continue
        for problem in problems:
            if problem.path == path:
                context.leave(problem, found)
    return changes


def _merged_again(store: Store, path: str, context: Context) -> bytes | str:
    """What the sides make of a file, or why a person is needed."""
    kind = layout.kind_of(path)
    if kind not in KINDS or len(context.parents) != 2 or len(context.bases) != 1:
        return "more than two sides, or more than one base: a person brings it back"
    now, base, ours, theirs = (each.snapshot.read(path) for each in (store, *context.bases, *context.parents))
    if type(ours) is not bytes or type(theirs) is not bytes or not isinstance(base, bytes | None):
        return "one side has no such file: a person decides"
    if now not in (ours, theirs):
        return "the file is neither side's: whoever edited it knows what is to stay"
    name = layout.issue_id_of(path) if kind == "issue" else layout.run_id_of(path) if kind == "run" else ""
    # Without settings a namespace of labels counts as unique where each version has one label of it.
    found = merge(kind, base, ours, theirs, name=name, facts=Facts(None))
    return found.document if found.status == MERGED else "both sides changed the same value: a person chooses"


def merge_lost_path(store: Store, problems: list[Problem], context: Context) -> Changes:
    """The dependencies that were dropped as implied, at the end of the list."""
    del context
    changes: Changes = {}
    for path in dict.fromkeys(problem.path for problem in problems):
        data, issue = store.snapshot.read(path), store.issue(layout.issue_id_of(path))
        if isinstance(data, bytes) and issue is not None:
            lost = [problem.subject for problem in problems if problem.path == path]
            changes[path] = rewrite_list(data, "/dependencies", range(len(issue.dependencies)), lost)
    return changes
