"""The rows about merging: what a merge of one file costs, and storms of branches with and without us."""

from __future__ import annotations

import json
import os
import random
import shlex
import subprocess
import sys
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

from measuring import Sample, interleave
from rows import Row
from workload import PROJECT, Bench

from jit_hooks.install.merge_driver import command
from jit_hooks.merge.conflict import read_conflict
from jit_hooks.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORM_SEED = 11
JUDGED = "merge,index,file,event-lost,run-lost"


def driver(bench: Bench) -> Iterator[Row]:
    """M1: the configured line, as git runs it, for one issue and for a long event log."""
    store = bench.store(bench.scale(10)) / ".jit"
    log = (store / layout.LOG).read_bytes()
    issue = next(iter(sorted((store / "issues").iterdir())))
    document: dict[str, Any] = json.loads(issue.read_bytes())
    sides = [json.dumps(document | change, indent=2).encode() for change in ({}, {"title": "x"}, {"priority": "low"})]
    ends = [b"", *(_line(number) for number in (1, 2))]
    merged = _runner(bench, "issue", f".jit/issues/{issue.name}", sides)
    grown = _runner(bench, "log", ".jit/events.jsonl", [log + end for end in ends])
    times = interleave(bench.runs(30), issue=merged, log=grown, bare=bench.bare)
    floor = f"x = {1000 * times.median('bare') / 0.73:.1f} ms"
    details = {"log_bytes": len(log), "times_ms": times.as_json()}
    for name, what, limit in (("issue", "one issue", 3), ("log", f"an event log of {len(log) / 1e6:.1f} MB", 4)):
        ratio = times.in_x(name)
        told = {"ratio": ratio, "ratio_cpu": times.in_x(name, "cpu"), **details}
        yield Row("M1", f"merge driver, {what}", f"<= {limit}x", f"{ratio:.2f}x", floor, ratio <= limit, told)


def _line(number: int) -> bytes:
    event = {
        "type": "issue_deleted",
        "id": f"0000000{number}-0000-4000-8000-000000000000",
        "timestamp": f"2026-06-30T23:59:5{number}.000000000Z",
        "issue_id": "00000000-0000-4000-8000-000000000009",
    }
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _runner(bench: Bench, name: str, path: str, sides: list[bytes]) -> Callable[[int], Sample]:
    """What merges the same three versions once a round."""
    where = bench.scratch / f"driver-{name}"
    where.mkdir()
    words = {"%O": "O", "%A": "A", "%B": "B", "%P": shlex.quote(path)}
    line = command(str(PROJECT), [".jit/"])
    for word, value in words.items():
        line = line.replace(word, value)

    def run(_: int) -> Sample:
        for file, data in zip("OAB", sides, strict=True):
            (where / file).write_bytes(data)
        return bench.command("sh", "-c", line, where=where).run()

    return run


def storms(bench: Bench) -> Iterator[Row]:
    """M2: branches of tracker work, merged or rebased one after the other; the same under plain git beside it."""
    sys.path.append(str(PROJECT / "tests"))
    module = import_module("merge_storm")
    for branches in (8,) if bench.quick else (8, 32):
        for apart in (True, False):
            base, sides = module.storm(STORM_SEED, "june", branches, apart=apart)
            ours = Storm(bench, f"storm-{branches}-{apart}", base, sides, with_us=True)
            plain = Storm(bench, f"plain-{branches}-{apart}", base, sides, with_us=False)
            for one in (ours, plain):
                one.blow()
            whose = "on issues of their own" if apart else "on the same issues, deleting some"
            lost = ours.lost(sides)
            wanted = "no conflict, nothing lost" if apart else "nothing lost"
            yield Row(
                "M2",
                f"storm of {branches} branches, {whose}",
                wanted,
                f"{ours.said()}; {lost.total()} lost",
                f"plain git: {plain.said()}",
                lost.total() == 0 and not (apart and ours.conflicts),
                {"ours": ours.as_json(), "plain": plain.as_json(), "lost": dict(lost)},
            )


class Storm:
    """One repository in which branches come together.

    Under plain git a merge that stops is given up: there is nothing in it that could be finished without a person.
    With us it is finished with one of the two values, and files that one branch deleted go.

    Attributes:
        stopped: merges that needed a person.
        conflicts: kind of file to how often one was in conflict.
        invented: conflicts in which no value was changed twice and no record deleted, by path.
        invalid: JSON files that do not parse, after each branch.
    """

    def __init__(
        self, bench: Bench, name: str, base: dict[str, bytes], sides: list[dict[str, bytes]], *, with_us: bool
    ) -> None:
        self.bench = bench
        self.top = bench.scratch / name
        self.with_us = with_us
        self.stopped = 0
        self.conflicts: Counter[str] = Counter()
        self.invented: list[str] = []
        self.invalid = 0
        self.branches = [f"b{number}" for number in range(len(sides))]
        bench.git(bench.scratch, "init", "--quiet", "--initial-branch=main", "--template=", str(self.top))
        pieces = [_commit("main", "", {}, base)]
        pieces += [
            _commit(branch, "refs/heads/main", base, side) for branch, side in zip(self.branches, sides, strict=True)
        ]
        bench.git(self.top, "fast-import", "--quiet", data=b"".join(pieces))
        bench.git(self.top, "checkout", "--quiet", "main")
        if with_us:
            bench.install(self.top)
            bench.git(self.top, "config", "core.hooksPath", os.devnull)  # the driver alone; the audit comes at the end
        self.base = bench.git(self.top, "rev-parse", "HEAD")

    def blow(self) -> None:
        """Bring the branches to main in an order of their own, each merged or rebased."""
        rng = random.Random(STORM_SEED)
        rng.shuffle(self.branches)
        for branch in self.branches:
            if rng.random() < 0.5:
                self._merge(branch)
            else:
                self._rebase(branch)
            self.invalid += self._invalid()

    def _merge(self, branch: str) -> None:
        if self._try("merge", "--quiet", "--no-edit", branch):
            return
        self.stopped += 1
        unmerged = self._unmerged()
        if not self.with_us:
            self.bench.git(self.top, "merge", "--abort")
            return
        self._finish(unmerged, "MERGE_HEAD")
        self.bench.git(self.top, "commit", "--quiet", "--no-edit")

    def _rebase(self, branch: str) -> None:
        is_done = self._try("rebase", "--quiet", "main", branch)
        self.stopped += not is_done
        while not is_done:
            unmerged = self._unmerged()
            if not self.with_us:
                self.bench.git(self.top, "rebase", "--abort")
                self.bench.git(self.top, "checkout", "--quiet", "main")
                return
            self._finish(unmerged, "REBASE_HEAD")
            is_done = self._try("-c", "core.editor=true", "rebase", "--continue")
        self.bench.git(self.top, "checkout", "--quiet", "main")
        self.bench.git(self.top, "merge", "--quiet", "--ff-only", branch)

    def _try(self, *words: str) -> bool:
        done = subprocess.run(
            ("git", *words), cwd=self.top, env=self.bench.environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def _unmerged(self) -> dict[str, set[str]]:
        """The paths in conflict with their stages."""
        found: dict[str, set[str]] = {}
        for piece in self.bench.git(self.top, "ls-files", "-u", "-z").split("\0"):
            if piece:
                facts, _, path = piece.partition("\t")
                found.setdefault(path, set()).add(facts.split()[2])
        self.conflicts.update(layout.kind_of(path.removeprefix(".jit/")) for path in found)
        self.invented += [path for path, stages in found.items() if self.with_us and not self._is_true(path, stages)]
        return found

    def _is_true(self, path: str, stages: set[str]) -> bool:
        """Whether the versions in the git index leave something that only a person can decide.

        A path that one side alone has, or with the base of another issue, is there because one branch deleted that
        one, which git took for renamed.
        """
        base, ours, theirs = (self._show(f":{stage}:{path}") for stage in (1, 2, 3))
        name = path.removeprefix(".jit/")
        is_other = (
            layout.kind_of(name) == "issue" and base is not None and layout.issue_id_of(name).encode() not in base
        )
        if len(stages) == 1 or is_other:
            return True
        told: bool = import_module("merge_storm").is_true_conflict(name, base, ours, theirs)
        return told

    def _finish(self, unmerged: dict[str, set[str]], other: str) -> None:
        """Settle each path: one of the values, the issue it is named after, or its deletion.

        git takes an issue that one branch deleted and another that it created for one renamed, and then shows both
        paths in conflict. A path whose base is another issue is no deletion, whatever the stages say.
        """
        for path, stages in unmerged.items():
            there = self.top / path
            parts = read_conflict(there.read_bytes()) if there.exists() and {"2", "3"} <= stages else None
            chosen = parts[0] if parts else None
            whose = self._show(f":1:{path}") if "1" in stages else None
            is_deleted = (
                whose is not None
                and stages != {"1", "2", "3"}
                and layout.issue_id_of(path.removeprefix(".jit/")).encode() in whose
            )
            if chosen is None and not is_deleted:
                chosen = self._show(f"HEAD:{path}") or self._show(f"{other}:{path}")
            if chosen is None:
                self.bench.git(self.top, "rm", "--quiet", "--force", "--ignore-unmatch", "--", path)
            else:
                there.write_bytes(chosen)
                self.bench.git(self.top, "add", "--", path)

    def _show(self, name: str) -> bytes | None:
        words = ("git", "cat-file", "blob", name)
        done = subprocess.run(words, cwd=self.top, env=self.bench.environment, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def _invalid(self) -> int:
        """How many JSON files of main do not parse."""
        bad = 0
        for path in (self.top / ".jit").rglob("*.json"):
            try:
                json.loads(path.read_bytes())
            except ValueError:
                bad += 1
        return bad

    def lost(self, sides: list[dict[str, bytes]]) -> Counter[str]:
        """What is missing at the end: events, files that branches made, members, and what the audit says."""
        missing: Counter[str] = Counter()
        log = (self.top / ".jit" / layout.LOG).read_bytes().splitlines()
        wanted = {line for side in sides for line in side[layout.LOG].splitlines()}
        missing["events"] = len(wanted - set(log)) + len(log) - len(set(log))
        dead = set(json.loads((self.top / ".jit" / layout.INDEX).read_bytes())["deleted_ids"])
        for side in sides:
            for path in side:
                is_dead = layout.kind_of(path) == "issue" and layout.issue_id_of(path) in dead
                missing["files"] += not is_dead and not (self.top / ".jit" / path).exists()
        words = self.bench.ours("jit-check", "--range", f"{self.base}..HEAD", "--select", JUDGED, "--json")
        done = subprocess.run(words, cwd=self.top, env=self.bench.environment, capture_output=True, check=False)
        problems = json.loads(done.stdout)["problems"]
        missing.update(problem["code"] for problem in problems if problem["severity"] == "error")
        missing["conflicts without a cause"] = len(self.invented)
        return +missing

    def said(self) -> str:
        """How it went, in a few words."""
        united = len(self.branches) - self.stopped
        return f"{united} of {len(self.branches)} by themselves, {self.conflicts.total()} files in conflict"

    def as_json(self) -> dict[str, object]:
        """All figures."""
        return {
            "stopped": self.stopped,
            "conflicts": dict(self.conflicts),
            "invented": self.invented,
            "invalid": self.invalid,
        }


def _commit(branch: str, parent: str, before: dict[str, bytes], after: dict[str, bytes]) -> bytes:
    """One commit for ``git fast-import``."""
    parts = [f"commit refs/heads/{branch}\ncommitter A <a@example.org> 1780000000 +0000\ndata 1\nx\n".encode()]
    if parent:
        parts.append(f"from {parent}\n".encode())
    parts += [f"D .jit/{path}\n".encode() for path in before if path not in after]
    for path, data in after.items():
        if before.get(path) != data:
            parts.append(b"M 100644 inline .jit/%s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    return b"".join(parts) + b"\n"
