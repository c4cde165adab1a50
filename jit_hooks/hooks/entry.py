"""The beginning of a hook: as little as possible before it is known that there is something to do."""

from __future__ import annotations

import os
import sys

from jit_hooks.store.layout import USUAL_STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.git.repository import Repository


def main(arguments: list[str]) -> int:
    """Run one hook body.

    Args:
        arguments: the hook's name; ``--store PREFIX``, for each store, ``--repair`` and ``--diff-on-stdin``, for
            the only one, from the gate script; git's own. Without a prefix the stores are found.

    Returns:
        The exit code: 0 judged and no error, 1 errors, 2 usage or settings, 3 not judged, 130 interrupted.
    """
    try:
        if arguments[:1] == ["merge"]:
            from jit_hooks.hooks.driver import main as merge_one_file

            return merge_one_file(arguments[1:])
        return _run(arguments)
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    hook, *rest = arguments
    stores: list[str] = []
    diff: bytes | None = None
    while rest[:1] == ["--store"]:
        stores.append(rest[1])
        rest = rest[2:]
    repairs = rest[:1] == ["--repair"]
    if repairs:
        rest = rest[1:]
    if rest[:1] == ["--diff-on-stdin"]:
        diff, rest = sys.stdin.buffer.read(), rest[1:]
    if not stores and _has_usual_store():
        stores = [USUAL_STORE]
    opened: dict[str, Repository] = {}
    if stores and hook == "pre-commit" and not _concludes_merge():
        stores = [prefix for prefix in stores if not _passes(prefix, diff, opened)]
        if not stores:
            return 0
    if "site" not in sys.modules:
        import site

        site.main()
    from jit_hooks.hooks.bodies import run

    return run(hook, rest, stores, opened, repairs=repairs)


def _has_usual_store() -> bool:
    """True if this is the top of a worktree with its store in the usual place, and no other was named."""
    return not os.environ.get("JIT_DATA_DIR") and os.path.lexists(".git") and os.path.lexists(".jit")


def _passes(prefix: str, diff: bytes | None, opened: dict[str, Repository]) -> bool:
    """True if it is known already that the staged changes of one store break nothing; else its repository is kept."""
    if diff is None:
        diff = _ask_for_diff(prefix)
    if not diff:
        return diff is not None
    return _is_plainly_healthy(diff, prefix, opened)


def _is_plainly_healthy(diff: bytes, prefix: str, opened: dict[str, Repository]) -> bool:
    """The hot path's answer; what it cannot do is no pass, and left to the full check, which says why."""
    try:
        from jit_hooks.git.command import Git
        from jit_hooks.git.repository import Repository
        from jit_hooks.hooks.hot import is_plainly_healthy

        repository = Repository(Git(), prefix)
        if not is_plainly_healthy(diff, repository):
            opened[prefix] = repository
            return False
        repository.close()
    except Exception:  # noqa: BLE001
        return False
    return True


def _concludes_merge() -> bool:
    """True if a merge, or a commit that git applies elsewhere, is being concluded; in doubt, too."""
    from jit_hooks.git.state import is_under_way_here

    return is_under_way_here() is not False


def _ask_for_diff(prefix: str) -> bytes | None:
    """The staged changes of the store, when no gate script has asked for them; None when git cannot tell."""
    from jit_hooks.git.command import EVERY_LINK, Git
    from jit_hooks.git.repository import Repository

    repository = Repository(Git(), prefix)
    arguments = ("diff-index", "--cached", "--raw", "--no-abbrev", "--no-renames", EVERY_LINK, "HEAD", "--")
    status, out, _ = repository.git.ask(*arguments, *repository.pathspecs())
    return out if status == 0 else None
