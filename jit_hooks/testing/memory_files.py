"""The writer's file layer in memory: it counts and fails calls, crashes, and models what a power loss leaves.

Durability: bytes written are safe after ``fsync`` of their file, names after ``fsync_directory`` of their directory,
and nothing else is. What is not safe may be on the disk or not, each operation for itself and in any order; of a
write also its first half. A rename inside one directory is one operation, across two it is two.
"""

from __future__ import annotations

import errno
import functools
import itertools
import os
import random

from jit_hooks.disk.layer import FileLayer, Handle, Status, normal
from jit_hooks.errors import LockIOError, LockTimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import NoReturn

SHORT = "short"
"""The fault of a write that takes half of what it is given."""

_ROOTS = {"beside": (0, ()), "top": (0, ()), "store": (0, (".jit",)), "common": (1, ()), "control": (1, ("jit",))}
_UMASK = 0o022


class Crash(BaseException):
    """The process is killed at a call: no later call of it does anything."""


class Fault:
    """Which call fails and how.

    Attributes:
        at: the number of the call, from 1.
        kind: an errno, or ``short``, or None for a crash.
        forever: whether every later call fails too.
    """

    def __init__(self, at: int, kind: int | str | None, *, forever: bool = False) -> None:
        self.at = at
        self.kind = kind
        self.forever = forever


class _Directory:
    __slots__ = ("mode", "names")

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.names: dict[str, int] = {}


class _File:
    __slots__ = ("data", "mode")

    def __init__(self, mode: int, data: bytes = b"") -> None:
        self.mode = mode
        self.data = data


class _Link:
    __slots__ = ()


Write = tuple[int, int, bytes]
"""File, offset, bytes."""
Names = tuple[int, tuple[tuple[str, int | None], ...]]
"""Directory, and what each name then stands for; None: nothing."""
Operation = Write | Names


class MemoryFiles(FileLayer):
    """Files in memory.

    Args:
        files: rooted path to bytes; a path ending in ``/`` is a directory. All durable.
        fault: which call fails.
        busy: lock files that somebody else holds.
    """

    def __init__(
        self, files: Mapping[str, bytes] | None = None, fault: Fault | None = None, busy: frozenset[str] = frozenset()
    ) -> None:
        self._nodes: dict[int, _Directory | _File | _Link] = {0: _Directory(0o755), 1: _Directory(0o755)}
        self._next = 2
        self._open: dict[int, int] = {}
        self._held: set[int] = set()
        self._events: list[Operation | int] = []
        self._start: dict[int, _Directory | _File | _Link] = {}
        self.calls: list[tuple[str, str]] = []
        self.fault: Fault | None = None
        self.busy = busy
        self.between: Callable[[str, str], None] | None = None
        for path, data in (files or {}).items():
            self.plant(path, data)
        self.start_recording()
        self.fault = fault

    def start_recording(self) -> None:
        """Take everything there is now for durable, and forget the calls counted so far."""
        self._events = []
        self._start = _copy(self._nodes)
        self.calls = []

    def revive(self, fault: Fault | None = None) -> None:
        """Another process after a crash of this one: its locks are free, what it did stays, synced or not."""
        self.fault = fault
        self.calls = []
        self._open = {}
        self._held = set()

    def copied(self) -> MemoryFiles:
        """Another one that goes on from here by itself: the same files, what is durable and what is not."""
        other = MemoryFiles()
        other._nodes = _copy(self._nodes)
        other._next = self._next
        other._events = list(self._events)
        other._start = self._start
        other.busy = self.busy
        return other

    # What tests ask and do beside the seam: no call is counted.

    def plant(self, path: str, data: bytes) -> None:
        """Put a file (or, where the path ends in ``/``, a directory) there, with those above it; as others would."""
        node, parts = _canonical(path.removesuffix("/"))
        for part in parts[: len(parts) if path.endswith("/") else -1]:
            directory = self._nodes[node]
            assert isinstance(directory, _Directory)
            if part not in directory.names:
                self._make(node, part, _Directory(0o755))
            node = directory.names[part]
        if not path.endswith("/"):
            directory = self._nodes[node]
            assert isinstance(directory, _Directory)
            found = directory.names.get(parts[-1])
            mode = 0o644
            if found is not None:
                old = self._nodes[found]
                assert isinstance(old, _File)
                mode = old.mode
            made = self._make(node, parts[-1], _File(mode))
            self._put(made, 0, data)

    def plant_link(self, path: str) -> None:
        """Put a symbolic link there, instead of what is there."""
        node, name = self._holder(path)
        self._make(node, name, _Link())

    def take_away(self, path: str) -> None:
        """Take a file away, as others would."""
        node, name = self._holder(path)
        self._set(node, ((name, None),))

    def set_mode(self, path: str, mode: int) -> None:
        """Give a file other permission bits."""
        found = self._nodes[self._find(path)]
        assert not isinstance(found, _Link)
        found.mode = mode

    def tree(self) -> dict[str, bytes]:
        """Everything below both roots: ``beside/...`` and ``common/...`` to bytes, directories ending in ``/``."""
        found: dict[str, bytes] = {}
        self._walk(0, "beside/", found)
        self._walk(1, "common/", found)
        return found

    def _walk(self, node: int, prefix: str, found: dict[str, bytes]) -> None:
        directory = self._nodes[node]
        assert isinstance(directory, _Directory)
        for name, below in directory.names.items():
            item = self._nodes[below]
            if isinstance(item, _Directory):
                found[f"{prefix}{name}/"] = b""
                self._walk(below, f"{prefix}{name}/", found)
            else:
                found[prefix + name] = item.data if isinstance(item, _File) else b"-> link"

    def power_losses(
        self, exhaustive: int = 6, samples: int = 64, seed: int = 0
    ) -> Iterator[tuple[tuple[int, ...], MemoryFiles]]:
        """Every disk that a power loss may leave, at every moment since recording began.

        Args:
            exhaustive: up to how many open operations all combinations are made.
            samples: how many are drawn beyond that, at each moment.
            seed: of the draw.

        Yields:
            The moment (number of operations done) followed by one choice for each open operation (0 lost, 1 done,
            2 half), and the files then, all durable.
        """
        durable = _copy(self._start)
        for made in set(self._nodes) - set(durable):
            node = self._nodes[made]
            durable[made] = _Directory(node.mode) if isinstance(node, _Directory) else _File(getattr(node, "mode", 0))
        pending: list[Operation] = []
        chance = random.Random(seed)
        yield (0,), self._after(durable, [])
        for moment, event in enumerate(self._events, 1):
            if isinstance(event, int):
                for operation in pending:
                    if operation[0] == event:
                        _apply(durable, operation, 1)
                pending = [operation for operation in pending if operation[0] != event]
            else:
                pending.append(event)
            options = [(0, 1) if len(operation) == 2 else (0, 1, 2) for operation in pending]
            if len(pending) <= exhaustive:
                choices: set[tuple[int, ...]] = set(itertools.product(*options))
            else:
                choices = {tuple(chance.choice(option) for option in options) for _ in range(samples)}
                choices.add((1,) * len(options))
                choices.add((0,) * len(options))
            for choice in sorted(choices):
                yield (moment, *choice), self._after(durable, list(zip(pending, choice, strict=True)))

    def _after(
        self, durable: dict[int, _Directory | _File | _Link], chosen: list[tuple[Operation, int]]
    ) -> MemoryFiles:
        left = MemoryFiles()
        left._nodes = _copy(durable)
        left._next = self._next
        for operation, choice in chosen:
            if choice:
                _apply(left._nodes, operation, choice)
        left.start_recording()
        return left

    # The seam.

    def _call(self, name: str, path: str) -> None:
        self.calls.append((name, path))
        if self.between is not None:
            self.between(name, path)
        fault = self.fault
        number = len(self.calls)
        if fault is None or fault.kind == SHORT or not (number == fault.at or (number > fault.at and fault.forever)):
            return
        if fault.kind is None:
            fault.forever = True
            raise Crash(name, path)
        assert isinstance(fault.kind, int)
        raise OSError(fault.kind, os.strerror(fault.kind), path)

    def _holder(self, path: str) -> tuple[int, str]:
        root, parts = _canonical(path)
        if not parts:
            _fail(errno.EISDIR, path)
        return self._descend(root, parts[:-1], path), parts[-1]

    def _descend(self, node: int, parts: tuple[str, ...], path: str) -> int:
        for part in parts:
            directory = self._nodes[node]
            assert isinstance(directory, _Directory)
            if part not in directory.names:
                _fail(errno.ENOENT, path)
            node = directory.names[part]
            below = self._nodes[node]
            if not isinstance(below, _Directory):
                _fail(errno.ELOOP if isinstance(below, _Link) else errno.ENOTDIR, path)
        return node

    def _names(self, node: int) -> dict[str, int]:
        directory = self._nodes[node]
        assert isinstance(directory, _Directory)
        return directory.names

    def _find(self, path: str) -> int:
        """The node at a path.

        Raises:
            OSError: ENOENT, or what is wrong on the way.
        """
        root, parts = _canonical(path)
        if not parts:
            return root
        node = self._descend(root, parts[:-1], path)
        if parts[-1] not in self._names(node):
            _fail(errno.ENOENT, path)
        return self._names(node)[parts[-1]]

    def _make(self, holder: int, name: str, node: _Directory | _File | _Link) -> int:
        made = self._next
        self._next += 1
        self._nodes[made] = node
        self._set(holder, ((name, made),))
        return made

    def _set(self, holder: int, names: tuple[tuple[str, int | None], ...]) -> None:
        self._do((holder, names))

    def _put(self, node: int, offset: int, data: bytes) -> None:
        self._do((node, offset, data))

    def _do(self, operation: Operation) -> None:
        _apply(self._nodes, operation, 1)
        self._events.append(operation)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file."""
        self._call("read", path)
        try:
            node = self._nodes[self._find(path)]
        except FileNotFoundError:
            return None
        if isinstance(node, _Link):
            _fail(errno.ELOOP, path)
        if isinstance(node, _Directory):
            _fail(errno.EISDIR, path)
        return node.data

    def status(self, path: str) -> Status | None:
        """What stands there."""
        self._call("status", path)
        try:
            node = self._nodes[self._find(path)]
        except FileNotFoundError:
            return None
        if isinstance(node, _File):
            return Status("file", node.mode, len(node.data))
        return Status("directory", node.mode, 0) if isinstance(node, _Directory) else Status("link", 0o777, 0)

    def names(self, path: str) -> list[str]:
        """The names in a directory."""
        self._call("names", path)
        try:
            return sorted(self._names(self._descend(*_canonical(path), path)))
        except FileNotFoundError:
            return []

    def create(self, path: str, mode: int | None) -> Handle:
        """A new file."""
        self._call("create", path)
        holder, name = self._holder(path)
        if name in self._names(holder):
            _fail(errno.EEXIST, path)
        return self._handle(path, self._make(holder, name, _File(0o666 & ~_UMASK if mode is None else mode)))

    def _handle(self, path: str, node: int) -> Handle:
        number = max(self._open, default=0) + 1
        self._open[number] = node
        return Handle(path, number)

    def extend(self, path: str) -> Handle:
        """An existing file, at its end."""
        self._call("extend", path)
        node = self._find(path)
        found = self._nodes[node]
        if not isinstance(found, _File):
            _fail(errno.ELOOP if isinstance(found, _Link) else errno.EISDIR, path)
        return self._handle(path, node)

    def write(self, handle: Handle, data: bytes) -> int:
        """Bytes at the end of the file."""
        self._call("write", handle.path)
        number, fault = len(self.calls), self.fault
        if fault and fault.kind == SHORT and (number == fault.at or (number > fault.at and fault.forever)):
            data = data[: len(data) // 2]
        node = self._open[handle.number]
        found = self._nodes[node]
        assert isinstance(found, _File)
        if data:
            self._put(node, len(found.data), data)
        return len(data)

    def fsync(self, handle: Handle) -> None:
        """The bytes of a file are durable."""
        self._call("fsync", handle.path)
        self._events.append(self._open[handle.number])

    def close(self, handle: Handle) -> None:
        """The handle is of no more use."""
        self._call("close", handle.path)
        del self._open[handle.number]

    def rename(self, source: str, target: str) -> None:
        """Another name."""
        self._call("rename", target)
        old, old_name = self._holder(source)
        new, new_name = self._holder(target)
        if old_name not in self._names(old):
            _fail(errno.ENOENT, target)
        node = self._names(old)[old_name]
        there = self._names(new).get(new_name)
        if there == node:
            return
        self._may_replace(node, there, new, target)
        if old == new:
            self._set(new, ((new_name, node), (old_name, None)))
        else:
            self._set(new, ((new_name, node),))
            self._set(old, ((old_name, None),))

    def _may_replace(self, node: int, there: int | None, holder: int, path: str) -> None:
        moved, gone = self._nodes[node], None if there is None else self._nodes[there]
        if isinstance(moved, _Directory):
            if self._is_below(holder, node):
                _fail(errno.EINVAL, path)
            if gone is not None and not isinstance(gone, _Directory):
                _fail(errno.ENOTDIR, path)
            if isinstance(gone, _Directory) and gone.names:
                _fail(errno.ENOTEMPTY, path)
        elif isinstance(gone, _Directory):
            _fail(errno.EISDIR, path)

    def _is_below(self, node: int, above: int) -> bool:
        if node == above:
            return True
        item = self._nodes[above]
        return isinstance(item, _Directory) and any(self._is_below(node, below) for below in item.names.values())

    def unlink(self, path: str) -> None:
        """A file goes."""
        self._call("unlink", path)
        holder, name = self._holder(path)
        if isinstance(self._nodes[self._find(path)], _Directory):
            _fail(errno.EISDIR, path)
        self._set(holder, ((name, None),))

    def mkdir(self, path: str, mode: int | None) -> None:
        """A directory comes."""
        self._call("mkdir", path)
        holder, name = self._holder(path)
        if name in self._names(holder):
            _fail(errno.EEXIST, path)
        self._make(holder, name, _Directory(0o777 & ~_UMASK if mode is None else mode))

    def rmdir(self, path: str) -> None:
        """An empty directory goes."""
        self._call("rmdir", path)
        holder, name = self._holder(path)
        found = self._nodes[self._find(path)]
        if not isinstance(found, _Directory):
            _fail(errno.ENOTDIR, path)
        if found.names:
            _fail(errno.ENOTEMPTY, path)
        self._set(holder, ((name, None),))

    def fsync_directory(self, path: str) -> None:
        """The names of a directory are durable."""
        self._call("fsync_directory", path)
        self._events.append(self._descend(*_canonical(path), path))

    def lock(self, path: str, wait: float, *, create: bool) -> Handle | None:
        """A lock that nobody else can take; waits for nothing."""
        try:
            self._call("lock", path)
            try:
                node = self._find(path)
            except FileNotFoundError:
                if not create:
                    return None
                node = self._make(*self._holder(path), _File(0o644))
            if not isinstance(self._nodes[node], _File):
                _fail(errno.EISDIR, path)
        except OSError as error:
            raise LockIOError(path, error.strerror or "") from error
        if path in self.busy or node in self._held:
            raise LockTimeoutError(path, wait)
        self._held.add(node)
        return self._handle(path, node)

    def unlock(self, handle: Handle) -> None:
        """The lock is free."""
        self._call("unlock", handle.path)
        self._held.discard(self._open.pop(handle.number))

    def absolute(self, path: str) -> str:
        """The canonical path, for messages and comparisons."""
        root, parts = _canonical(path)
        return "/".join((("/beside", "/common")[root], *parts))


@functools.lru_cache(maxsize=4096)
def _canonical(path: str) -> tuple[int, tuple[str, ...]]:
    root, _, rest = normal(path).partition(":")
    node, below = _ROOTS[root]
    return node, (*below, *(rest.split("/") if rest else ()))


def _copy(nodes: dict[int, _Directory | _File | _Link]) -> dict[int, _Directory | _File | _Link]:
    """The same nodes, each its own."""
    made: dict[int, _Directory | _File | _Link] = {}
    for number, node in nodes.items():
        if isinstance(node, _File):
            made[number] = _File(node.mode, node.data)
        elif isinstance(node, _Directory):
            directory = made[number] = _Directory(node.mode)
            directory.names = dict(node.names)
        else:
            made[number] = node
    return made


def _apply(nodes: dict[int, _Directory | _File | _Link], operation: Operation, choice: int) -> None:
    """Do one operation; with choice 2 only the first half of a write."""
    node = nodes[operation[0]]
    if len(operation) == 2:
        assert isinstance(node, _Directory)
        for name, below in operation[1]:
            if below is None:
                node.names.pop(name, None)
            else:
                node.names[name] = below
        return
    assert isinstance(node, _File)
    data = operation[2] if choice == 1 else operation[2][: len(operation[2]) // 2]
    old = node.data.ljust(operation[1], b"\0")
    node.data = old[: operation[1]] + data + old[operation[1] + len(data) :]


def _fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)
