"""The bodies of the hooks: git's arguments, stdin and environment become a request; the report, text and a code."""

from __future__ import annotations

import os
from importlib import import_module

from jit_hooks.checks import CHECKS
from jit_hooks.checks.runtime import pending_transactions
from jit_hooks.errors import ChangedUnderTransactionError, JitHooksError, NotJudgedError
from jit_hooks.git import Git, Repository
from jit_hooks.hooks.entry import may_be_unsettled
from jit_hooks.line import Report, Request, judge
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60.0
"""How long a hook may judge, where the settings say nothing else."""

HOOK_CHECKS = tuple(row for row in CHECKS if row.hook)


def run(hook: str, arguments: list[str], prefix: str) -> int:
    """Run a hook body and print its report; the exit code."""
    from jit_hooks.hooks.gate import ONLY_TELL
    from jit_hooks.report.hook import print_failure, print_folded, print_report

    failure: JitHooksError | None = None
    try:
        report = _BODIES[hook](arguments, Repository(Git(), prefix))
        if report is None:
            return 0
        if hook in ONLY_TELL:
            print_folded(hook, report)
            return 0
        print_report(hook, report)
        return report.exit_code
    except JitHooksError as error:
        failure = error
    except Exception as error:  # noqa: BLE001
        failure = _our_fault(error)
    print_failure(hook, failure)
    return 0 if hook in ONLY_TELL else failure.exit_code


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
    return _with_warning(judge(_request("git-index", repository, parents, amended)), repository)


def pre_merge_commit(_: list[str], repository: Repository) -> Report | None:
    """Judge what a clean ``git merge`` is about to record; git names the heads in ``GITHEAD_<id>``."""
    head = repository.head()
    heads = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    parents = (head, *(found for name in sorted(heads) if (found := repository.resolve(name)))) if head else ()
    return _with_warning(judge(_request("git-index", repository, parents)), repository)


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
    if parents:
        refuse_changed_under_transaction(repository, parents[0], head)
    return judge(_request("worktree", repository, parents))


def _with_warning(report: Report, repository: Repository) -> Report:
    """The report, with one line more while a transaction of the tracker is pending in the worktree."""
    pending = pending_transaction(repository)
    if pending:
        report.notices.append(
            f"a transaction of the tracker is pending in this worktree ({pending}), so what is staged may be half of a "
            "change; settle it before git changes files here: jit recover"
        )
    return report


def pending_transaction(repository: Repository) -> str:
    """The path from the top of a transaction that the tracker did not finish in this worktree; empty without one."""
    if not may_be_unsettled(repository.prefix):
        return ""
    found = pending_transactions(WorktreeSnapshot(store_root(repository), repository))
    return repository.top_path(found[0]) if found else ""


def refuse_changed_under_transaction(repository: Repository, before: str, after: str) -> None:
    """Say that git has just changed files of the store between two steps of the tracker.

    Raises:
        ChangedUnderTransactionError: it has.
    """
    pending = pending_transaction(repository)
    changed = sorted(repository.changes("diff-tree", "-r", before, after)) if pending else []
    if changed:
        raise ChangedUnderTransactionError(pending, repository.top_path(changed[0]), len(changed), before)


def store_root(repository: Repository) -> str:
    """The store's directory in the worktree whose hook runs, absolute."""
    return os.path.join(os.getcwd(), repository.prefix.rstrip("/"))


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
    root = store_root(repository)
    # A commit without parents brings everything it holds.
    everything = not parents
    return Request(source, root, repository, parents, everything, HOOK_CHECKS, amended, 0.0, SECONDS)


def _later(module: str, name: str) -> Callable[[list[str], Repository], Report | None]:
    """A body of another module, imported when it runs."""

    def body(arguments: list[str], repository: Repository) -> Report | None:
        found: Callable[[list[str], Repository], Report | None]
        found = getattr(import_module(f"jit_hooks.hooks.{module}"), name)
        return found(arguments, repository)

    return body


_BODIES: dict[str, Callable[[list[str], Repository], Report | None]] = {
    "pre-commit": pre_commit,
    "pre-merge-commit": pre_merge_commit,
    "post-merge": post_merge,
    "post-checkout": _later("after", "post_checkout"),
    "post-rewrite": _later("after", "post_rewrite"),
    "pre-push": _later("push", "pre_push"),
    "pre-receive": _later("push", "pre_receive"),
}
