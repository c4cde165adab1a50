"""A damage of the catalogue in memory, and its repairs to a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drafts import drafted
from scenes import memory_snapshot

from jit_hooks.checks import CHECKS
from jit_hooks.repairs.context import Context, Copy
from jit_hooks.store.accepted import Accepted
from jit_hooks.store.focus import Focus
from jit_hooks.store.layout import LOG
from jit_hooks.store.machine import Machine
from jit_hooks.store.snapshot import Entry, Files, Snapshot
from jit_hooks.store.store import Store
from jit_hooks.testing.damage import DEAD_PID, Damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jit_hooks.judging.rounds import Draft, Known
    from jit_hooks.testing.damage import Scene


TWO_DAYS = 2 * 86_400


class OneMachine(Files):
    """A scene as a worktree on one machine: git tracks what is no directory and not on disk alone."""

    def __init__(self, scene: Scene) -> None:
        committed = memory_snapshot(scene)
        self.committed = committed.entries()
        disk = {place(path): data for path, data in scene.disk.items()}
        control = {f"control:{path}": data for path, data in scene.control.items()}
        files = {**committed.files, **disk, **control}
        other: dict[str, Entry] = {path: entry for path, entry in self.committed.items() if entry.kind != "file"}
        other.update({f"{place(path)}/": Entry("directory") for path in scene.empty_dirs})
        machine = Machine(
            now=scene.now,
            dead=[DEAD_PID],
            free=[path.removesuffix(".meta") for path in files if ".lock" in path],
            ages=dict.fromkeys(disk, TWO_DAYS),
        )
        super().__init__(
            files,
            other=other,
            documents=scene.outside,
            at_commits={"HEAD": scene.parent_outside},
            machine=machine,
            beside={path: data for path, data in scene.disk.items() if not path.startswith(".jit")},
        )

    def tracked(self) -> Mapping[str, Entry]:
        return self.committed

    def tracked_entry(self, path: str) -> Entry | None:
        return self.committed.get(path)


def place(path: str) -> str:
    return path.removeprefix(".jit/") if path.startswith(".jit/") else f"../{path}"


def snapshot_of(scene: Scene, damage: Damage) -> Files:
    on_machine = damage.needs in ("disk", "control") or "on disk only" in damage.note
    return OneMachine(scene) if on_machine else memory_snapshot(scene)


def mended(snapshot: Snapshot, scene: Scene, *, unsafe: bool, known: Known | None = None) -> tuple[Draft, Context]:
    pinned = {"HEAD": scene.parent_outside}
    parents, bases = (
        tuple(Store(Files(files, documents=scene.parent_outside, at_commits=pinned)) for files in stores)
        for stores in (scene.parents, scene.bases)
    )

    def copies(path: str) -> Iterator[Copy]:
        for number, files in enumerate(scene.parents):
            if path in files:
                yield Copy(f"parent {number}", files[path])

    context = Context(
        parents=parents,
        bases=bases,
        accepted=Accepted(),
        copies=copies,
        logs=lambda: copies(LOG),
        unsafe=unsafe,
        now=scene.now,
    )
    there = snapshot.entries()
    paths = {
        path
        for files in scene.parents
        for path in {*files, *there}
        if files.get(path) != snapshot.read(path) or (path in files) != (path in there)
    }
    focus = Focus(paths, everything=True, parents=parents, bases=bases)
    return drafted(snapshot, focus, CHECKS, context, known=known), context
