"""Faults on a real disk: a record that does not parse, a write cut short, a lock somebody else holds.

For tests of programs that read or write a store, ours and others. Nothing but a lock is put back by itself.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from jit_hooks.testing.damage import Damage


class LockHold:
    """An exclusive ``flock(2)``, held by a descriptor of its own until released or its time is over.

    ``flock`` belongs to the open file description, so this hold keeps out the test's own process as well as
    any other. Leaving the ``with`` block releases it; releasing twice is harmless. The file stays.
    """

    def __init__(self, path: Path, duration: float) -> None:
        import fcntl

        self.path = path
        self._guard = threading.Lock()
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise
        self._timer = threading.Timer(duration, self.release)
        self._timer.daemon = True
        self._timer.start()

    @property
    def is_held(self) -> bool:
        """Whether the lock is still held."""
        return self._descriptor is not None

    def release(self) -> None:
        """Let the lock go now."""
        self._timer.cancel()
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class FaultInjector:
    """Damages files below one root, as crashes, disks and other programs do.

    Args:
        root: what relative paths are relative to; the current directory by default.
    """

    def __init__(self, root: Path | str = ".") -> None:
        self.root = Path(root).absolute()

    def inject_corrupt_json(self, path: Path | str) -> bytes:
        """Make a JSON record unparsable: its second half is NUL bytes, as after a power loss.

        Returns:
            The bytes the file had.
        """
        target = self.root / path
        before = target.read_bytes()
        kept = len(before) // 2
        target.write_bytes(before[:kept] + b"\0" * max(1, len(before) - kept))
        return before

    def inject_partial_write(self, path: Path | str, keep: int | None = None) -> bytes:
        """Cut a file to its first `keep` bytes, as a writer killed inside ``write(2)`` leaves it.

        Args:
            path: the record or log.
            keep: bytes that stay; half of them by default.

        Returns:
            The bytes the file had.
        """
        target = self.root / path
        before = target.read_bytes()
        target.write_bytes(before[: len(before) // 2 if keep is None else keep])
        return before

    def inject_lock_hold(self, path: Path | str, duration: float) -> LockHold:
        """Hold the lock file `path` exclusively for `duration` seconds, beside whatever the caller does.

        The file is opened as the tracker opens it: created if absent, never truncated or written. The lock is
        held when this returns.

        Returns:
            The hold; a context manager, or call its ``release``.

        Raises:
            BlockingIOError: somebody holds the lock already.
        """
        return LockHold(self.root / path, duration)

    def inject_damage(self, name: str) -> Damage:
        """Bring a damage of the catalogue into the healthy store at the root (the fixture ``jit_store`` makes one).

        What the damage needs besides the files of a store, a commit or a control plane, is not made here: use
        ``jit_hooks.testing.damage.damaged``, which says in memory what lies where. A document that is not at the
        commit an issue names is a problem in a git repository only.

        Returns:
            The damage; ``code`` is the problem it makes.

        Raises:
            LookupError: there is no such damage, not of this tracker, or it needs more than files.
            ValueError: the store is not the healthy one.
        """
        from jit_hooks.testing.damage import DAMAGES, healthy_scene

        damage = next((damage for damage in DAMAGES if damage.name == name), None)
        era: Literal["june", "v1"] = "v1" if (self.root / "gates.toml").exists() else "june"
        if damage is None or era not in damage.eras or damage.needs not in {"record", "relation", "disk"}:
            raise LookupError(f"no damage {name} to the files of a store of {era}")
        scene = healthy_scene(era)
        before = dict(scene.files)
        if any(not _holds(self.root / path, data) for path, data in before.items()):
            raise ValueError(f"{self.root} is not the healthy store")
        control = dict(scene.control)
        damage.make(scene)
        if scene.control != control:
            raise LookupError(f"the damage {name} is to the control plane, not to the files of a store")
        for path in before.keys() - scene.files.keys():
            (self.root / path).unlink()
        beside = {self.root / path: data for path, data in scene.files.items() if before.get(path) != data}
        top = self.root.parent
        beside.update((top / path, data) for path, data in (scene.outside | scene.disk).items())
        for target, data in beside.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        for path in scene.disk:
            os.utime(top / path, (0, 0))  # left long ago, as by a process that is gone
        for path in scene.empty_dirs:
            (top / path).mkdir(parents=True, exist_ok=True)
        return damage


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
