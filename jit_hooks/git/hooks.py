"""The hooks of git that guard a store: one row each, from which scripts, bodies, reports and tests take their facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hook:
    """One hook.

    Attributes:
        name: git's.
        id: what the manifest and ``SKIP`` call it.
        module: the module of ``jit_hooks.hooks`` that holds its body, a function of its name with ``_`` for ``-``.
        breaks: how the report of a refusal begins.
        way_round: the command that leaves it out in an emergency; empty where git has none.
        on_server: True if it belongs in a bare repository, to which others push.
        reads_stdin: True if git hands it something on stdin; all others get an empty one.
        only_tells: True if it ends with 0 whatever it finds: its exit code would make git fail after its work is done.
        may_repair: True if it repairs the worktree after a refusal, where the user chose so.
    """

    name: str
    id: str
    module: str = "bodies"
    breaks: str = ""
    way_round: str = ""
    on_server: bool = False
    reads_stdin: bool = False
    only_tells: bool = False
    may_repair: bool = False


_ROWS = (
    Hook(
        "pre-commit",
        "jit-check",
        breaks="this commit would break the issue store",
        way_round="git commit --no-verify",
        may_repair=True,
    ),
    Hook(
        "pre-merge-commit",
        "jit-pre-merge-commit",
        breaks="this merge would break the issue store",
        way_round="git merge --no-verify",
        may_repair=True,
    ),
    Hook("post-merge", "jit-post-merge", breaks="after this merge the issue store is broken"),
    Hook("post-checkout", "jit-post-checkout", "after", only_tells=True),
    Hook("post-rewrite", "jit-post-rewrite", "after", reads_stdin=True, only_tells=True),
    Hook(
        "pre-push",
        "jit-pre-push",
        "push",
        breaks="this push would break the issue store",
        way_round="git push --no-verify",
        reads_stdin=True,
    ),
    Hook(
        "pre-receive",
        "jit-pre-receive",
        "push",
        breaks="this push would break the issue store",
        on_server=True,
        reads_stdin=True,
    ),
)

HOOKS = {row.name: row for row in _ROWS}
"""Every hook by git's name of it."""

HOOK_IDS = {row.name: row.id for row in _ROWS if not row.on_server}
"""Git's name of each hook that is installed in a worktree, and its id."""

SERVER_HOOK_IDS = {row.name: row.id for row in _ROWS if row.on_server}
"""The same for a bare repository."""
