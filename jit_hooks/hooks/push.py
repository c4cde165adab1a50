"""The bodies of the hooks at a push: on the machine that pushes, and on the server that must not trust it."""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from jit_hooks.errors import MissingObjectError, NotJudgedError, UsageError
from jit_hooks.git.command import glob_quoted
from jit_hooks.hooks.bodies import HOOK_CHECKS, SECONDS
from jit_hooks.judging.commits import Bounds, judge_commits
from jit_hooks.problem import SEVERITIES
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.git.repository import Repository
    from jit_hooks.judging.report import Report
    from jit_hooks.problem import Graded

RECEIVED = Bounds(
    seconds=120.0,
    remedy="push fewer commits at once; `seconds` under [limits] of the .jit/hooks.toml that is here already moves it",
    sizes=(8 * 1024 * 1024, 256 * 1024 * 1024),
    changes=500_000,
)
"""The most a push may cost a server, seconds and sizes unless the settings in force say otherwise: a record takes some
twenty times its size in memory when it is parsed."""

RECEIVED_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes that judging may take in this process and in each git it starts: git lists a tree of trees before it says
anything, and a few kilobytes can name more files than any machine holds."""

_OBJECT_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


@dataclass(frozen=True)
class Update:
    """One line of what is pushed.

    Attributes:
        ref: its name on the server.
        new: the object it is to name; empty when the ref is to go.
        old: the object it names; empty when the ref is new.
    """

    ref: str
    new: str
    old: str


@dataclass
class _Asked:
    """The sum of updates that can be judged together.

    Attributes:
        known: what ``git rev-list`` is to leave out.
        base: a commit with the settings that hold.
        sources: tip to what reports call the commits up to it.
        refs: tip to the refs that are to name it.
    """

    known: tuple[str, ...]
    base: str | None
    sources: dict[str, str] = field(default_factory=dict)
    refs: dict[str, list[str]] = field(default_factory=dict)


class _Questions:
    """The questions of a push, each asked once, however many refs ask it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.asked: dict[tuple[object, ...], _Asked] = {}

    def ask(self, update: Update, tip: str, known: tuple[str, ...], base: str | None) -> None:
        """Ask for all that a tip brings, by the settings of a base; those of the same settings are one question."""
        settings = f"{base}:{self.repository.top_path(layout.SETTINGS)}"
        same = (known, base and self.repository.names.find(settings))
        one = self.asked.setdefault(same, _Asked(known, base))
        one.sources[tip] = f"range {base[:12]}..{tip[:12]}" if base and base != tip else f"range {tip[:12]}"
        one.refs.setdefault(tip, []).append(update.ref)


def pre_push(arguments: list[str], repository: Repository) -> Report | None:
    """Judge what the remote lacks of every ref that is pushed.

    Args:
        arguments: the remote's name (its URL when it has none), and its URL.
        repository: the one pushed from.
    """
    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    names = repository.git.text("remote").split("\n")
    is_named = bool(remote) and remote in names
    left_out = _held_by(remote, names) if is_named else ()
    default = repository.commits.resolve(f"refs/remotes/{remote}/HEAD") if is_named else None
    questions = _Questions(repository)
    for update in _pushed(repository):
        tip = _tip(repository, update.new)
        if tip is None:
            continue
        old = _commit(repository, update.old)
        known = (*((f"^{old}",) if old else ()), *left_out)
        # Without anything there yet a person publishes a history with its settings.
        questions.ask(update, tip, known, old or default or tip)
    # A person who waits can end it; what a server has to do for one push has an end in all.
    return _judge_all(questions, Bounds(seconds=SECONDS), in_all=False)


def _held_by(remote: str, names: list[str]) -> tuple[str, ...]:
    """The words that leave out commits which a remote is known to hold, and no others: `a`, not `a/b`."""
    others = [f"--exclude={glob_quoted(name)}/*" for name in names if name.startswith(f"{remote}/")]
    return ("--not", *others, f"--remotes={glob_quoted(remote)}/*")


def pre_receive(_: list[str], repository: Repository) -> Report | None:
    """Judge what each ref brings, by the settings that were here before, whatever the push says.

    An existing ref answers for all it has not had, but for what the default branch holds; a new one for all that no
    ref holds; a new default branch for everything.
    """
    default_name = repository.git.ask("symbolic-ref", "--quiet", "HEAD")[1].decode("utf-8", "surrogateescape").strip()
    default = repository.commits.resolve("HEAD")
    questions = _Questions(repository)
    for update in _updates(_lines(), names=("old", "new", "ref")):
        tip = _tip(repository, update.new)
        if tip is None:
            continue
        old = _commit(repository, update.old)
        if update.ref == default_name:
            known = [f"^{old}"] if old else []
        elif old:
            known = [f"^{one}" for one in (old, default) if one]
        else:
            known = ["--not", "--all"]
        questions.ask(update, tip, tuple(known), old or default)
    with _memory_limit(RECEIVED_MEMORY):
        return _judge_all(questions, RECEIVED, in_all=True)


@contextmanager
def _memory_limit(size: int) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, from taking more memory, where the system heeds that."""
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    set_already = [limit for limit in (before, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min((size, *set_already)), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


def _tip(repository: Repository, new: str) -> str | None:
    """The commit that a ref is to name; None when the ref goes, or names a tree or a file, which have no history.

    Raises:
        MissingObjectError: the object is not there.
    """
    if not new:
        return None
    found = repository.names.find(f"{new}^{{}}")
    if found is None:
        raise MissingObjectError(new)
    identity, kind = found
    return identity if kind == "commit" else None


def _commit(repository: Repository, name: str) -> str | None:
    """The commit that a ref names; None when it names none, or one that is not here."""
    found = repository.names.find(f"{name}^{{commit}}") if name else None
    return found[0] if found else None


def _judge_all(questions: _Questions, bounds: Bounds, *, in_all: bool) -> Report | None:
    """One report on all that is pushed.

    Args:
        questions: what is asked.
        bounds: what an answer may cost.
        in_all: whether the time limit is one for all answers together.

    Raises:
        NotJudgedError: of what was judged nothing is wrong, and something was not judged.
    """
    began = time.monotonic()

    def answers(one: _Asked, tips: list[str]) -> Iterator[tuple[list[str], Report]]:
        """A verdict on the tips together; where it is no pass, on each half of them, to know which it is."""
        report = judge_commits(
            questions.repository,
            tips,
            list(one.known),
            one.base,
            source=one.sources[tips[0]],
            checks=HOOK_CHECKS,
            hook=True,
            bounds=replace(bounds, spent=time.monotonic() - began) if in_all else bounds,
        )
        if report is not None and report.exit_code and len(tips) > 1:
            half = len(tips) // 2
            yield from answers(one, tips[:half])
            yield from answers(one, tips[half:])
        elif report is not None:
            yield tips, report

    together: Report | None = None
    refused: list[str] = []
    for one in questions.asked.values():
        for tips, report in answers(one, list(one.refs)):
            if report.exit_code:
                refused.extend(ref for tip in tips for ref in one.refs[tip])
            together = report if together is None else _joined(together, report)
    if together is None:
        return None
    if together.verdict == "not-judged":
        raise NotJudgedError(f"{', '.join(refused)}: {together.reason}", together.remedy)
    if refused:
        together.notices.append(f"refused: {', '.join(refused)}")
        together.notices.append("a new commit on top that mends it is enough: what the tip no longer holds is no error")
    return together


def _joined(one: Report, other: Report) -> Report:
    """Two reports as one, each problem once and as grave as it is anywhere."""
    worst = max(one, other, key=lambda report: ["healthy", "not-judged", "problems"].index(report.verdict))
    once: dict[tuple[str | None, tuple[str, str, str]], Graded] = {}
    for problem in sorted((*one.problems, *other.problems), key=lambda problem: SEVERITIES.index(problem.severity)):
        once.setdefault((problem.commit, problem.identity), problem)
    worst.problems = list(once.values())
    worst.notices = list(dict.fromkeys((*one.notices, *other.notices)))
    worst.carried = list({problem.identity: problem for problem in (*one.carried, *other.carried)}.values())
    worst.skipped = one.skipped | other.skipped
    return worst


def _pushed(repository: Repository) -> Iterator[Update]:
    """The updates that git says are pushed; a framework passes only the first ref on, in variables."""
    lines = _lines()
    if lines or "PRE_COMMIT" not in os.environ:
        yield from _updates(lines, names=("local", "new", "ref", "old"))
        return
    new = os.environ.get("PRE_COMMIT_TO_REF") or os.environ.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
    tip = repository.commits.resolve(new)
    if tip is None:
        raise NotJudgedError(f"the framework says that {new} is pushed, which names no commit")
    old = repository.commits.resolve(os.environ.get("PRE_COMMIT_FROM_REF", "")) or ""
    yield Update(os.environ.get("PRE_COMMIT_REMOTE_BRANCH", new), tip, old)


def _lines() -> list[str]:
    if sys.stdin is None or sys.stdin.isatty():
        return []
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape").splitlines()


def _updates(lines: Iterable[str], names: tuple[str, ...]) -> Iterator[Update]:
    """The updates that git's lines name.

    Raises:
        UsageError: a line is none of git's.
    """
    for line in lines:
        words = dict(zip(names, line.split(" "), strict=False))
        if len(words) != len(names) or not all(_OBJECT_ID.match(words[name]) for name in ("new", "old")):
            raise UsageError(f"stdin is not what git gives this hook: {line!r}")
        new, old = (words[name] if words[name].strip("0") else "" for name in ("new", "old"))
        yield Update(words["ref"], new, old)
