"""What a killed tracker left, on a real disk with real git, and what ``--fix`` makes of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from git_scratch import LONG_AGO

from jit_hooks.checks import CHECKS
from jit_hooks.git.command import Git
from jit_hooks.git.repository import Repository
from jit_hooks.journal.undo import undo
from jit_hooks.judging.judge import judge
from jit_hooks.judging.mending import SAFE, Choice, mend
from jit_hooks.judging.request import Request
from jit_hooks.place import place_of
from jit_hooks.report.commands import remedy_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from jit_hooks.checks import Check
    from jit_hooks.judging.report import Report

IGNORED = b".jit/**/*.lock\n.jit/worktree.json\n.jit/tmp/\n"
LEFT_FOR = 2 * 3600
"""Seconds since the crash when one looks: long enough for a file without a writer in its name to be old."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TEMP = re.compile(r"\.[0-9]+\.[0-9]+\.tmp$")


@dataclass(frozen=True)
class Left:
    """What lies there after a crash.

    Attributes:
        head: what the commit at HEAD holds, by path from the top.
        files: what lies in the worktree, by path from the top; None is an empty directory.
        control: what lies in the control plane, by path below it.
        now: when one looks, RFC 3339.
    """

    head: Mapping[str, bytes]
    files: Mapping[str, bytes | None]
    control: Mapping[str, bytes] = field(default_factory=dict)
    now: str = "2026-12-01T12:00:00Z"


def in_store(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Store paths as paths from the top."""
    return {f".jit/{path}": data for path, data in files.items()}


def write_below(top: Path, files: Mapping[str, bytes | None]) -> None:
    """Write files, and make empty directories."""
    for path, data in files.items():
        target = top / path
        if data is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def new_repository(top: Path, head: Mapping[str, bytes]) -> None:
    """A repository with one commit, and nothing in its worktree but what that holds."""
    top.mkdir(parents=True)
    write_below(top, {".gitignore": IGNORED, **head})
    subprocess.run(["git", "init", "-q", "-b", "main", "--template=", "."], cwd=top, check=True)
    subprocess.run(["git", "add", "--all"], cwd=top, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "before"], cwd=top, check=True, env={**os.environ, **LONG_AGO})


def lay(left: Left, top: Path) -> None:
    """Make the repository and leave in it what the crash left, as if nobody had looked since."""
    new_repository(top, left.head)
    for path in left.head.keys() - left.files.keys():
        (top / path).unlink()
    write_below(top, left.files)
    write_below(top / ".git" / "jit", left.control)
    then = datetime.fromisoformat(left.now).timestamp() - LEFT_FOR
    for found in [*(top / ".jit").rglob("*"), *(top / ".git" / "jit").rglob("*")]:
        os.utime(found, (then, then))


def tree_below(top: Path) -> dict[str, bytes | None]:
    """Every file, with its bytes, and every directory, with None; of ``.git`` the control plane of the tracker alone.

    Left out are the lock files, which a look creates.
    """
    found: dict[str, bytes | None] = {}
    for folder, names, files in os.walk(top):
        at = os.path.relpath(folder, top)
        if at == ".git":
            names[:] = [name for name in names if name == "jit"]
            continue
        for name in (*names, *files):
            path = os.path.normpath(os.path.join(at, name))
            whole = os.path.join(folder, name)
            if os.path.islink(whole):
                found[path] = os.readlink(whole).encode()
            elif name in names:
                found[path] = None
            elif not name.endswith(".lock"):
                with open(whole, "rb") as file:
                    found[path] = file.read()
    return {path: data for path, data in found.items() if path not in (".git", ".git/jit", ".git/jit/locks")}


def pattern(path: str) -> str:
    """A path as the tables spell it: from the store, ids and the names of writers as ``*``."""
    path = path.removeprefix(".jit/").replace(".git/jit/", "control:")
    return _TEMP.sub(".*.tmp", _ID.sub("*", path))


def changes(before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> set[str]:
    """How two trees differ: ``+ path`` is new, ``- path`` is gone, ``~ path`` has other bytes.

    A directory, which ends in ``/``, counts only when it goes: what is new in it is told.
    """
    found = set()
    for path, data in before.items():
        if path not in after:
            found.add(f"- {pattern(path)}{'/' * (data is None)}")
        elif after[path] != data:
            found.add(f"~ {pattern(path)}")
    return found | {f"+ {pattern(path)}" for path in after.keys() - before.keys() if after[path] is not None}


def events_in(log: bytes) -> list[dict[str, Any]]:
    """The events of a log that can be read."""
    return [json.loads(line) for line in log.splitlines()]


@dataclass(frozen=True)
class Desk:
    """A person at the worktree: looks, repairs, takes back; through the library, as the commands do.

    Attributes:
        top: the top of the worktree.
        now: the time, RFC 3339.
        checks: those to be made.
    """

    top: Path
    now: str
    checks: tuple[Check, ...] = CHECKS

    @contextmanager
    def looking(self) -> Iterator[Request]:
        """A fresh look at the worktree."""
        repository = Repository(Git(str(self.top)))
        head = repository.commits.head()
        parents = (head,) if head else ()
        try:
            store = str(self.top / ".jit")
            yield Request("worktree", store, repository, parents, checks=self.checks, now=self.now, wait=1.0)
        finally:
            repository.close()

    def judge(self) -> Report:
        """What ``jit-check`` gives."""
        with self.looking() as request:
            return judge(request)

    def fix(self, choice: Choice = SAFE) -> Report:
        """What ``jit-check --fix`` gives."""
        with self.looking() as request:
            return mend(request, choice, time=self.now, command="jit-check --fix")

    def undo(self) -> None:
        """``jit-hooks undo``, of which nothing is left out."""
        with self.looking() as request:
            assert request.repository is not None
            place = place_of(request.repository, request.root)
            assert undo(None, place, time=self.now).left == {}


def codes_in(report: Report) -> set[str]:
    """The codes of all that a report tells, of what the parent has, too."""
    return {problem.code for problem in (*report.problems, *report.carried)}


def told_in(report: Report) -> dict[str, str]:
    """By code, what a person is told to do: why a repair left it, else the remedy."""
    left = report.repairs.left if report.repairs is not None else {}
    return {
        problem.code: left.get(problem.identity) or str(remedy_for(problem, report))
        for problem in (*report.problems, *report.carried)
    }
