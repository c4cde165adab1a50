"""Where the right bytes are that the git index should have: in the worktree, in a parent, or nowhere.

A copy counts only when the fault is gone with it, and when no check finds an error in the copy itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from jit_hooks.checks import BY_CODE, CHECKS
from jit_hooks.judging.findings import find_problems
from jit_hooks.store.focus import Focus
from jit_hooks.store.snapshot import Overlay
from jit_hooks.store.store import Store
from jit_hooks.worktree import WorktreeSnapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.judging.judge import Request
    from jit_hooks.problem import Problem
    from jit_hooks.settings import Settings
    from jit_hooks.store.snapshot import Snapshot

    Identity = tuple[str, str, str]

_RECORD_CHECKS = tuple(row for row in CHECKS if row.needs == "record" and row.severity == "error")


@dataclass(frozen=True)
class Whereabouts:
    """Where a sound copy of one file is.

    Attributes:
        path: its store path.
        place: ``worktree``; ``HEAD`` or the id of another parent; empty when none has it.
        gone: whether the git index has no such file at all.
    """

    path: str
    place: str = ""
    gone: bool = False


def find_copies(
    request: Request, store: Store, focus: Focus, settings: Settings, problems: Iterable[Problem]
) -> dict[Identity, Whereabouts]:
    """For each problem that a copy of one file would cure: where that copy is."""
    wanted: dict[str, dict[Identity, str]] = {}
    for problem in problems:
        path = _path_wanted(problem, focus)
        if path:
            wanted.setdefault(problem.code, {})[problem.identity] = path
    if not wanted:
        return {}
    places: list[tuple[str, Snapshot]] = [("worktree", WorktreeSnapshot(request.root, request.repository))]
    for number, (name, parent) in enumerate(zip(request.parents, focus.parents, strict=False)):
        places.append((name if number else "HEAD", parent.snapshot))
    found: dict[Identity, Whereabouts] = {}
    for code, paths in wanted.items():
        left = dict(paths)
        for name, snapshot in places:
            for identity in _cured(code, left, snapshot, store, focus, settings):
                path = left.pop(identity)
                found[identity] = Whereabouts(path, name, gone=not store.stands_at(path))
        found.update({identity: Whereabouts(path) for identity, path in left.items()})
    return found


def _path_wanted(problem: Problem, focus: Focus) -> str:
    """The store path of the file whose right bytes would take a problem away; empty where it is not one file."""
    if problem.code == "index-lists-missing":
        return problem.related[0]
    if problem.code == "registry-absent" and focus.parents:
        return focus.parents[0].registry_path or problem.path
    whole = ("index-absent", "registry-absent", "run-lost", "run-changed", "event-lost", "issue-vanished")
    return problem.path if problem.code in whole or BY_CODE[problem.code].needs == "record" else ""


def _cured(
    code: str, paths: dict[Identity, str], snapshot: Snapshot, store: Store, focus: Focus, settings: Settings
) -> list[Identity]:
    """Which of these problems of one code are gone when the files are as in that snapshot, and sound."""
    laid: dict[str, bytes | None] = {}
    for path in dict.fromkeys(paths.values()):
        data = snapshot.read(path)
        if type(data) is bytes:
            laid[path] = data
    if not laid:
        return []
    overlay = Store(Overlay(store.snapshot, laid), settings.accepted)
    partly = Focus(focus.paths | set(laid), everything=False, parents=focus.parents)
    kept = {problem.identity for problem in find_problems(overlay, partly, [BY_CODE[code]]).problems}
    unsound = {problem.path for problem in find_problems(overlay, Focus(laid), _RECORD_CHECKS).problems}
    return [identity for identity, path in paths.items() if path in laid and not ({path} & unsound or identity in kept)]
