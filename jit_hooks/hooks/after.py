"""The bodies of the hooks that run when git has done its work: they tell, and change nothing."""

from __future__ import annotations

import os
import sys

from jit_hooks.checks import CHECKS
from jit_hooks.hooks.bodies import (
    HOOK_CHECKS,
    SECONDS,
    is_laid_out,
    pending_transaction,
    refuse_changed_under_transaction,
    store_root,
)
from jit_hooks.judging.commits import Bounds, judge_commits
from jit_hooks.judging.judge import judge
from jit_hooks.judging.report import Report
from jit_hooks.judging.request import Request
from jit_hooks.judging.rewriting import find_lost_in_rewriting
from jit_hooks.problem import worst_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.git.repository import Repository
    from jit_hooks.problem import Graded

    Identity = tuple[str, str, str]

_PAIRS_COMPARED = 500

_EDITS = tuple(row for row in CHECKS if row.code == "merge-lost-edit")
_LOSSES = tuple(row for row in CHECKS if row.hook and row.needs == "parents")


def post_checkout(arguments: list[str], repository: Repository) -> Report | None:
    """Judge the whole worktree when HEAD has moved to another store; a checkout of files and a clone are apart.

    Args:
        arguments: HEAD before and after, and ``1`` when a branch was checked out, not files.
        repository: where.
    """
    names = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_CHECKOUT_TYPE")
    words = arguments if len(arguments) >= len(names) else [os.environ.get(name, "") for name in names]
    before, after = (repository.commits.resolve(word) for word in words[:2])
    if words[2] != "1" or before is None or after is None:
        # Of files git names none here; a clone or a new worktree has no commit before.
        pending = pending_transaction(repository) if words[2] == "0" else ""
        return _only(f"git has checked out files while a transaction of the tracker is pending ({pending})", pending)
    refuse_changed_under_transaction(repository, before, after)
    if before == after or not repository.changes("diff-tree", "-r", before, after):
        return None
    source = "worktree" if is_laid_out(repository) else after
    return judge(Request(source, store_root(repository), repository, checks=HOOK_CHECKS, wait=0.0, seconds=SECONDS))


def _only(notice: str, pending: str) -> Report | None:
    return Report("worktree", notices=[f"{notice}; settle it: jit recover"]) if pending else None


def post_rewrite(arguments: list[str], repository: Repository) -> Report | None:
    """Judge each commit that an amend or a rebase has made, and whether the old branch's records are still there.

    Args:
        arguments: ``amend`` or ``rebase``.
        repository: where; stdin gives a line ``old new`` for each commit.
    """
    head = repository.commits.head()
    if head is None:
        return None
    rebased = (arguments or [os.environ.get("PRE_COMMIT_REWRITE_COMMAND", "")])[0] == "rebase"
    pairs = _pairs()
    olds, known = _replaced(repository, pairs) if pairs else _replaced_by_guess(repository, head, rebased=rebased)
    # The new order need not be the old one.
    tip = repository.git.text("rev-list", "--topo-order", "--max-count=1", *olds, "--") if olds else ""
    if tip:
        refuse_changed_under_transaction(repository, tip, head)
    base = known[0] if known else None
    report = judge_commits(
        repository,
        [head],
        [f"^{commit}" for commit in known],
        base or head,
        source=f"range {base[:12]}..{head[:12]}" if base else f"range {head[:12]}",
        checks=HOOK_CHECKS,
        hook=True,
        bounds=Bounds(seconds=SECONDS),
    )
    # What an amend takes back of its own commit, pre-commit has judged.
    if rebased and tip and report is not None:
        records = _lost_records(repository, head, tip, olds)
        if records:
            report.notices.append(f"compared with {tip[:12]}, where the branch was before")
        known_already = {problem.identity for problem in report.problems}
        lost = {problem.identity: problem for problem in (*records, *_lost_edits(repository, head, tip, pairs))}
        report.problems.extend(problem for name, problem in lost.items() if name not in known_already)
        report.problems.sort(key=worst_first)
    return report


def _replaced(repository: Repository, pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The commits that were replaced, and those that the new ones follow, sorted."""
    made = list(dict.fromkeys(new for _, new in pairs))
    olds = [old for one, _ in pairs if (old := repository.commits.resolve(one))]
    parents = repository.git.text("rev-list", "--no-walk=unsorted", "--parents", *made, "--")
    return olds, sorted({word for line in parents.splitlines() for word in line.split()[1:]} - set(made))


def _replaced_by_guess(repository: Repository, head: str, *, rebased: bool) -> tuple[list[str], list[str]]:
    """The same where a framework passes no pairs on: git remembers where HEAD was."""
    old = repository.commits.resolve("ORIG_HEAD" if rebased else "HEAD@{1}")
    if rebased and old:
        return [old], [old]
    return [old] if old else [], sorted(set(repository.commits.parents_of(head)))


def _lost_edits(repository: Repository, head: str, tip: str, pairs: list[tuple[str, str]]) -> Iterator[Graded]:
    """Edits that commits lost where they met other work: `rebase --continue` asks no other hook.

    What HEAD has back is not lost, nor what the old branch itself no longer held at its tip.
    """
    made: dict[str, list[str]] = {}
    for old, new in pairs[-_PAIRS_COMPARED:]:
        made.setdefault(new, []).append(old)
    for new, olds in made.items():
        onto = repository.commits.parents_of(new)
        for before, last in _runs(repository, olds):
            if [before] == onto or len(onto) != 1:
                continue
            lost = find_lost_in_rewriting(repository, _EDITS, before, last, onto[0], new)
            if lost and new != head:
                still = find_lost_in_rewriting(repository, _EDITS, before, last, onto[0], head)
                lost = _within(lost, {problem.identity for problem in still})
            if lost and last != tip:
                given_up = {p.identity for p in find_lost_in_rewriting(repository, _EDITS, before, last, before, tip)}
                lost = [problem for problem in lost if problem.identity not in given_up]
            yield from lost


def _runs(repository: Repository, olds: list[str]) -> Iterator[tuple[str, str]]:
    """The commits that were folded into one, as stretches: what stands before the first, and the last of each."""
    before = last = ""
    for old in olds:
        parents = repository.commits.parents_of(old)
        if last and parents == [last]:
            last = old
            continue
        if last:
            yield before, last
        before, last = (parents[0], old) if len(parents) == 1 else ("", "")
    if last:
        yield before, last


def _lost_records(repository: Repository, head: str, tip: str, olds: list[str]) -> list[Graded]:
    """The losses among what the old commits had brought and the old tip held: events, issues, runs."""
    lost = _lost_since(repository, head, tip)
    seen: dict[str, set[Identity]] = {}
    brought: set[Identity] = set()
    for old in olds[-_PAIRS_COMPARED:] if lost else ():
        for commit in (old, *repository.commits.parents_of(old)[:1]):
            if commit not in seen:
                seen[commit] = set(_lost_since(repository, head, commit))
        brought |= seen[old].difference(*(seen[parent] for parent in repository.commits.parents_of(old)[:1]))
    return _within(lost.values(), brought)


def _within(problems: Iterable[Graded], wanted: set[Identity]) -> list[Graded]:
    return [problem for problem in problems if problem.identity in wanted]


def _lost_since(repository: Repository, head: str, before: str) -> dict[Identity, Graded]:
    """The losses of HEAD against a commit, by identity."""
    found = judge(Request(head, "", repository, (before,), everything=False, checks=_LOSSES)).problems
    return {problem.identity: problem for problem in found}


def _pairs() -> list[tuple[str, str]]:
    if sys.stdin is None or sys.stdin.isatty():
        return []
    lines = sys.stdin.buffer.read().decode("ascii", "replace").splitlines()
    return [(words[0], words[1]) for line in lines if len(words := line.split()) >= 2]
