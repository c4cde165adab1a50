"""The bodies of the hooks: git's arguments, stdin and environment become a request; the report, text and a code."""

from __future__ import annotations

import os

from jit_hooks.checks import CHECKS
from jit_hooks.errors import JitHooksError, NotJudgedError
from jit_hooks.git import Git, Repository
from jit_hooks.line import Report, Request, judge

SECONDS = 60.0
"""How long a hook may judge, where the settings say nothing else."""

HOOK_CHECKS = tuple(row for row in CHECKS if row.hook)


def run(hook: str, arguments: list[str], prefix: str) -> int:
    """Run a hook body and print its report; the exit code."""
    from jit_hooks.report.hook import print_failure, print_report

    try:
        report = _BODIES[hook](arguments, Repository(Git(), prefix))
        if report is None:
            return 0
        print_report(hook, report)
        return report.exit_code
    except JitHooksError as error:
        print_failure(hook, error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001
        fault = _our_fault(error)
        print_failure(hook, fault)
        return fault.exit_code


def _our_fault(error: Exception) -> NotJudgedError:
    """What to say of an error that nobody foresaw; the one place of the hooks that catches everything."""
    if os.environ.get("JIT_HOOKS_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    remedy = "please report it, with the output of the same command under JIT_HOOKS_TRACEBACK=1"
    return NotJudgedError(f"this is a fault of ours ({type(error).__name__}: {error})", remedy)


def pre_commit(_: list[str], repository: Repository) -> Report | None:
    """Judge what ``git commit`` is about to record: the git index against HEAD, and the heads of a merge."""
    heads = merge_heads(repository)
    head = repository.head()
    parents = (head, *heads) if head else ()
    amended: tuple[str, ...] = ()
    if head and not heads and may_amend(repository):
        amended = tuple(repository.parents_of(head))
    return judge(_request("git-index", repository, parents, amended))


def pre_merge_commit(_: list[str], repository: Repository) -> Report | None:
    """Judge what a clean ``git merge`` is about to record; git names the heads in ``GITHEAD_<id>``."""
    head = repository.head()
    heads = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    parents = (head, *(found for name in sorted(heads) if (found := repository.resolve(name)))) if head else ()
    return judge(_request("git-index", repository, parents))


def post_merge(arguments: list[str], repository: Repository) -> Report | None:
    """Judge the worktree that a merge or pull left: against the merge's parents, or where HEAD was before."""
    head = repository.head()
    before = repository.resolve("ORIG_HEAD")
    if head is None:
        return None
    parents = tuple(repository.parents_of(head))
    if arguments[:1] == ["1"] or os.environ.get("IS_SQUASH_MERGE") == "1":
        parents = (head,)
    elif before is not None and before != head and not (len(parents) > 1 and before == parents[0]):
        parents = (before,)
    return judge(_request("worktree", repository, parents))


def merge_heads(repository: Repository) -> list[str]:
    """The other parents of a merge that is being concluded."""
    path = repository.git.text("rev-parse", "--git-path", "MERGE_HEAD")
    try:
        with open(path, encoding="ascii") as heads:
            return [line.strip() for line in heads if line.strip()]
    except FileNotFoundError:
        return []


def may_amend(repository: Repository) -> bool:
    """Whether this may be ``git commit --amend``: git then hands over HEAD's own author date.

    Two commits within one second look the same; ``--amend --reset-author`` gives no sign at all.
    """
    date = os.environ.get("GIT_AUTHOR_DATE", "").lstrip("@")
    return bool(date) and date == repository.git.text("log", "-1", "--format=%ad", "--date=raw", "HEAD")


def _request(source: str, repository: Repository, parents: tuple[str, ...], amended: tuple[str, ...] = ()) -> Request:
    root = os.path.join(os.getcwd(), repository.prefix.rstrip("/"))
    # A commit without parents brings everything it holds.
    everything = not parents
    return Request(source, root, repository, parents, everything, HOOK_CHECKS, amended, 0.0, SECONDS)


_BODIES = {"pre-commit": pre_commit, "pre-merge-commit": pre_merge_commit, "post-merge": post_merge}
