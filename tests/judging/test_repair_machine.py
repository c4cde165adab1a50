"""Damage, honest work, repairs, undo, crashes, the tracker's transactions and git, in any order (a state machine)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from git_scratch import LONG_AGO, git
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from proofs import how_many, proof
from rough_damage import Rough
from scenes import lay_tree

from jit_hooks.cli.place import find_place, request_for
from jit_hooks.disk.files import Files
from jit_hooks.errors import NoEntryError, NotSettledError
from jit_hooks.journal.plan import digest_of
from jit_hooks.journal.undo import undo
from jit_hooks.judging.judge import judge
from jit_hooks.judging.mending import Choice, mend
from jit_hooks.place import place_of
from jit_hooks.repairs import BY_CODE
from jit_hooks.testing.damage import healthy_scene
from jit_hooks.testing.tracker import issue_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.judging.report import Report
    from jit_hooks.judging.request import Request

LOG, INDEX = "events.jsonl", "index.json"
TRANSACTION = f"tmp/transactions/{'7' * 32}"
SEAM = ("create", "extend", "write", "fsync", "rename", "unlink", "mkdir", "rmdir", "fsync_directory")
"""The calls of the file layer that change something: a process may be killed at each."""

Store = dict[str, bytes]
seeds = st.integers(0, 2**32)


class Killed(BaseException):
    """The process is no more; nothing catches it."""


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """The process dies at the nth call that changes something, a write half done; from then on none is made."""
    left = number
    with pytest.MonkeyPatch.context() as patch:
        for name in SEAM:

            def call(
                self: Files, *arguments: object, _name: str = name, _real: object = getattr(Files, name)
            ) -> object:
                nonlocal left
                left -= 1
                if left > 0:
                    return _real(self, *arguments)  # type: ignore[operator]
                if left == 0 and _name == "write":
                    handle, data = arguments
                    _real(self, handle, data[: len(data) // 2])  # type: ignore[operator,index,arg-type]
                raise Killed

            patch.setattr(Files, name, call)
        yield


class Machine(RuleBasedStateMachine):
    """One repository, to which all this happens.

    Attributes:
        work: the files of honest work since the start, as they were written.
        events: the ids of honest events.
    """

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(dir=self.template.parent))
        shutil.copytree(self.template, self.top, dirs_exist_ok=True, symlinks=True)
        self.data = self.top / ".jit"
        self.scene = healthy_scene("june")
        self.log_end = len(self.scene.files[LOG])
        self.work: Store = {}
        self.events: list[str] = []
        self.done = 0

    # What the world does

    def damage(self, seed: int) -> None:
        """Up to three times anything at all happens to a file that is no honest work."""
        before = self.store()
        log = before.get(LOG, b"")
        if self.is_pending or any(path not in before for path in (LOG, INDEX)):
            return
        files = dict(before)
        rough = Rough(files, seed, self.work, min(self.log_end, log.rfind(b"\n", 0, self.log_end) + 1))
        rough.plant(seed % 4)
        self.log_end = rough.log_end
        for path in before.keys() - files.keys():
            (self.data / path).unlink()
        for path, data in files.items():
            if before.get(path) != data:
                (self.data / path).write_bytes(data)

    @rule()
    def edit(self) -> None:
        """The tracker creates an issue."""
        self.done += 1
        tracker = self.scene.tracker.fork()
        tracker.rng.seed(self.done)
        before = len(tracker.files[LOG])
        created = tracker.create(f"Honest work {self.done}", labels=["epic:harbour", "type:task"])
        path, new = issue_path(created), tracker.files[LOG][before:]
        self.work[path] = tracker.files[path]
        (self.data / path).write_bytes(tracker.files[path])
        with (self.data / LOG).open("ab") as log:
            log.write(new)
        self.events += [json.loads(line)["id"] for line in new.splitlines()]
        try:
            index = json.loads((self.data / INDEX).read_bytes())
            index["all_ids"].append(created)
            (self.data / INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")
        except (OSError, ValueError, KeyError):
            return  # a tracker that cannot read the issue index stops here

    @precondition(lambda self: not self.is_pending)
    @rule()
    def crash_of_the_tracker(self) -> None:
        """v1's tracker dies inside a transaction."""
        (self.data / TRANSACTION).mkdir(parents=True)
        (self.data / TRANSACTION / "journal.json").write_text('{"decision": "prepared"}', encoding="utf-8")

    @precondition(lambda self: self.is_pending)
    @rule()
    def recovery_of_the_tracker(self) -> None:
        """``jit recover`` goes back to what was."""
        shutil.rmtree(self.data / "tmp")

    @rule()
    def commit(self) -> None:
        """Whatever there is goes into history."""
        git(self.top, "add", "--all")
        git(self.top, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", ".jit/tmp")
        git(self.top, "commit", "--quiet", "--allow-empty", "--message=more", **LONG_AGO)

    @rule(number=st.integers(0, 1000))
    def checkout(self, number: int) -> None:
        """Somebody takes HEAD's version of a file."""
        paths = git(self.top, "ls-tree", "-r", "--name-only", "HEAD", ".jit/issues", ".jit/index.json").split()
        path = paths[number % len(paths)]
        git(self.top, "checkout", "--quiet", "HEAD", "--", path)
        name = path.removeprefix(".jit/")
        if name in self.work:
            self.work[name] = (self.data / name).read_bytes()

    # What the tool does

    @rule()
    def check(self) -> None:
        """Looking changes nothing."""
        before = self.store()
        if self.is_pending:
            with pytest.raises(NotSettledError):
                judge(self.request())
        else:
            judge(self.request())
        assert self.store() == before

    @rule(seed=seeds, unsafe=st.booleans())
    def dry_run(self, seed: int, unsafe: bool) -> None:
        """Planning changes nothing."""
        self.damage(seed)
        before = self.store()
        self.fix(unsafe, dry_run=True)
        assert self.store() == before

    @rule(seed=seeds, unsafe=st.booleans())
    def fix_it(self, seed: int, unsafe: bool) -> None:
        """A repair keeps what it takes away; a second one finds nothing to do."""
        self.damage(seed)
        before = self.store()
        report = self.fix(unsafe)
        after = self.store()
        self.nothing_is_lost(before, after)
        if report is None:
            assert after == before
            return
        self.fix(unsafe)
        assert self.store() == after

    @rule(seed=seeds, unsafe=st.booleans(), at=st.integers(1, 60))
    def fix_and_be_killed(self, seed: int, unsafe: bool, at: int) -> None:
        """Each file is as it was or as it was to be; the next repair finishes."""
        self.damage(seed)
        before = self.store()
        try:
            with killed_at(at):
                self.fix(unsafe)
        except Killed:
            pass
        torn = self.store()
        self.nothing_is_lost(before, torn)
        self.fix(unsafe)
        after = self.store()
        ours = {path for path in torn if path not in before and path not in after}
        assert all(torn.get(path) in (before.get(path), after.get(path)) for path in torn.keys() - ours), (
            before,
            after,
        )
        assert all(".tmp" in path for path in ours)
        self.nothing_is_lost(before, after)

    @rule()
    def undo_it(self) -> None:
        """The newest repair is taken back, as far as nobody has built on it."""
        before = self.store()
        try:
            request = self.request()
            assert request.repository is not None
            undo(None, place_of(request.repository, request.root), wait=0)
        except (NoEntryError, NotSettledError):
            assert self.store() == before
        self.nothing_is_lost(before, self.store())

    # What has to hold

    def teardown(self) -> None:
        """In the end the store is healthy, or lists what people must decide."""
        if self.is_pending:
            self.recovery_of_the_tracker()
        for unsafe in (False, True):
            report = self.fix(unsafe)
            assert report is not None
            for problem in report.errors:
                row = BY_CODE.get(problem.code)
                assert (
                    row is None
                    or report.repairs is None
                    or problem.identity in report.repairs.left
                    or (row.unsafe and not unsafe)
                ), problem
        after = self.store()
        self.fix(True)
        assert self.store() == after
        assert {path: after.get(path) for path in self.work} == self.work
        shutil.rmtree(self.top)

    def nothing_is_lost(self, before: Store, after: Store) -> None:
        """What a file held is in the store or whole in the journal; every honest event can be read somewhere."""
        for path, data in before.items():
            if after.get(path) != data and not after.get(path, b"").startswith(data):
                kept = self.top / ".git" / "jit-hooks" / "journal" / "objects" / digest_of(data)
                assert kept.read_bytes() == data, path
        logs = b"".join(data for path, data in after.items() if path.startswith(LOG))
        assert [event for event in self.events if event.encode() not in logs] == []

    @property
    def is_pending(self) -> bool:
        """Whether a transaction of the tracker waits."""
        return (self.data / TRANSACTION).exists()

    def store(self) -> Store:
        """Every file of the store but locks, which are empty."""
        found = {}
        for above, _, names in os.walk(self.data):
            for name in names:
                if not name.endswith(".lock"):
                    path = Path(above, name)
                    found[str(path.relative_to(self.data))] = path.read_bytes()
        return found

    def request(self) -> Request:
        """A check of the worktree now."""
        request = request_for(find_place(str(self.top)), "worktree")
        assert request is not None
        return replace(request, now=self.scene.now, wait=0.0)

    def fix(self, unsafe: bool, *, dry_run: bool = False) -> Report | None:
        """The report of a repair; None when a pending transaction forbids it."""
        pending = self.is_pending
        try:
            return mend(self.request(), Choice(unsafe=unsafe), dry_run=dry_run, time=self.scene.now, command="test")
        except NotSettledError:
            assert pending
            return None


@proof
def test_any_order_of_damage_work_repair_and_crash(tmp_path: Path) -> None:
    template = tmp_path / "template"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "--template=", str(template))
    lay_tree(healthy_scene("june"), template)
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message=store", **LONG_AGO)
    Machine.template = template
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=how_many(24, few=2),
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
