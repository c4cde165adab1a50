"""The bodies of the hooks at a push: on the machine that pushes, and on the server that must not trust it."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field

from jit_hooks.errors import MissingObjectError, NotJudgedError, UsageError
from jit_hooks.history import judge_commits
from jit_hooks.hooks.bodies import HOOK_CHECKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jit_hooks.git import Repository
    from jit_hooks.line import Report
    from jit_hooks.problem import Problem

RECEIVED_RECORD_BYTES = 8 * 1024 * 1024
RECEIVED_LOG_BYTES = 256 * 1024 * 1024
"""What a server reads of one record, and of the event log, unless the settings in force say otherwise: a record of
this size takes some twenty times as much memory when it is parsed."""

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


@dataclass(frozen=True)
class _Asked:
    """What one update comes to: the commits to judge, and whose settings hold."""

    tip: str
    known: tuple[str, ...]
    base: str | None
    source: str
    refs: list[str] = field(default_factory=list, compare=False)


def pre_push(arguments: list[str], repository: Repository) -> Report | None:
    """Judge what the remote lacks of every ref that is pushed.

    Args:
        arguments: the remote's name (its URL when it has none), and its URL.
        repository: the one pushed from.
    """
    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    is_named = remote in repository.git.text("remote").split("\n")
    left_out = ("--not", f"--remotes={remote}") if remote and is_named else ()
    default = repository.resolve(f"refs/remotes/{remote}/HEAD") if is_named else None
    asked: dict[_Asked, _Asked] = {}
    for update in _pushed(repository):
        tip = _tip(repository, update.new)
        if tip is None:
            continue
        old = repository.resolve(update.old) if update.old else None
        known = (*((f"^{old}",) if old else ()), *left_out)
        base = old or default
        # Without anything there yet a person publishes a history with its settings.
        _ask(asked, _Asked(tip, known, base or tip, _source(base, tip)), update.ref)
    return _judge_all(repository, asked, None)


def pre_receive(_: list[str], repository: Repository) -> Report | None:
    """Judge what each ref brings, by the settings that were here before, whatever the push says.

    An existing ref answers for all it has not had, but for what the default branch holds; a new one for all that no
    ref holds; a new default branch for everything.
    """
    default_name = repository.git.ask("symbolic-ref", "--quiet", "HEAD")[1].decode("utf-8", "surrogateescape").strip()
    default = repository.resolve("HEAD")
    asked: dict[_Asked, _Asked] = {}
    for update in _updates(_lines(), names=("old", "new", "ref")):
        tip = _tip(repository, update.new)
        if tip is None:
            continue
        old = repository.resolve(update.old) if update.old else None
        if update.ref == default_name:
            known = [f"^{old}"] if old else []
        elif old:
            known = [f"^{one}" for one in (old, default) if one]
        else:
            known = ["--not", "--all"]
        base = old or default
        _ask(asked, _Asked(tip, tuple(known), base, _source(base, tip)), update.ref)
    return _judge_all(repository, asked, (RECEIVED_RECORD_BYTES, RECEIVED_LOG_BYTES))


def _tip(repository: Repository, new: str) -> str | None:
    """The commit that a ref is to name; None when the ref goes, or names a tree or a file, which have no history.

    Raises:
        MissingObjectError: the object is not there.
    """
    if not new:
        return None
    if repository.git.ask("cat-file", "-e", new)[0]:
        raise MissingObjectError(new)
    return repository.resolve(new)


def _ask(asked: dict[_Asked, _Asked], wanted: _Asked, ref: str) -> None:
    """Note a question once, however many refs ask it."""
    asked.setdefault(wanted, wanted).refs.append(ref)


def _source(base: str | None, tip: str) -> str:
    return f"range {base[:12]}..{tip[:12]}" if base and base != tip else f"range {tip[:12]}"


def _judge_all(repository: Repository, asked: Iterable[_Asked], limits: tuple[int, int] | None) -> Report | None:
    """One report on all that is pushed.

    Raises:
        NotJudgedError: of what was judged nothing is wrong, and something was not judged.
    """
    together: Report | None = None
    refused: list[str] = []
    for one in asked:
        report = judge_commits(
            repository,
            [one.tip],
            list(one.known),
            one.base,
            source=one.source,
            checks=HOOK_CHECKS,
            hook=True,
            limits=limits,
        )
        if report is None:
            continue
        if report.exit_code:
            refused.extend(one.refs)
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
    rank = {"error": 0, "warning": 1}
    once: dict[tuple[str | None, tuple[str, str, str]], Problem] = {}
    for problem in sorted((*one.problems, *other.problems), key=lambda problem: rank.get(problem.severity, 2)):
        once.setdefault((problem.commit, problem.identity), problem)
    worst.problems = list(once.values())
    worst.notices = list(dict.fromkeys((*one.notices, *other.notices)))
    worst.carried = list({problem.identity: problem for problem in (*one.carried, *other.carried)}.values())
    worst.skipped = one.skipped | other.skipped
    return worst


def _pushed(repository: Repository) -> Iterator[Update]:
    """What git says is pushed; a framework passes only the first ref on, in variables."""
    lines = _lines()
    if lines or "PRE_COMMIT" not in os.environ:
        yield from _updates(lines, names=("local", "new", "ref", "old"))
        return
    new = os.environ.get("PRE_COMMIT_TO_REF") or os.environ.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
    tip = repository.resolve(new)
    if tip is None:
        raise NotJudgedError(f"the framework says that {new} is pushed, which names no commit")
    old = repository.resolve(os.environ.get("PRE_COMMIT_FROM_REF", "")) or ""
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
