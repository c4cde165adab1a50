"""``jit-hooks history``: follow problems from commit to commit, with a progress bar for people who wait."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jit_hooks.checks import CHECKS
from jit_hooks.cli.place import find_place
from jit_hooks.errors import UsageError
from jit_hooks.judging.episodes import follow
from jit_hooks.report import as_history
from jit_hooks.report.hook import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.episodes import Episode

_ERRORS = tuple(row for row in CHECKS if row.severity == "error")


def show(where: str, range_: str, *, everything: bool, json: bool) -> int:
    """Follow, print; the exit code: 1 when an error is still there."""
    place = find_place(where or None)
    try:
        if place.repository is None:
            message = "this is not a git repository: there is no history"
            raise UsageError(message)
        severities = frozenset(("error", "warning", "note") if everything else ("error",))
        checks = CHECKS if everything else _ERRORS
        with _progress() as progress:
            found = follow(place.repository, range_, checks=checks, severities=severities, progress=progress)
        if found is None:
            write(sys.stdout, "jit-hooks: nothing to judge: there is no issue store in these commits\n")
            return 0
        episodes, report = found
        dates = _dates(place.repository, episodes)
        write(sys.stdout, (as_history.as_json if json else as_history.as_table)(episodes, report, dates))
        return report.exit_code
    finally:
        place.close()


def _dates(repository: Repository, episodes: list[Episode]) -> dict[str, str]:
    """Commit id to the day of its commit."""
    named = dict.fromkeys(c for e in episodes for c in (e.problem.commit, e.left) if c)
    if not named:
        return {}
    said = repository.git.text("log", "--no-walk=unsorted", "--no-show-signature", "--format=%H %cs", *named, "--")
    return dict(line.split(" ", 1) for line in said.splitlines())


@contextmanager
def _progress() -> Iterator[Callable[[int, int], object] | None]:
    """A function to call after each commit; on a terminal it moves a bar on stderr, which goes when it is done."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("commits", total=None)
        yield lambda done, count: bar.update(task, completed=done, total=count)
