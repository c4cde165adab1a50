"""Repairs of what a merge lost: where nobody had to choose, the versions are merged again."""

from __future__ import annotations

from jit_hooks.merge.facts import Facts
from jit_hooks.merge.merging import KINDS, MERGED, merge
from jit_hooks.repairs.outcome import Left, Mend
from jit_hooks.store import layout
from jit_hooks.store.rewrite import rewrite_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.repairs.context import Context
    from jit_hooks.store.store import Store


def merge_lost_edit(store: Store, problems: list[Problem], context: Context) -> Mend:
    """The versions of a file merged once more, where the result was one parent's whole and no value is contested.

    Where the result is no parent's, somebody has decided something, and it stays.
    """
    done = Mend()
    for path in dict.fromkeys(problem.path for problem in problems):
        done.add(_merged_again(store, path, context), [problem for problem in problems if problem.path == path])
    return done


def _merged_again(store: Store, path: str, context: Context) -> Mend | Left:
    kind = layout.kind_of(path)
    if kind not in KINDS or len(context.parents) != 2 or len(context.bases) != 1:
        return Left("more than two sides, or more than one base: a person brings it back")
    now, base, ours, theirs = (each.snapshot.read(path) for each in (store, *context.bases, *context.parents))
    if type(ours) is not bytes or type(theirs) is not bytes or not isinstance(base, bytes | None):
        return Left("one side has no such file: a person decides")
    if now not in (ours, theirs):
        return Left("the file is neither side's: whoever edited it knows what is to stay")
    name = layout.issue_id_of(path) if kind == "issue" else layout.run_id_of(path) if kind == "run" else ""
    # Without settings a namespace of labels counts as unique where each version has one label of it.
    merged = merge(kind, base, ours, theirs, name=name, facts=Facts(None))
    if merged.status != MERGED:
        return Left("both sides changed the same value: a person chooses")
    return Mend({path: merged.document}, {path: "both sides, merged again"})


def merge_lost_path(store: Store, problem: Problem, _: Context) -> Mend:
    """The dependency that was dropped as implied, at the end of the list."""
    path = problem.path
    data, issue = store.snapshot.read(path), store.issue(layout.issue_id_of(path))
    if type(data) is not bytes or issue is None:
        return Mend()
    return Mend({path: rewrite_list(data, "/dependencies", range(len(issue.dependencies)), [problem.subject])})
