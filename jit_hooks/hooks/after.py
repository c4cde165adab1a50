"""The bodies of the hooks that run when git has done its work: they tell, and change nothing."""

from __future__ import annotations

import os
import sys

from jit_hooks.checks import CHECKS
from jit_hooks.history import judge_commits
from jit_hooks.hooks.bodies import (
    HOOK_CHECKS,
    is_laid_out,
    pending_transaction,
    refuse_changed_under_transaction,
    store_root,
)
from jit_hooks.line import Report, Request, find_lost_in_rewriting, judge, worst_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git import Repository
    from jit_hooks.problem import Problem

    Identity = tuple[str, str, str]

_PAIRS_COMPARED = 500

_LOSSES = tuple(row for row in CHECKS if row.hook and row.needs == "parents")


def post_checkout(arguments: list[str], repository: Repository) -> Report | None:
    """Judge the whole worktree when HEAD has moved to another store; a checkout of files and a clone are apart.

    Args:
        arguments: HEAD before and after, and ``1`` when a branch was checked out, not files.
        repository: where.
    """
    names = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_CHECKOUT_TYPE")
    words = arguments if len(arguments) >= len(names) else [os.environ.get(name, "") for name in names]
    before, after = (repository.resolve(word) for word in words[:2])
    if words[2] != "1" or before is None or after is None:
        # Of files git names none here; a clone or a new worktree has no commit before.
        pending = pending_transaction(repository) if words[2] == "0" else ""
        return _only(f"git has checked out files while a transaction of the tracker is pending ({pending})", pending)
    refuse_changed_under_transaction(repository, before, after)
    if before == after or not repository.changes("diff-tree", "-r", before, after):
        return None
    source = "worktree" if is_laid_out(repository) else after
    return judge(Request(source, store_root(repository), repository, checks=HOOK_CHECKS, wait=0.0))


def _only(notice: str, pending: str) -> Report | None:
    return Report("healthy", "worktree", notices=[f"{notice}; settle it: jit recover"]) if pending else None


def post_rewrite(arguments: list[str], repository: Repository) -> Report | None:
    """Judge each commit that an amend or a rebase has made, and whether the old branch's records are still there.

    Args:
        arguments: ``amend`` or ``rebase``.
        repository: where; stdin gives a line ``old new`` for each commit.
    """
    head = repository.head()
    if head is None:
        return None
    pairs = _pairs()
    rebased = (arguments or [os.environ.get("PRE_COMMIT_REWRITE_COMMAND", "")])[0] == "rebase"
    if pairs:
        made = list(dict.fromkeys(new for _, new in pairs))
        olds = [old for one, _ in pairs if (old := repository.resolve(one))]
        parents = repository.git.text("rev-list", "--no-walk=unsorted", "--parents", *made, "--")
        known = {word for line in parents.splitlines() for word in line.split()[1:]} - set(made)
    else:  # a framework passes no pairs on
        old = repository.resolve("ORIG_HEAD" if rebased else "HEAD@{1}")
        olds = [old] if old else []
        known = {old} if rebased and old else set(repository.parents_of(head))
    if olds:
        refuse_changed_under_transaction(repository, olds[-1], head)
    base = next(iter(sorted(known)), None)
    source = f"range {base[:12]}..{head[:12]}" if base else f"range {head[:12]}"
    left_out = [f"^{commit}" for commit in sorted(known)]
    report = judge_commits(repository, [head], left_out, base or head, source=source, checks=HOOK_CHECKS, hook=True)
    # What an amend takes back of its own commit, pre-commit has judged.
    if rebased and report is not None:
        _add_lost(report, repository, pairs)
    return _with_losses(report, repository, head, olds) if rebased else report


def _add_lost(report: Report, repository: Repository, pairs: list[tuple[str, str]]) -> None:
    """Add what the single commits lost where they met other work: `rebase --continue` asks no other hook."""
    made: dict[str, list[str]] = {}
    for old, new in pairs[-_PAIRS_COMPARED:]:
        made.setdefault(new, []).append(old)
    known = {problem.identity for problem in report.problems}
    for new, olds in made.items():
        before, onto = repository.parents_of(olds[0]), repository.parents_of(new)
        if len(before) == len(onto) == 1 and before != onto:
            for problem in find_lost_in_rewriting(repository, HOOK_CHECKS, before[0], olds[-1], onto[0], new):
                if problem.identity not in known:
                    known.add(problem.identity)
                    report.problems.append(problem)
    report.problems.sort(key=worst_first)
    if report.errors:
        report.verdict = "problems"


def _with_losses(report: Report | None, repository: Repository, head: str, olds: list[str]) -> Report | None:
    """The report, with what the rewritten commits had brought and the branch holds no longer."""
    if report is None or not olds:
        return report
    known = {problem.identity for problem in report.problems}
    lost = {name: one for name, one in _lost_since(repository, head, olds[-1]).items() if name not in known}
    if not lost:
        return report
    seen: dict[str, set[Identity]] = {}
    brought: set[Identity] = set()
    for old in olds[-_PAIRS_COMPARED:]:
        for commit in (old, *repository.parents_of(old)[:1]):
            seen.setdefault(commit, set(_lost_since(repository, head, commit)))
        brought |= seen[old].difference(*(seen[parent] for parent in repository.parents_of(old)[:1]))
    if brought & lost.keys():
        report.problems.extend(problem for name, problem in lost.items() if name in brought)
        report.notices.append(f"compared with {olds[-1][:12]}, where the branch was before")
    return report


def _lost_since(repository: Repository, head: str, before: str) -> dict[Identity, Problem]:
    """What a commit held, by its identity, that HEAD does not."""
    found = judge(Request(head, "", repository, (before,), everything=False, checks=_LOSSES)).problems
    return {problem.identity: problem for problem in found}


def _pairs() -> list[tuple[str, str]]:
    if sys.stdin is None or sys.stdin.isatty():
        return []
    lines = sys.stdin.buffer.read().decode("ascii", "replace").splitlines()
    return [(words[0], words[1]) for line in lines if len(words := line.split()) >= 2]
