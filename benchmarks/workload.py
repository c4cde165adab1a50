"""What is measured: stores of known sizes in real repositories, staged commits, and the program as it is installed."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import BARE, BenchError, Command, Sample

from jit_hooks.testing import stores, tracker
from jit_hooks.testing.stores import healthy_store, write_big_store
from jit_hooks.testing.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "benchmarks" / "results"
CACHE = RESULTS / "cache"
TINY = 0
"""The scale of a store of a dozen issues: it shows that a row works, and means nothing else."""

LAUNCHER = """import re
import sys
from jit_hooks.cli import {function}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit({function}())
"""
"""What pip makes of an entry point."""

EMPTY_TYPER = """import re
import sys
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
@app.command()
def main(repo: str = '') -> None:
    '''Do nothing.'''
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(app())
"""
"""A command that does nothing, written the way ours is."""


@dataclass
class Bench:
    """One run of the benchmarks.

    Attributes:
        scratch: a directory that is removed at the end.
        corpus: the bundle of a real store's history, if there is one.
        quick: whether stores are small and runs are few, to see that a row works.
    """

    scratch: Path
    corpus: Path | None = None
    quick: bool = False
    _made: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        home = self.scratch / "home"
        home.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        self.environment = {
            **kept,
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONPATH": str(PROJECT),
            **{
                f"GIT_{who}_{what}": value
                for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
            },
        }
        for name, text in (
            ("jit-check", LAUNCHER.format(function="check")),
            ("jit-hooks", LAUNCHER.format(function="hooks")),
            ("empty-typer", EMPTY_TYPER),
        ):
            (self.scratch / name).write_text(text, encoding="utf-8")

    def runs(self, wanted: int) -> int:
        """How many rounds to make."""
        return 2 if self.quick else wanted

    def command(
        self,
        *words: str,
        where: Path | None = None,
        given: Path | None = None,
        reads: bool = False,
        codes: tuple[int, ...] = (0,),
        **more: str,
    ) -> Command:
        """A command in the sealed environment, ``more`` of which is set."""
        return Command(words, where or self.scratch, {**self.environment, **more}, given, reads, codes)

    def ours(self, name: str, *arguments: str) -> tuple[str, ...]:
        """The words that start one of our console scripts, or the empty one of typer."""
        return (sys.executable, str(self.scratch / name), *arguments)

    def bare(self, _: int = 0) -> Sample:
        """One start of a bare interpreter."""
        return self.command(*BARE).run()

    def git(self, where: Path, *arguments: str, data: bytes = b"", **more: str) -> str:
        """What a git command says that must succeed."""
        done = subprocess.run(
            ("git", *arguments),
            cwd=where,
            env={**self.environment, **more},
            input=data,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            message = f"git {' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace')}"
            raise BenchError(message)
        return os.fsdecode(done.stdout).strip()

    # -- stores

    def scale(self, wanted: int) -> int:
        """The scale to use for one: smaller ones when this is only to see that it works."""
        return {1: TINY, 10: 1}.get(wanted, 1) if self.quick else wanted

    def store(self, scale: int) -> Path:
        """A directory that holds a generated ``.jit`` and is no repository; made once for all runs."""
        return self._cached(f"store-{scale}x", lambda top: _write_store(top / ".jit", scale))

    def tracked_store(self, scale: int) -> Path:
        """A generated store whose files git tracks, though their contents were never added: made once.

        Adding a hundred times the real size to git takes long, and a check of the worktree does not read it there.
        """
        return self._cached(f"tracked-{scale}x", lambda top: self._track_store(top, scale))

    def _track_store(self, top: Path, scale: int) -> None:
        _write_store(top / ".jit", scale)
        self.git(top, "init", "--quiet", "--initial-branch=main", "--template=", ".")
        names = (path.relative_to(top).as_posix() for path in (top / ".jit").rglob("*") if path.is_file())
        lines = "".join(f"100644 {hashlib.sha1(name.encode()).hexdigest()}\t{name}\n" for name in names)
        self.git(top, "update-index", "--add", "--index-info", data=lines.encode())

    def repository(self, scale: int) -> Path:
        """A packed repository with one commit that holds a generated store and another file; made once."""
        return self._cached(f"repository-{scale}x", lambda top: self._commit_store(top, scale))

    def _cached(self, name: str, make: Callable[[Path], None]) -> Path:
        sources = b"".join(Path(module.__file__ or "").read_bytes() for module in (stores, tracker))
        made = CACHE / f"{name}-{hashlib.sha256(sources).hexdigest()[:12]}"
        if not made.exists():
            for outdated in CACHE.glob(f"{name}-*"):
                shutil.rmtree(outdated)
            unfinished = CACHE / f"unfinished-{name}-{os.getpid()}"
            unfinished.mkdir(parents=True)
            make(unfinished)
            unfinished.rename(made)
        return made

    def _commit_store(self, top: Path, scale: int) -> None:
        _write_store(top / ".jit", scale)
        (top / "notes.txt").write_text("one\n", encoding="utf-8")
        self.git(top, "init", "--quiet", "--initial-branch=main", "--template=", ".")
        self.git(top, "add", "--all")
        self.git(top, "commit", "--quiet", "--message=store")
        self.git(top, "repack", "-adq")

    def clone(self, source: Path, name: str, *, files: bool) -> Path:
        """A clone of a repository (or a bundle) of this run's own, with or without files in its worktree."""
        if name not in self._made:
            top = self.scratch / name
            self.git(self.scratch, "clone", "--quiet", "--branch=main", "--no-checkout", str(source), str(top))
            self.git(top, *(("checkout", "--quiet", "main") if files else ("read-tree", "HEAD")))
            self._made[name] = top
        return self._made[name]

    def real_store(self) -> Path | None:
        """A clone of the corpus, at its head; None without one."""
        if self.corpus is None or self.quick:
            return None
        return self.clone(self.corpus, "corpus", files=True)

    def history(self, commits: int) -> Path:
        """A repository in which a tracker has made so many commits on a generated store; made once."""
        scale = self.scale(1)
        return self._cached(f"history-{commits}-{scale}x", lambda top: self._commit_edits(top, scale, commits))

    def _commit_edits(self, top: Path, scale: int, commits: int) -> None:
        files = _files_of(self.store(scale) / ".jit")
        keeper, rng = Tracker(1, "june", dict(files)), random.Random(1)
        self.git(top, "init", "--quiet", "--initial-branch=main", "--template=", ".")
        pieces = [_imported(0, {}, files)]
        while len(pieces) < commits:
            before = dict(keeper.files)
            keeper.random_edit(rng)
            if keeper.files != before:
                pieces.append(_imported(len(pieces), before, keeper.files))
        self.git(top, "fast-import", "--quiet", data=b"".join(pieces))

    def install(self, top: Path) -> Path:
        """Install the hooks as a person does; the pre-commit hook file."""
        self.command(*self.ours("jit-hooks", "install"), where=top).run()
        return top / ".git" / "hooks" / "pre-commit"

    def staged(self, scale: int, count: int) -> list[Staged]:
        """So many different commits to judge, each in a git index of its own: issue, issue index and longer log."""
        top = self.clone(self.repository(scale), f"staged-{scale}x", files=False)
        self.install(top)
        files = _files_of(self.repository(scale) / ".jit", without="gate-runs/")
        return [self._stage(top, files, number) for number in range(count)]

    def _stage(self, top: Path, files: dict[str, bytes], number: int) -> Staged:
        keeper = Tracker(1_000_000 + number, "june", dict(files))
        issue = keeper.create(f"Mend the pier, part {number}", "As seen on the last tour.\n" * 20)
        keeper.update(issue, priority="high")
        index = top / ".git" / f"index-{number}"
        shutil.copyfile(top / ".git" / "index", index)
        blobs: dict[str, str] = {}
        for path, data in keeper.files.items():
            if files.get(path) != data:
                blobs[path] = self.git(top, "hash-object", "-w", "--stdin", data=data)
        lines = "".join(f"100644 {blob}\t.jit/{path}\n" for path, blob in blobs.items())
        self.git(top, "update-index", "--add", "--index-info", data=lines.encode(), GIT_INDEX_FILE=str(index))
        old = self.git(top, "rev-parse", "HEAD:.jit/events.jsonl")
        logs = top / ".git" / f"logs-{number}"
        logs.write_text(f"{old}\n{blobs['events.jsonl']}\n", encoding="ascii")
        return Staged(top, index, logs, len(blobs))


@dataclass(frozen=True)
class Staged:
    """A commit about to be made: its repository, its git index, a file that names its two logs, how many records."""

    top: Path
    index: Path
    logs: Path
    records: int


def _write_store(directory: Path, scale: int) -> None:
    if scale != TINY:
        write_big_store(directory, scale)
        return
    for path, data in healthy_store().items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)


def _files_of(directory: Path, without: str = "\0") -> dict[str, bytes]:
    names = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return {name: (directory / name).read_bytes() for name in names if not name.startswith(without)}


def _imported(number: int, before: dict[str, bytes], after: dict[str, bytes]) -> bytes:
    """One commit as ``git fast-import`` reads it."""
    pieces = [
        b"commit refs/heads/main\n",
        b"committer Ada <ada@example.org> %d +0000\ndata 5\nedit\n" % (1_782_000_000 + number),
    ]
    pieces += [b"D .jit/%s\n" % path.encode() for path in before.keys() - after.keys()]
    for path, data in after.items():
        if before.get(path) != data:
            pieces.append(b"M 100644 inline .jit/%s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    return b"".join(pieces)
