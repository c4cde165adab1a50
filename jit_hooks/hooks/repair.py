"""Hooks that repair: the commit hooks when the user chose so, and post-merge for what a true merge made."""

from __future__ import annotations

import os
from dataclasses import replace

from jit_hooks.checks import CHECKS
from jit_hooks.errors import JitHooksError
from jit_hooks.git.state import MOVING_HEAD, is_under_way, merge_heads
from jit_hooks.judging.judge import judge
from jit_hooks.judging.mending import Choice, mend
from jit_hooks.judging.request import Request, now
from jit_hooks.report.commands import git_add
from jit_hooks.report.hook import typed_prefix
from jit_hooks.report.text import mended_lines
from jit_hooks.report.visible import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.report import Report

_IN_GIT = tuple(row for row in CHECKS if row.needs not in ("disk", "control"))
"""The checks these hooks mend for; claims and leftovers are left to ``jit-check --fix``, which waits for locks."""


def repair_before_commit(hook: str, repository: Repository, root: str) -> list[str]:
    """Mend the worktree after a refused commit; lines that say what was done and what to stage."""
    head = repository.commits.head()
    parents = (head, *merge_heads(repository.git)) if head else ()
    request = Request("worktree", root, repository, parents, checks=_IN_GIT, wait=0.0, now=now())
    return _mend(request, f"jit-hooks {hook} --repair", Choice(by_hook=True))


def repair_after_merge(request: Request, arguments: list[str]) -> list[str]:
    """Mend in the worktree what a true merge made and no parent had; nothing after anything else.

    What the merge made stands in its commit: other damage lay in the worktree before.

    Args:
        request: what post-merge judged: the worktree against all parents of the merge.
        arguments: git's own: ``1`` after a squash.
    """
    assert request.repository is not None
    if not is_true_merge(request.repository, request.parents, arguments):
        return []
    full = replace(request, checks=_IN_GIT, everything=True, now=now())
    try:
        commit = judge(replace(full, source=request.repository.commits.head() or ""))
    except JitHooksError as error:
        return [f"nothing was repaired: {visible(str(error))}"]
    made = frozenset(problem.identity for problem in commit.problems)
    return _mend(full, "jit-hooks post-merge", Choice(made=made, by_hook=True)) if made else []


def is_true_merge(repository: Repository, parents: tuple[str, ...], arguments: list[str]) -> bool:
    """True if HEAD is a merge that was just made: no fast-forward, squash, rebase, bisect, cherry-pick or revert."""
    if arguments[:1] == ["1"] or len(parents) < 2 or repository.commits.resolve("ORIG_HEAD") != parents[0]:
        return False
    return not is_under_way(repository.git, MOVING_HEAD)


def _mend(request: Request, command: str, choice: Choice) -> list[str]:
    try:
        report = mend(request, choice, time=request.now, command=command)
    except JitHooksError as error:
        return [f"nothing was repaired: {visible(str(error))}"]
    return _lines(report, request)


def _lines(report: Report, request: Request) -> list[str]:
    mended = report.repairs
    assert mended is not None
    if not mended.plan:
        return []
    paths = [str(change["path"]) for change in mended.plan]
    inside = [request.top_path(path.removeprefix("store:")) for path in paths if path.startswith("store:")]
    lines = ["the worktree was repaired; nothing is staged:", *mended_lines(report)]
    staged = _that_git_takes(request, inside)
    if staged:
        told = git_add(staged, typed_prefix())
        lines.append(f"look at it (git diff), then:  {told}")
    return lines


def _that_git_takes(request: Request, paths: list[str]) -> list[str]:
    """Those of some paths from the top that ``git add`` does not refuse: tracked, or there and not ignored."""
    assert request.repository is not None
    git, prefix = request.repository.git, request.repository.prefix
    asked = ("ls-files", "-z", "--full-name", "--cached", "--others", "--exclude-standard", "--")
    listed = frozenset(git.run(*asked, f":(top,literal){prefix}").split(b"\0"))
    return [path for path in paths if os.fsencode(path) in listed]
