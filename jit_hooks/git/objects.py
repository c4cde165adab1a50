"""Objects of git by name: their ids, kinds and contents, from one process that is asked many times."""

from __future__ import annotations

import os

from jit_hooks.errors import GitError, NotJudgedError
from jit_hooks.git.command import SIGTERM
from jit_hooks.store.layout import MAX_RECORD_BYTES
from jit_hooks.store.snapshot import Entry, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, NoReturn

    from jit_hooks.git.command import Git

_REQUESTS_AT_ONCE = 16_000
"""Bytes of requests written before the answers are read: under a pipe's buffer, so neither side waits."""

_CACHE_BYTES = 48 * 1024 * 1024


def _widen(pipe: int) -> None:
    """Let a pipe hold a megabyte where the system allows it: git then works ahead of its reader."""
    import fcntl

    try:
        fcntl.fcntl(pipe, getattr(fcntl, "F_SETPIPE_SZ"), 1 << 20)  # noqa: B009
    except (AttributeError, OSError):
        return


class Blobs:
    """One ``git cat-file --batch``: objects by name, their size known before their content is read.

    A few dozen megabytes of what was read last are kept, by object id. With ``check`` only the answer whether
    and as what an object exists is asked for (``--batch-check``), and contents are empty.
    """

    def __init__(self, git: Git, *, check: bool = False) -> None:
        self._git = git
        self._check = check
        self._last = ("", "")
        self._child = 0
        self._in = -1
        self._out: BinaryIO | None = None
        self._cache: dict[str, bytes] = {}
        self._cached = 0
        self._expected: list[tuple[str, int]] = []
        self._absent: set[str] = set()

    def expect(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Ask for a few objects now, so that git looks them up while the caller does something else."""
        self._expected = list(wanted)
        self._request(self._expected)

    def _take_expected(self) -> None:
        """Receive what was asked for beforehand; what is too large will be asked for again by whoever wants it."""
        expected, self._expected = self._expected, []
        for number, (name, limit) in enumerate(expected):
            content = self._receive(limit)
            if content is None:
                self._absent.add(name)
            elif isinstance(content, TooLarge):
                self._restart()
                self._request(expected[number + 1 :])

    def start(self) -> None:
        """Start git now, so that it starts up while the caller does."""
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            actions = [
                (os.POSIX_SPAWN_DUP2, in_read, 0),
                (os.POSIX_SPAWN_DUP2, out_write, 1),
                (os.POSIX_SPAWN_DUP2, null, 2),
            ]
            self._child = self._git.spawn(("cat-file", "--batch-check" if self._check else "--batch"), actions)
        except BaseException:
            os.close(in_write)
            os.close(out_read)
            raise
        finally:
            for descriptor in (in_read, out_write, null):
                os.close(descriptor)
        _widen(out_read)
        self._in = in_write
        self._out = open(out_read, "rb", buffering=1 << 16)  # noqa: SIM115

    def close(self) -> None:
        """End git."""
        if self._out is None:
            return
        os.close(self._in)
        self._out.close()
        self._out = None
        os.waitpid(self._child, 0)

    def __del__(self) -> None:
        self.close()

    def read(self, name: str, limit: int = MAX_RECORD_BYTES) -> bytes | TooLarge | None:
        """The content of one object; None when there is none of this name."""
        return next(self.read_many([(name, limit)]))[1]

    def find(self, name: str, limit: int = MAX_RECORD_BYTES) -> tuple[str, str] | None:
        """Object id and type of what git calls by this name, or None; a blob's content is kept for ``read``."""
        self._take_expected()
        self._last = ("", "")
        if name in self._absent:
            return None
        self._request([(name, limit)])
        content = self._receive(limit)
        if isinstance(content, TooLarge):
            self._restart()
        return self._last if self._last[0] else None

    def read_many(self, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        """Many objects, in the order asked for: each a name of git's (an id, ``REV:path``, ``:path``) and a limit."""
        batch: list[tuple[str, int]] = []
        size = 0
        for name, limit in wanted:
            batch.append((name, limit))
            size += len(name) + 1
            if size >= _REQUESTS_AT_ONCE:
                yield from self._answer(batch)
                batch, size = [], 0
        yield from self._answer(batch)

    def _answer(self, batch: list[tuple[str, int]]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        self._take_expected()
        held = {name: self._cache[name] for name, _ in batch if name in self._cache}
        asked = [item for item in batch if item[0] not in held]
        at = 0
        self._request(asked)
        for name, limit in batch:
            if name in held:
                yield name, held[name]
                continue
            at += 1
            content = self._receive(limit)
            if isinstance(content, TooLarge):
                self._restart()
                self._request(asked[at:])
            yield name, content

    def _request(self, wanted: list[tuple[str, int]]) -> None:
        if not wanted:
            return
        if self._out is None:
            self.start()
        data = os.fsencode("".join([f"{name}\n" for name, _ in wanted]))
        try:
            while data:
                data = data[os.write(self._in, data) :]
        except BrokenPipeError:
            self._fail()

    def _receive(self, limit: int) -> bytes | TooLarge | None:
        assert self._out is not None
        header = self._out.readline()
        if not header:
            self._fail()
        words = header.split()
        if words[-1] in (b"missing", b"ambiguous") or words[-2] == b"submodule":
            return None
        size = int(words[-1])
        identity, kind = words[0].decode("ascii"), words[1].decode("ascii")
        self._last = (identity, kind)
        if self._check:
            return b""
        if size > limit:
            return TooLarge(size)
        content = self._out.read(size)
        if len(content) != size or not self._out.read(1):
            self._fail()
        self._remember(identity, content)
        return content

    def _remember(self, name: str, content: bytes) -> None:
        if name in self._cache:
            return
        self._cached += len(content)
        self._cache[name] = content
        while self._cached > _CACHE_BYTES and len(self._cache) > 1:
            oldest = next(iter(self._cache))
            self._cached -= len(self._cache.pop(oldest))

    def _restart(self) -> None:
        """Drop a process that is about to send more than anyone wants to read."""
        os.kill(self._child, SIGTERM)
        self.close()

    def _fail(self) -> NoReturn:
        if self._out is not None:
            self._out.close()
        self._out = None
        os.waitpid(self._child, 0)
        if self._git.ask("config", "--get-regexp", r"^remote\..*\.promisor$")[0] == 0:
            message = "this is a partial clone, which lacks files that are to be judged"
            raise NotJudgedError(message, "git fetch --refetch --no-filter")
        status, _, err = self._git.ask("rev-parse", "--git-dir")
        raise GitError(("cat-file",), status, err.decode("utf-8", "replace") or "git ended early")


_FILE_MODES = {"100644", "100755", "100664"}


def entry_of(mode: str, identity: str) -> Entry:
    """An entry from git's mode and object id."""
    if mode in _FILE_MODES:
        return Entry("file", identity, executable=mode == "100755")
    kind = {"120000": "link", "160000": "submodule", "040000": "directory"}.get(mode, "unreadable")
    return Entry(kind, identity)


def lines_of_tree(content: bytes, id_bytes: int) -> Iterator[bytes]:
    """The entries of a tree object as ``ls-tree -z`` prints them; an id has so many bytes."""
    at = 0
    while at < len(content):
        space = content.index(b" ", at)
        end = content.index(b"\0", space)
        mode, name = content[at:space].rjust(6, b"0"), content[space + 1 : end]
        at = end + 1 + id_bytes
        kind = {b"040000": b"tree", b"160000": b"commit"}.get(mode, b"blob")
        yield b"%s %s %s\t%s" % (mode, kind, content[end + 1 : at].hex().encode(), name)
