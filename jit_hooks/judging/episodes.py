"""Follow each problem of a history from the commit where it entered to the one where it left."""

from __future__ import annotations

import time

from jit_hooks.checks import CHECKS
from jit_hooks.judging.commits import JudgedCommits, settings_in_force, with_raised
from jit_hooks.judging.history import History, resolve_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from jit_hooks.checks import Check
    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded


class Episode:
    """One problem over a history.

    Attributes:
        problem: with the commit that brought it.
        left: the first commit that no longer holds it; None while a tip does.
    """

    __slots__ = ("left", "problem")

    def __init__(self, problem: Graded) -> None:
        self.problem = problem
        self.left: str | None = None


def follow(
    repository: Repository,
    range_: str,
    *,
    checks: tuple[Check, ...] = CHECKS,
    severities: frozenset[str] = frozenset(("error",)),
    progress: Callable[[int, int], object] | None = None,
) -> tuple[list[Episode], Report] | None:
    """Each problem of a range with the commit where it entered and the one where it left, in the order of entry.

    Args:
        repository: where the commits are.
        range_: as for ``judge_range``.
        checks: the rows of the registry to run; those that the settings raise to errors come on top.
        severities: which problems to follow.
        progress: called with how many commits are done, and how many there are.

    Returns:
        The episodes and a report of the checks that could not be made; None when there is no store.

    Raises:
        NotJudgedError: as ``judge_range``.
        UsageError: as ``judge_range``.
    """
    began = time.monotonic()
    new, old = resolve_range(repository, range_)
    base = old[0] if old else repository.commits.resolve("HEAD") or new[0]
    settings, notices = settings_in_force(repository, base)
    history = History(repository, settings.accepted)
    words = [*new, *(f"^{commit}" for commit in old)]
    history.read(words)
    if history.is_empty(new):
        return None
    commits = JudgedCommits(history, settings, with_raised(checks, settings))
    for number, commit in enumerate(history.parents):
        commits.judge(commit)
        if progress is not None:
            progress(number + 1, len(history.parents))
    commits.settle_unmade(new)
    episodes = [Episode(problem) for problem in commits.introduced if problem.severity in severities]
    if episodes:
        _find_ends(commits, episodes, history.graph(words), new)
    report = commits.report(f"range {range_}", new, began, notices)
    report.problems = [episode.problem for episode in episodes if episode.left is None]
    return episodes, commits.concluded(report, new)


def _find_ends(commits: JudgedCommits, episodes: list[Episode], graph: dict[str, list[str]], tips: list[str]) -> None:
    """Find the end of each episode.

    Only commits that write a file the problem rests on are asked. What nonetheless is gone at the tips is then
    looked for in every commit.
    """
    open_at_end = _walk(commits, episodes, graph, everywhere=False)
    held: set[Episode] = set()
    for tip in tips:
        held |= _still_open(commits, tip, open_at_end)
    for episode in held:
        episode.left = None
    missed = [episode for episode in open_at_end if episode not in held and episode.left is None]
    if missed:
        _walk(commits, missed, graph, everywhere=True)


def _still_open(commits: JudgedCommits, commit: str, episodes: list[Episode]) -> set[Episode]:
    still = commits.still_held(commit, (episode.problem for episode in episodes))
    return {episode for episode in episodes if episode.problem in still}


def _walk(
    commits: JudgedCommits, episodes: list[Episode], graph: dict[str, list[str]], *, everywhere: bool
) -> list[Episode]:
    """Follow episodes from commit to commit; those that some commit without children still has."""
    brought: dict[str, list[Episode]] = {}
    for episode in episodes:
        brought.setdefault(episode.problem.commit or "", []).append(episode)
    holding: dict[str, frozenset[Episode]] = {}
    parents_of_some: set[str] = set()
    for commit, parents in graph.items():
        parents_of_some.update(parents)
        sets = [holding.get(parent, frozenset()) for parent in parents]
        before = frozenset[Episode]().union(*sets)
        touched = commits.history.changed_by(commit) if commit in commits.history.parents else set()
        asked = [
            episode
            for episode in before
            if everywhere
            or not touched.isdisjoint((episode.problem.path, *episode.problem.related))
            or not all(episode in held for held in sets)
        ]
        gone = set(asked) - (_still_open(commits, commit, asked) if asked else set())
        for episode in gone:
            episode.left = episode.left or commit
        holding[commit] = (before - gone).union(brought.get(commit, ()))
    ends = [held for commit, held in holding.items() if commit not in parents_of_some]
    return list(frozenset[Episode]().union(*ends))
