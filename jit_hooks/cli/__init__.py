"""The two commands. Typer is imported by those who need it: a hook body starts without."""

from __future__ import annotations

import sys

HOOK_BODIES = frozenset(
    (
        "pre-commit",
        "pre-merge-commit",
        "post-merge",
        "post-checkout",
        "post-rewrite",
        "pre-push",
        "pre-receive",
        "merge",
    )
)
"""The words that git itself calls, with its own arguments."""


def check() -> None:
    """The console script ``jit-check``."""
    sys.exit(_run("jit-check", "check_app", sys.argv[1:]))


def hooks() -> None:
    """The console script ``jit-hooks``."""
    if sys.argv[1:2] and sys.argv[1] in HOOK_BODIES:
        from jit_hooks.hooks.entry import main

        sys.exit(main(sys.argv[1:]))
    sys.exit(_run("jit-hooks", "hooks_app", sys.argv[1:]))


def _run(name: str, module: str, arguments: list[str]) -> int:
    try:
        from jit_hooks.cli.shell import run
    except KeyboardInterrupt:  # while typer is imported, which takes longest
        return 130
    return run(name, module, arguments)
