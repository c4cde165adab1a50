"""What the program says of every damage of the catalogue: reports, plans and refusals, as files to compare with.

A file holds one entry a damage, so that a change of one damage is a short difference. Everything that varies from run
to run is written out of it: seconds and the directory it runs in.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from damage_repairs import mended, snapshot_of
from project import TESTS
from scenes import Gallery, damages_of, shown_by

from jit_hooks import __version__
from jit_hooks.checks import BY_CODE
from jit_hooks.errors import NotJudgedError
from jit_hooks.hooks.bodies import HOOK_CHECKS
from jit_hooks.judging.judge import judge
from jit_hooks.repairs import BY_CODE as REPAIRED
from jit_hooks.report import as_json, text
from jit_hooks.store.snapshot import TooLarge
from jit_hooks.testing.damage import damaged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jit_hooks.judging.request import Request
    from jit_hooks.store.snapshot import Snapshot
    from jit_hooks.testing.tracker import Era

GOLDEN = TESTS / "judging" / "golden"
ERAS: tuple[Era, ...] = ("june", "v1")
SOURCES = ("commit", "git-index", "worktree")
NAMES = (
    *(f"report-{era}-{source}" for era in ERAS for source in SOURCES),
    *(f"refusal-{era}" for era in ERAS),
    *(f"plan-{era}-{kind}" for era in ERAS for kind in ("lossless", "unsafe")),
)
"""One file each."""

_MARK = "\n=== "


def entries(name: str, left_out: Collection[str] = ()) -> dict[str, str]:
    """The entries of one file, by damage, without some of the damages."""
    kind, era_name, *rest = name.split("-", 2)
    assert era_name in ERAS
    era: Era = "june" if era_name == "june" else "v1"
    if kind == "plan":
        return dict(_plans(era, unsafe=rest == ["unsafe"]))
    return dict(_judged(era, rest[0] if rest else "git-index", left_out, refusal=kind == "refusal"))


def told_elsewhere(name: str) -> set[str]:
    """The damages of a report that the report of another source tells, too; none for other files."""
    kind, era, *rest = name.split("-", 2)
    if kind != "report":
        return set()
    return read(name).keys() & read(f"report-{era}-{'commit' if rest == ['git-index'] else 'git-index'}").keys()


def as_text(made: dict[str, str]) -> str:
    """Entries as the text of a file."""
    return "".join(f"{_MARK}{name}\n{entry.rstrip()}\n" for name, entry in made.items())


def read(name: str) -> dict[str, str]:
    """The entries that a file holds."""
    pieces = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").split(_MARK)[1:]
    return {head: entry.rstrip() for head, _, entry in (piece.partition("\n") for piece in pieces)}


def _judged(era: Era, source: str, left_out: Collection[str], *, refusal: bool) -> Iterator[tuple[str, str]]:
    damages = [each for each in damages_of(era, BY_CODE) if each.name not in left_out and shown_by(each, source)]
    with tempfile.TemporaryDirectory() as top, _restored_environment():
        gallery = Gallery(Path(top), era, damages)
        for damage in damages:
            work = Path(top) / "work" / damage.name
            work.mkdir(parents=True)
            request = gallery.request(damage.name, source, work, {})
            told = _refusal(request) if refusal else _report(request)
            if told:
                yield damage.name, told.replace(str(work), "TOP").replace(top, "TOP")


def _report(request: Request) -> str:
    try:
        report = judge(request)
    except NotJudgedError as error:
        return f"not judged: {error}\nto fix: {error.remedy}"
    document = as_json.as_document(report)
    del document["tool_version"]
    stats = document["stats"]
    assert isinstance(stats, dict)
    stats.pop("seconds", None)
    _close(request)
    return json.dumps(document, indent=1)


def _refusal(request: Request) -> str:
    """What the hook prints of a commit; nothing where it passes."""
    report = judge(replace(request, root="", everything=False, checks=HOOK_CHECKS))
    _close(request)
    if not report.errors:
        return ""
    shown = text.render(report, command="jit-check --staged", hook="pre-commit")
    return shown.replace(__version__, "VERSION")


def _close(request: Request) -> None:
    assert request.repository is not None
    request.repository.close()


def _plans(era: Era, *, unsafe: bool) -> Iterator[tuple[str, str]]:
    for damage in damages_of(era, REPAIRED):
        scene = damaged(damage, era)
        snapshot = snapshot_of(scene, damage)
        draft, context = mended(snapshot, scene, unsafe=unsafe)
        lines = [line for path, data in sorted(draft.changes.items()) for line in _change(snapshot, path, data)]
        left = sorted({f"left: {identity[0]}: {reason}" for identity, reason in context.left.items()})
        yield damage.name, "\n".join([*_sources(context.said), *left, *lines]) or "nothing"


def _sources(said: dict[str, str]) -> list[str]:
    return [f"source: {path}: {source}" for path, source in sorted(said.items())]


def _change(snapshot: Snapshot, path: str, data: bytes | None) -> Iterator[str]:
    before = snapshot.read(path)
    assert not isinstance(before, TooLarge)
    yield f"--- {path}{' removed' if data is None else '' if before is not None else ' made'}"
    yield from list(difflib.unified_diff(_lines(before), _lines(data), lineterm="", n=0))[2:]


def _lines(data: bytes | None) -> list[str]:
    """Bytes as lines that print, each with its end."""
    return [ascii(line)[2:-1] for line in (data or b"").splitlines(keepends=True)]


@contextmanager
def _restored_environment() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
