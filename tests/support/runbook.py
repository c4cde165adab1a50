"""Pages whose commands run: fenced ``console`` blocks, each below a comment that names what is wrong.

    <!-- runbook: v1 log-torn-tail -->
    ```console
    $ jit-check  # exit code 1
    error[event-unparsable]  ...
    ```

The words of the comment: an era (June's without one); then names of the damage catalogue or of ``HURTS`` below, in the
order in which they happen, or of ``FAULTS``, which last for the block. ``again`` goes on where the block before ended.
A line that begins with ``$`` is typed into a shell, the lines below it are all that it prints, where ``...`` stands for
anything. Without an ``# exit code`` the command ends with 0.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from git_scratch import LONG_AGO, git, run
from project import ROOT
from scenes import lay_control, lay_disk, lay_tree

from jit_hooks.testing.damage import DAMAGES, healthy_scene
from jit_hooks.testing.faults import FaultInjector
from jit_hooks.testing.tracker import issue_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jit_hooks.testing.faults import LockHold
    from jit_hooks.testing.tracker import Era

MACHINE = Path(__file__).with_name("runbook_machine.py")
HOME = "/home/ada"
"""What the directory of the test is called in output."""

_BLOCK = re.compile(r"(?:<!-- (?P<kind>\w+): (?P<words>[^>]*) -->\n)?```console\n(?P<body>.*?)```\n", re.DOTALL)
_EXIT = re.compile(r"  # exit code (\d+)$")
_INLINE = re.compile(r"(?<!`)`((?:jit-check|jit-hooks|jit|git)(?: [^`]*)?)`(?!`)")


@dataclass(frozen=True)
class Step:
    """A command, what it ends with, and all that it prints."""

    command: str
    status: int
    says: str


@dataclass(frozen=True)
class Block:
    """What is wrong, and what is typed; ``line`` is where it stands in the page."""

    line: int
    words: tuple[str, ...]
    steps: tuple[Step, ...]


def blocks_of(page: str) -> list[Block]:
    """The console blocks of a page."""
    found = []
    for match in _BLOCK.finditer(page):
        line = page.count("\n", 0, match.start("body"))
        assert match["kind"] == "runbook", f"the block in line {line} says not what is wrong"
        found.append(Block(line, tuple(match["words"].split()), tuple(_steps(match["body"]))))
    return found


def _steps(body: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        typed, _, says = part.partition("\n")
        status = _EXIT.search(typed)
        yield Step(_EXIT.sub("", typed), int(status[1]) if status else 0, says.strip("\n"))


def commands_in_text(page: str) -> set[str]:
    """Commands that a page names outside its blocks."""
    return set(_INLINE.findall(re.sub(r"```.*?```", "", page, flags=re.DOTALL)))


def agrees(shown: str, printed: str) -> bool:
    """Whether what a page shows is what was printed."""
    pattern = ".*?".join(re.escape(piece) for piece in shown.split("..."))
    return re.fullmatch(pattern, printed.strip("\n"), re.DOTALL) is not None


class Book:
    """A repository with the catalogue's healthy store, in which things go wrong.

    Args:
        where: an empty directory.
        era: whose store it is.
    """

    def __init__(self, where: Path, era: Era) -> None:
        self.where = where
        self.top = where / "work"
        self.store = self.top / ".jit"
        self.scene = healthy_scene(era)
        self.faults = FaultInjector(self.store)
        self.holds: list[LockHold] = []
        self.bin = where / "bin"
        self.bin.mkdir()
        for name in ("jit-check", "jit-hooks", "jit"):
            script = self.bin / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{MACHINE}" {name} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        git(where, "init", "--quiet", "--initial-branch=main", "--template=", str(self.top))
        lay_tree(self.scene, self.top)
        self.commit()

    @property
    def issue(self) -> Path:
        """An issue that HEAD has."""
        return self.store / issue_path(self.scene.design)

    def commit(self) -> None:
        """Commit the worktree past all hooks."""
        git(self.top, "add", "--all")
        git(self.top, "-c", f"core.hooksPath={os.devnull}", "commit", "--quiet", "--message=store", **LONG_AGO)

    def happen(self, name: str) -> None:
        """Something goes wrong: one of ``HURTS``, or a damage of the catalogue, laid over what HEAD has."""
        if name in HURTS:
            HURTS[name](self)
            return
        (damage,) = [damage for damage in DAMAGES if damage.name == name]
        before, parent = dict(self.scene.files), self.scene.parents[0]
        damage.make(self.scene)
        assert not self.scene.tracked, "damages of git's own lists are not for this"
        if self.scene.parents[0] != parent:
            before = self.scene.parents[0]
            self.lay(before)
            self.commit()
        for path in before.keys() - self.scene.files.keys():
            (self.store / path).unlink()
        self.lay({path: data for path, data in self.scene.files.items() if before.get(path) != data})
        lay_tree(self.scene, self.top, lambda _, __: False)
        lay_disk(self.scene, self.top)
        if damage.needs == "control" or self.scene.control != healthy_scene(self.scene.era).control:
            lay_control(self.scene, self.top / ".git" / "jit")

    def lay(self, files: Mapping[str, bytes]) -> None:
        """Write records of the store."""
        for path, data in files.items():
            (self.store / path).parent.mkdir(parents=True, exist_ok=True)
            (self.store / path).write_bytes(data)

    def type(self, command: str, fault: str) -> tuple[int, str]:
        """Type a command into a shell; its exit code and what it printed."""
        done = run(
            self.top,
            "sh",
            "-c",
            command,
            PATH=f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(ROOT),
            RUNBOOK_NOW=self.scene.now,
            RUNBOOK_FAULT=fault,
            COLUMNS="100",
        )
        return done.returncode, done.stdout.replace(os.path.realpath(self.where), HOME).replace(str(self.where), HOME)

    def close(self) -> None:
        """Let go of what is held."""
        for hold in self.holds:
            hold.release()


def _edited_and_cut(book: Book) -> None:
    data = book.issue.read_bytes().replace(b"Draw the harbour", b"Draw the harbour again")
    book.issue.write_bytes(data[:-40])


def _without_times(book: Book) -> None:
    for issue_id in book.scene.tracker.issues():
        book.scene.edit(
            issue_path(issue_id), lambda issue: [issue.pop(f"{name}_at") for name in ("created", "updated")]
        )
    lay_tree(book.scene, book.top)


def _framework(book: Book) -> None:
    config = "repos:\n- repo: local\n  hooks:\n  - id: jit-repair\n    name: jit-repair\n    language: system\n"
    config += "    entry: jit-hooks pre-commit --repair\n    always_run: true\n    pass_filenames: false\n"
    (book.top / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    book.commit()
    status, printed = book.type("pre-commit install", "")
    assert status == 0, printed


def _staged_and_torn_again(book: Book) -> None:
    git(book.top, "add", "--all")
    book.issue.write_bytes(book.issue.read_bytes()[:-20])


def _index(change: Callable[[dict[str, object]], object]) -> Callable[[Book], None]:
    def make(book: Book) -> None:
        path = book.store / "index.json"
        index = json.loads(path.read_text(encoding="utf-8"))
        change(index)
        path.write_text(json.dumps(index, indent=2), encoding="utf-8")

    return make


def _first_version(index: dict[str, object]) -> None:
    index["schema_version"] = 1
    del index["deleted_ids"]


def _new_issue(book: Book) -> None:
    book.scene.tracker.create("Add retry", labels=["epic:harbour", "type:task"])
    lay_tree(book.scene, book.top)


def _two_branches(book: Book) -> None:
    """Two lines of work that both retitle one issue, and each create another."""
    here = book.scene.tracker
    there = here.fork()
    there.rng.seed("another machine")
    for branch, tracker, where in (("side", there, "a slate"), ("main", here, "paper")):
        git(book.top, "checkout", "--quiet", "-B", branch, "main")
        tracker.update(book.scene.design, title=f"Draw the harbour on {where}")
        tracker.create(f"Buy {where}", labels=["epic:harbour", "type:task"])
        book.lay(tracker.files)
        book.commit()


HURTS: dict[str, Callable[[Book], object]] = {
    "issue-torn": lambda book: book.faults.inject_partial_write(book.issue),
    "issue-nulled": lambda book: book.faults.inject_corrupt_json(book.issue),
    "issue-edited-and-cut": _edited_and_cut,
    "issue-removed": lambda book: book.issue.unlink(),
    "index-removed-here": lambda book: (book.store / "index.json").unlink(),
    "index-torn": lambda book: book.faults.inject_partial_write("index.json"),
    "index-newer": _index(lambda index: index.update(schema_version=9)),
    "index-old": _index(_first_version),
    "times-removed": _without_times,
    "index-lock-held": lambda book: book.holds.append(book.faults.inject_lock_hold(".index.lock", 600)),
    "committed": Book.commit,
    "new-issue": _new_issue,
    "two-branches": _two_branches,
    "pre-commit": _framework,
    "staged-and-torn-again": _staged_and_torn_again,
}
"""What the catalogue has not, for it hurts what HEAD has: on a committed record, in the worktree."""

FAULTS = ("disk-full", "killed")
"""What goes wrong with the machine, while a block runs."""

ERAS: tuple[Era, ...] = ("june", "v1")


def play(blocks: list[Block], where: Path) -> Iterator[tuple[Block, Step, int, str]]:
    """Run a block and those that go on from it; each step with the exit code and output it really had."""
    book: Book | None = None
    try:
        for block in blocks:
            words = list(block.words)
            if words[0] == "again":
                assert book is not None
                words.pop(0)
            else:
                era: Era = "v1" if words[0] == "v1" else "june"
                if words[0] in ERAS:
                    words.pop(0)
                book = Book(where, era)
            fault = words.pop() if words and words[-1] in FAULTS else ""
            book.close()
            for word in words:
                book.happen(word)
            for step in block.steps:
                yield block, step, *book.type(step.command, fault)
    finally:
        if book is not None:
            book.close()


def stories(page: str) -> list[list[Block]]:
    """The blocks of a page, each with those that go on from it."""
    found: list[list[Block]] = []
    for block in blocks_of(page):
        if block.words[0] == "again":
            found[-1].append(block)
        else:
            found.append([block])
    return found
