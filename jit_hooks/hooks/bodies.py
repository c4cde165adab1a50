"""The bodies of the hooks: git's arguments, stdin and environment become a request; the report, text and a code."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module

from jit_hooks.checks import CHECKS
from jit_hooks.checks.runtime import pending_transactions
from jit_hooks.disk.pending import may_be_pending
from jit_hooks.disk.worktree import WorktreeSnapshot
from jit_hooks.errors import ChangedUnderTransactionError, JitHooksError, NotJudgedError
from jit_hooks.git.command import Git
from jit_hooks.git.hooks import HOOKS, Hook
from jit_hooks.git.repository import Repository
from jit_hooks.git.state import merge_heads
from jit_hooks.judging.judge import judge
from jit_hooks.judging.request import Request
from jit_hooks.store.layout import USUAL_STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jit_hooks.judging.report import Report

SECONDS = 60.0
"""How long a hook may judge, where the settings say nothing else."""


HOOK_CHECKS = tuple(row for row in CHECKS if row.hook)


def run(
    hook: str, arguments: list[str], stores: list[str], opened: Mapping[str, Repository], *, repairs: bool = False
) -> int:
    """Run a hook body over each store, found where none is given, and print the reports; the worst exit code.

    Args:
        hook: git's name of it.
        arguments: git's own.
        stores: where the stores lie from the top; none: they are found.
        opened: of some of them the repository, with what is known of it already.
        repairs: True if a refused commit is followed by a repair of the worktree (``install --repair``).
    """
    from jit_hooks.report.hook import print_failure, print_folded, print_report

    row = HOOKS[hook]
    body = getattr(import_module(f"jit_hooks.hooks.{row.module}"), hook.replace("-", "_"))
    worst = 0
    try:
        for prefix in _each_with_stdin(row, stores or _stores_here(hook)):
            report = body(arguments, opened.get(prefix) or Repository(Git(), prefix))
            if report is not None and row.only_tells:
                print_folded(hook, report)
            elif report is not None:
                print_report(hook, report)
                worst = max(worst, report.exit_code, _repaired(row, arguments, prefix, report, repairs=repairs))
    except JitHooksError as error:
        print_failure(hook, error)
        worst = max(worst, error.exit_code)
    except Exception as error:  # noqa: BLE001
        fault = _our_fault(error)
        print_failure(hook, fault)
        worst = fault.exit_code
    return 0 if row.only_tells else worst


def _repaired(hook: Hook, arguments: list[str], prefix: str, report: Report, *, repairs: bool) -> int:
    """Repair what may be repaired after this verdict, and say so; 1 when anything was."""
    merged = hook.name == "post-merge" and bool(report.problems)
    if not merged and not (repairs and report.errors and hook.may_repair):
        return 0
    from jit_hooks.hooks import repair
    from jit_hooks.report.hook import write

    repository = Repository(Git(), prefix)
    if merged:
        head = repository.commits.head()
        parents = tuple(repository.commits.parents_of(head)) if head else ()
        lines = repair.repair_after_merge(_request("worktree", repository, parents), arguments)
    else:
        lines = repair.repair_before_commit(hook.name, repository, store_root(repository))
    write(sys.stdout, "".join(f"{line}\n" for line in lines))
    return 1 if lines else 0


def _each_with_stdin(hook: Hook, stores: list[str]) -> Iterator[str]:
    """Each store; where there are several, each body finds on stdin what git handed over once."""
    handed = None
    if len(stores) > 1 and hook.reads_stdin and sys.stdin is not None:
        handed = sys.stdin.buffer.read()
    for prefix in stores:
        if handed is not None:
            sys.stdin = io.TextIOWrapper(io.BytesIO(handed))
        yield prefix


def _stores_here(hook: str) -> list[str]:
    """The stores of the repository around; a hook typed by hand below the top goes on at the top, where git runs it."""
    from jit_hooks.place import find_stores

    if Git().text("rev-parse", "--is-bare-repository") == "true":
        return [USUAL_STORE]
    top = Git().text("rev-parse", "--show-toplevel")
    if not os.path.samefile(top, "."):
        os.chdir(top)
    older = {"post-merge": "ORIG_HEAD", "pre-push": os.environ.get("PRE_COMMIT_TO_REF", "")}.get(hook, "")
    found = find_stores(Git(), top, *((older,) if older else ()))
    # What is pushed need not be what is checked out.
    return found or ([USUAL_STORE] if hook == "pre-push" else [])


def _our_fault(error: Exception) -> NotJudgedError:
    """The words for an error that nobody foresaw; the one place of the hooks that catches everything."""
    if os.environ.get("JIT_HOOKS_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    remedy = "please report it, with the output of the same command under JIT_HOOKS_TRACEBACK=1"
    return NotJudgedError(f"this is a fault of ours ({type(error).__name__}: {error})", remedy)


def pre_commit(_: list[str], repository: Repository) -> Report | None:
    """Judge what ``git commit`` is about to record: the git index against HEAD, and the heads of a merge."""
    heads = merge_heads(repository.git)
    head = repository.commits.head()
    parents = (head, *heads) if head else ()
    amended: tuple[str, ...] = ()
    if head and not heads and may_amend(repository):
        amended = tuple(repository.commits.parents_of(head))
    return judge(_request("git-index", repository, parents, amended))


def pre_merge_commit(_: list[str], repository: Repository) -> Report | None:
    """Judge what a clean ``git merge`` is about to record; git names the heads in ``GITHEAD_<id>``."""
    head = repository.commits.head()
    heads = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    parents = (head, *(found for name in sorted(heads) if (found := repository.commits.resolve(name)))) if head else ()
    return judge(_request("git-index", repository, parents))


def post_merge(arguments: list[str], repository: Repository) -> Report | None:
    """Judge the worktree that a merge or pull left: against the merge's parents, or where HEAD was before."""
    head = repository.commits.head()
    before = repository.commits.resolve("ORIG_HEAD")
    if head is None:
        return None
    parents = tuple(repository.commits.parents_of(head))
    if arguments[:1] == ["1"] or os.environ.get("IS_SQUASH_MERGE") == "1":
        parents = (head,)
    elif before is not None and before != head and not (len(parents) > 1 and before == parents[0]):
        parents = (before,)
    if parents:
        refuse_changed_under_transaction(repository, parents[0], head)
    return judge(_request("worktree" if is_laid_out(repository) else head, repository, parents))


def pending_transaction(repository: Repository) -> str:
    """The path from the top of a transaction that the tracker did not finish in this worktree; empty without one."""
    if not may_be_pending(repository.prefix.rstrip("/"), "."):
        return ""
    try:
        found = pending_transactions(WorktreeSnapshot(store_root(repository), repository))
    except NotJudgedError:  # a worktree that cannot be read is none of what is judged here
        return ""
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


def is_laid_out(repository: Repository) -> bool:
    """True if the worktree has the store, or should have: not where a sparse checkout leaves it out."""
    return os.path.lexists(store_root(repository)) or not repository.leaves_out_store()


def store_root(repository: Repository) -> str:
    """The store's directory in the worktree whose hook runs, absolute."""
    return os.path.join(os.getcwd(), repository.prefix.rstrip("/"))


def may_amend(repository: Repository) -> bool:
    """True if this may be ``git commit --amend``: git then hands over HEAD's own author date.

    Two commits within one second look the same; ``--amend --reset-author`` gives no sign at all.
    """
    date = os.environ.get("GIT_AUTHOR_DATE", "").lstrip("@")
    head = repository.commits.head() if date else None
    return head is not None and date == repository.commits.author_date(head)


def _request(source: str, repository: Repository, parents: tuple[str, ...], amended: tuple[str, ...] = ()) -> Request:
    root = store_root(repository)
    # A commit without parents brings everything it holds.
    everything = not parents
    return Request(source, root, repository, parents, everything, HOOK_CHECKS, amended, 0.0, SECONDS)
