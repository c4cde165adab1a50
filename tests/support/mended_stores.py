"""Small stores in memory, mended: what stands there afterwards, and what is left with which reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drafts import drafted
from memory_stores import Paths, bytes_of

from jit_hooks.checks import CHECKS
from jit_hooks.repairs.context import Context, Copy
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import LOG
from jit_hooks.store.snapshot import Entry, Files, Overlay, Snapshot
from jit_hooks.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jit_hooks.judging.rounds import Draft
    from jit_hooks.store.machine import Machine


@dataclass
class Result:
    """What mending did: the files after it, the changes, and by code why a problem was left."""

    files: dict[str, bytes]
    changes: dict[str, bytes | None]
    left: dict[str, str]
    codes: set[str]

    @property
    def log(self) -> list[bytes]:
        return self.files.get(LOG, b"").splitlines()

    @property
    def aside(self) -> list[bytes]:
        return self.files.get(f"{LOG}.bak", b"").splitlines()


def files_of(paths: Paths, machine: Machine | None = None) -> Files:
    files = {name: bytes_of(content) for name, content in paths.items() if not isinstance(content, Entry)}
    other = {name: content for name, content in paths.items() if isinstance(content, Entry)}
    return Files(files, other=other, machine=machine)


def repaired(
    paths: Paths,
    *,
    parents: Sequence[Paths] = (),
    logs: Sequence[bytes] | None = None,
    copies: Paths | None = None,
    unsafe: bool = False,
    machine: Machine | None = None,
    only: Iterable[str] = (),
) -> Result:
    """Mend a store, of some codes only if any are named, and see that it is done once and always alike.

    Without copies and logs those of the parents are there.
    """
    snapshot = files_of(paths, machine)
    wanted = frozenset(only)

    def run(over: Snapshot) -> tuple[Draft, Context]:
        stores = tuple(Store(files_of(parent)) for parent in parents)

        def copies_of(path: str) -> Iterable[Copy]:
            for number, parent in enumerate(parents if copies is None else (copies,)):
                if path in parent:
                    yield Copy(f"parent {number}", bytes_of(parent[path]))

        others = [Copy("a log", data) for data in logs] if logs is not None else copies_of(LOG)
        context = Context(
            parents=stores, accepted=Accepted(), copies=copies_of, logs=lambda: tuple(others), unsafe=unsafe
        )
        names = {name for parent in parents for name in parent} | over.entries().keys()
        focus = Focus([*names, LOG], everything=True, parents=stores)
        return drafted(over, focus, CHECKS, context, lambda p: not wanted or p.code in wanted), context

    done, context = run(snapshot)
    assert run(snapshot)[0].changes == done.changes, "other bytes when repeated"
    after = Overlay(snapshot, done.changes)
    assert run(after)[0].changes == {}, "not done at once"
    files: dict[str, bytes] = {}
    for name in after.entries():
        data = after.read(name)
        if type(data) is bytes:
            files[name] = data
    open_ = {problem.identity for problem in done.problems}
    left = {code: why for (code, record, subject), why in context.left.items() if (code, record, subject) in open_}
    return Result(files, done.changes, left, {problem.code for problem in done.problems})
