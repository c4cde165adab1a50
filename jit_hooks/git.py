"""The one reader of names and bytes from git.

Names and bytes come from git's own plumbing, which honours ``GIT_INDEX_FILE`` and reads every index version,
split and sparse indexes and SHA-256 repositories. Nothing is written, fetched, stashed or checked out. git is
started through ``posix_spawn``, which costs half of ``subprocess`` (``docs/performance.md``).
"""

from __future__ import annotations

import os
import select
from abc import abstractmethod
from itertools import chain

from jit_hooks.errors import GitError, MissingObjectError, NotJudgedError
from jit_hooks.store import layout
from jit_hooks.store.layout import MAX_RECORD_BYTES
from jit_hooks.store.snapshot import Entry, Snapshot, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO, NoReturn

_REQUESTS_AT_ONCE = 16_000
"""Bytes of requests written before the answers are read: under a pipe's buffer, so neither side waits."""

_SIGTERM = 15
"""As a number: the module ``signal`` costs the hot path as much as git does."""

_CACHE_BYTES = 48 * 1024 * 1024

MOST_BASES = 16
"""Merge bases that a merge is judged by; a criss-cross has two."""

REPLAYING = ("CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
"""What git keeps in its directory while it applies commits one by one."""

UNDER_WAY = ("MERGE_HEAD", *REPLAYING)
"""The same, and while a merge waits to be concluded: what is lost meanwhile shows in no staged file."""

SEVERITIES_ASKED = ("config", "--null", "--get-regexp", r"^jit-hooks\.")
"""What asks git config for severities that this machine has tightened; the exit code is 1 when there are none."""

EVERY_LINK = "--ignore-submodules=none"
"""For what compares: a submodule in the store shows, whatever configuration or `.gitmodules` says of it."""

LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
)
"""Variables that tie git to one repository (``git rev-parse --local-env-vars``)."""


def git_environment(*, inherit: bool = True) -> dict[str, str]:
    """The environment git is started in: no prompts, no locks it can do without, no lazy fetches, C messages.

    With ``inherit`` false what ties git to the repository of a calling hook is taken out.
    """
    environment = dict(os.environ)
    for name in (
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
    ):
        environment.pop(name, None)
    if not inherit:
        for name in LOCAL_VARIABLES:
            environment.pop(name, None)
    environment.update(
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_OPTIONAL_LOCKS="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_NO_LAZY_FETCH="1",
        GIT_ALLOW_PROTOCOL="none",  # what git is asked needs no network; older ones do not know the word above
        LC_ALL="C",
        GIT_PAGER="cat",
    )
    return environment


class GitAtRestError(Exception):
    """A git command was to be started while none may be (``Git.rests``)."""


class Git:
    """git's commands, run in one directory.

    Args:
        directory: where to run; empty for the current directory, as hooks want it.
        inherit: whether variables that tie git to a repository are passed on.
    """

    rests = False
    """Whether no command may be started: who holds locks does not wait for what git runs or locks."""

    def __init__(self, directory: str = "", *, inherit: bool = True) -> None:
        self.directory = directory
        self.environment = git_environment(inherit=inherit)

    def command(self, *arguments: str) -> list[str]:
        """The argument list of a git command."""
        place = ["-C", self.directory] if self.directory else []
        return ["git", *place, *arguments]

    def run(self, *arguments: str) -> bytes:
        """What a git command prints.

        Raises:
            GitError: it did not exit with 0.
        """
        status, out, err = self.ask(*arguments)
        if status:
            raise GitError(arguments, status, err.decode("utf-8", "replace"))
        return out

    def text(self, *arguments: str) -> str:
        """What a git command prints, as text without the final newline. Names that are not UTF-8 survive."""
        return os.fsdecode(self.run(*arguments)).removesuffix("\n")

    def ask(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr of a git command, whatever it says."""
        return self.begin(*arguments)()

    def begin(self, *arguments: str) -> Callable[[], tuple[int, bytes, bytes]]:
        """Start a git command; what is returned waits for its end and gives exit code, stdout and stderr."""
        child, out_read, err_read = self._start(*arguments)

        def finish() -> tuple[int, bytes, bytes]:
            given: dict[int, list[bytes]] = {out_read: [], err_read: []}
            try:
                for descriptor, chunk in _chunks(out_read, err_read):
                    given[descriptor].append(chunk)
            except BaseException:
                os.kill(child, _SIGTERM)
                raise
            finally:
                os.close(out_read)
                os.close(err_read)
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return status, b"".join(given[out_read]), b"".join(given[err_read])

        return finish

    def lines(self, *arguments: str, separator: bytes = b"\n") -> Iterator[bytes]:
        """The pieces a git command prints, while it runs; for output that may be long.

        Raises:
            GitError: it did not exit with 0; raised at the end.
        """
        child, out_read, err_read = self._start(*arguments)
        rest = said = b""
        done = False
        try:
            for descriptor, chunk in _chunks(out_read, err_read):
                if descriptor == err_read:
                    said += chunk
                    continue
                *pieces, rest = (rest + chunk).split(separator)
                yield from pieces
            done = True
        finally:
            os.close(out_read)
            os.close(err_read)
            if not done:
                os.kill(child, _SIGTERM)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if rest:
            yield rest
        if status:
            raise GitError(arguments, status, said.decode("utf-8", "replace"))

    def spawn(self, arguments: Sequence[str], actions: Sequence[tuple[int, ...]]) -> int:
        """Start a git command with these file actions; its process id.

        Raises:
            NotJudgedError: git is not there.
            GitAtRestError: no command may be started now.
        """
        if self.rests:
            raise GitAtRestError(*arguments)
        try:
            return os.posix_spawnp("git", self.command(*arguments), self.environment, file_actions=actions)
        except FileNotFoundError as error:
            message = "git is not on PATH"
            raise NotJudgedError(message) from error

    def _start(self, *arguments: str) -> tuple[int, int, int]:
        """Start a git command: its process id, and the pipes with its stdout and its stderr."""
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            actions = [
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, out_write, 1),
                (os.POSIX_SPAWN_DUP2, err_write, 2),
            ]
            return self.spawn(arguments, actions), out_read, err_read
        except BaseException:
            os.close(out_read)
            os.close(err_read)
            raise
        finally:
            for descriptor in (null, out_write, err_write):
                os.close(descriptor)


def _chunks(*descriptors: int) -> Iterator[tuple[int, bytes]]:
    """What several pipes give, as it comes, so that none fills up."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
    left = len(descriptors)
    while left:
        for descriptor, _ in poll.poll():
            chunk = os.read(descriptor, 1 << 18)
            if chunk:
                yield descriptor, chunk
            else:
                poll.unregister(descriptor)
                left -= 1


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
        os.kill(self._child, _SIGTERM)
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


class Repository:
    """A git repository that holds a store, as this program sees it.

    Attributes:
        git: its commands, run where names are relative to the top of the worktree (or of the bare repository).
        prefix: where the store lies from there, with a final ``/``: ``.jit/``.
    """

    def __init__(self, git: Git, prefix: str = ".jit/") -> None:
        self.git = git
        self.prefix = prefix
        self.blobs = Blobs(git)
        self.names = Blobs(git, check=True)
        self._common = ""

    @property
    def control(self) -> str:
        """The directory of the control plane, absolute: ``jit`` in the git directory that all worktrees share."""
        if not self._common:
            found = os.fsdecode(self.git.run("rev-parse", "--git-common-dir")).removesuffix("\n")
            self._common = os.path.join(os.path.abspath(self.git.directory), found)
        return os.path.join(self._common, "jit")

    def close(self) -> None:
        """End the git processes that were started."""
        self.blobs.close()
        self.names.close()

    @property
    def beside(self) -> str:
        """The directory that holds the store, from the top, with a final ``/``; empty at the top."""
        parent = self.prefix.rstrip("/").rpartition("/")[0]
        return f"{parent}/" if parent else ""

    def pathspecs(self) -> list[str]:
        """What to ask git for: the store, and what the tracker leaves beside it."""
        beside = glob_quoted(self.beside)
        return [
            f":(literal){self.prefix}".removesuffix("/"),
            *(f":(glob){beside}{name}*" for name in _TOP_NAMES),
        ] + [f":(glob){beside}{name}*/**" for name in _TOP_NAMES]

    def leaves_out_store(self) -> bool:
        """Whether a sparse checkout leaves the whole store out of the worktree; ask where nothing lies on disk."""
        listed = self.git.run("ls-files", "-t", "-z", "--", f":(literal){self.prefix}".removesuffix("/"))
        return bool(listed) and all(piece.startswith(b"S ") for piece in listed.split(b"\0") if piece)

    def store_path(self, path: str) -> str | None:
        """The store path of a path from the top; None when it is neither in the store nor beside it."""
        if path.startswith(self.prefix):
            return path[len(self.prefix) :]
        if path == self.prefix.rstrip("/"):
            return "."
        if path.startswith(self.beside) and path[len(self.beside) :].startswith(layout.BESIDE):
            return f"../{path[len(self.beside) :]}"
        return None

    def top_path(self, path: str) -> str:
        """The path from the top of a store path."""
        if path == ".":
            return self.prefix.rstrip("/")
        if path.startswith("../"):
            return self.beside + path[3:]
        if path.startswith(layout.CONTROL):
            return os.path.join(self.control, path[len(layout.CONTROL) :])
        return self.prefix + path

    def empty_tree(self) -> str:
        """The id of the tree that holds nothing, in this repository's hash."""
        return self.git.text("hash-object", "-t", "tree", os.devnull)

    def resolve(self, revision: str) -> str | None:
        """The commit id a revision names, or None."""
        if revision.startswith("-") or "\0" in revision or "\n" in revision:
            return None
        status, out, _ = self.git.ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return out.decode().strip() if status == 0 else None

    def head(self) -> str | None:
        """The commit id of HEAD; None when it is unborn.

        Raises:
            MissingObjectError: HEAD names a commit that is not there.
        """
        found = self.resolve("HEAD")
        if found is None:
            status, out, _ = self.git.ask("rev-parse", "--verify", "--quiet", "HEAD")
            if status == 0:
                raise MissingObjectError(out.decode("ascii", "replace").strip())
        return found

    def parents_of(self, commit: str) -> list[str]:
        """The ids of a commit's parents."""
        return self.git.text("rev-list", "--parents", "--max-count=1", commit, "--").split()[1:]

    def merge_bases(self, parents: Sequence[str]) -> list[str] | None:
        """The ids of all merge bases of the parents of a merge; none for unrelated histories.

        None where they are not known: in a clone too shallow to reach them, or with more of them than anybody means.
        """
        of_all = ["--octopus"] if len(parents) > 2 else []
        status, out, _ = self.git.ask("merge-base", "--all", *of_all, *parents)
        found = out.decode("ascii").split()
        if status > 1 or len(found) > MOST_BASES:
            return None
        if not found and self.is_shallow():
            return None
        return found

    def is_shallow(self) -> bool:
        """Whether commits may be missing their parents."""
        return self.git.text("rev-parse", "--is-shallow-repository") == "true"

    def is_replaying(self) -> bool:
        """Whether a cherry-pick, a revert or a rebase is under way."""
        names = [word for name in REPLAYING for word in ("--git-path", name)]
        paths = self.git.text("rev-parse", *names).split("\n")
        return any(os.path.lexists(os.path.join(self.git.directory, path)) for path in paths)

    def settled_conflicts(self) -> dict[str, list[Entry | None]]:
        """What base, ours and theirs held at each store path whose conflict was settled by ``git add`` or the like.

        The git index remembers it until the next merge, checkout or reset, across the commit.
        """
        out = self.git.run("ls-files", "--resolve-undo", "-z", "--full-name", "--", *self.pathspecs())
        found: dict[str, list[Entry | None]] = {}
        for piece in out.split(b"\0"):
            facts, _, name = piece.partition(b"\t")
            path = self.store_path(os.fsdecode(name)) if name else None
            if path is not None:
                mode, identity, stage = facts.decode("ascii").split()
                found.setdefault(path, [None, None, None])[int(stage) - 1] = entry_of(mode, identity)
        return found

    def changes(self, *arguments: str) -> dict[str, tuple[Entry | None, Entry | None]]:
        """Store path to entry before and after, as ``diff-index`` or ``diff-tree`` prints it.

        An entry after of unknown content (a worktree file) has no identity.
        """
        asked = (*arguments, "--raw", "-z", "--no-abbrev", "--no-renames", EVERY_LINK)
        out = self.git.run(*asked, *self._tail(arguments))
        return self.parse_changes(out.split(b"\0"))

    def _tail(self, arguments: tuple[str, ...]) -> list[str]:
        return ["--", *self.pathspecs()] if "--" not in arguments else []

    def parse_changes(self, pieces: Iterable[bytes]) -> dict[str, tuple[Entry | None, Entry | None]]:
        """The changes in raw diff pieces: a header, a path, a header, a path."""
        found: dict[str, tuple[Entry | None, Entry | None]] = {}
        header = ""
        for piece in pieces:
            text = os.fsdecode(piece)
            if not header:
                header = text
                continue
            old_mode, new_mode, old, new, _ = header[1:].split(" ", 4)
            path = self.store_path(text)
            if path is not None:
                before = None if old_mode == "000000" else entry_of(old_mode, old)
                after = None if new_mode == "000000" else entry_of(new_mode, new)
                found[path] = (before, after)
            header = ""
        return found


_TOP_NAMES = (".jit-bootstrap", "jit-stage-", "cleanup-jit-stage-", ".merge_file_")


def glob_quoted(text: str) -> str:
    """A text as git's patterns mean it, whatever is in it."""
    return "".join(f"\\{c}" if c in "*?[\\" else c for c in text)


class _GitSnapshot(Snapshot):
    """What the git index and a commit tree have in common."""

    def __init__(self, repository: Repository, known: Mapping[str, Entry | None] | None = None) -> None:
        self.repository = repository
        self._known = dict(known or {})
        self._entries: dict[str, Entry] | None = None

    def entry(self, path: str) -> Entry | None:
        """What stands at a path: from the listing if there is one, else asked for by name."""
        if self._entries is not None:
            return self._entries.get(path)
        if path not in self._known:
            self._known[path] = self._look_up(path)
        known = self._known[path]
        if known is not None and known.identity in _EMPTY_BLOBS:
            return self.entries().get(path)  # only announced (``git add -N``), or empty: the listing tells
        return known

    def learn(self, known: Mapping[str, Entry | None]) -> None:
        """Take entries with their modes, as a diff gives them."""
        self._known.update(known)

    def look_closely(self, paths: Iterable[str]) -> None:
        """Ask git for the modes at these paths: by its name alone a link looks like a file."""
        wanted = list(paths)
        if self._entries is None:
            self._known.update({**dict.fromkeys(wanted), **self._entries_at(wanted)})

    @abstractmethod
    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        """What stands at these paths, without a listing of the store."""

    def _look_up(self, path: str) -> Entry | None:
        """One path by its name in git; the mode of a file is not known then."""
        top = self.repository.top_path(path)
        if "\n" in top or "\0" in top:
            return self.entries().get(path)
        found = self.repository.blobs.find(f"{self._unchanged}{top}", self.limit_of(path))
        if found is None:
            return None
        identity, kind = found
        return Entry("file" if kind == "blob" else "directory", identity)

    @property
    def _unchanged(self) -> str:
        """The same, for what the store has at a path that no diff has told of."""
        return self._named

    @property
    @abstractmethod
    def _named(self) -> str:
        """What stands before a path where git names an object of this source."""

    def read(self, path: str) -> bytes | TooLarge | None:
        """The blob at a path, as git stores it."""
        entry = self.entry(path)
        if entry is None or entry.kind != "file" or entry.identity is None:
            return None
        content = self.repository.blobs.read(entry.identity, self.limit_of(path))
        if content is None:
            raise MissingObjectError(entry.identity)
        return content

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | TooLarge | None]]:
        """Many blobs through one batch."""
        found = [(path, entry.identity) for path in paths if (entry := self.entry(path)) and entry.kind == "file"]
        answers = self.repository.blobs.read_many((identity or "", self.limit_of(path)) for path, identity in found)
        for (path, identity), (_, content) in zip(found, answers, strict=True):
            if content is None:
                raise MissingObjectError(identity or path)
            yield path, content

    def _document_name(self, path: str, commit: str | None) -> str | None:
        """How git names a document; None for a name that leads elsewhere."""
        parts = path.split("/")
        if not path or path.startswith("/") or ".." in parts or "\n" in path or "\0" in path:
            return None
        return f"{commit}:{self.repository.beside}{path}" if commit else f"{self._named}{self.repository.beside}{path}"

    def has_document(self, path: str, commit: str | None) -> bool | None:
        """Whether a document is in this source, or at the commit named; None for a revision we do not pass on."""
        if commit is not None and not is_plain_revision(commit):
            return None
        name = self._document_name(path, commit)
        return name is not None and self.repository.names.find(name) is not None


class GitIndexSnapshot(_GitSnapshot):
    """The store in the git index that git will commit: the one ``GIT_INDEX_FILE`` names, where it is set.

    Args:
        repository: whose index.
        known: entries already known, from ``diff-index``.
        unmerged: paths known to be unmerged; None when nothing is known of that yet.
        base: a commit; ``known`` is all in which the store differs from it. Then git need not read its whole index
            to find one name.
    """

    def __init__(
        self,
        repository: Repository,
        known: Mapping[str, Entry | None] | None = None,
        unmerged: tuple[str, ...] | None = None,
        base: str | None = None,
    ) -> None:
        super().__init__(repository, known)
        self._unmerged = unmerged
        self._base = base
        self._left_out: dict[str, Entry] = {}

    def entries(self) -> Mapping[str, Entry]:
        """Every entry of stage 0; intent-to-add entries are not in the commit and not here."""
        if self._entries is None:
            self._list()
        assert self._entries is not None
        return self._entries

    def _list(self) -> None:
        repository = self.repository
        entries: dict[str, Entry] = {}
        unmerged: dict[str, None] = {}
        asked = ("ls-files", "-t", "-s", "-z", "--full-name", "--", *repository.pathspecs())
        for piece in repository.git.lines(*asked, separator=b"\0"):
            facts, _, name = piece.partition(b"\t")
            tag, mode, identity, stage = facts.decode("ascii").split()
            path = repository.store_path(os.fsdecode(name))
            if path is None:
                continue
            if stage == "0":
                entries[path] = entry_of(mode, identity)
                if tag == "S":
                    self._left_out[path] = entries[path]
            else:
                unmerged[path] = None
        for path in self._intended(entries):
            del entries[path]
        self._entries = entries
        self._unmerged = tuple(unmerged)

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        repository = self.repository
        specs = [f":(literal){repository.top_path(path)}" for path in paths]
        found: dict[str, Entry] = {}
        for piece in repository.git.run("ls-files", "-s", "-z", "--full-name", "--", *specs).split(b"\0"):
            facts, _, name = piece.partition(b"\t")
            path = repository.store_path(os.fsdecode(name))
            if path in paths and facts.endswith(b" 0"):
                mode, identity, _ = facts.decode("ascii").split()
                found[path] = entry_of(mode, identity)
        return found

    def _intended(self, entries: Mapping[str, Entry]) -> list[str]:
        """Paths that are only announced (``git add -N``): they show as empty files."""
        empty = [path for path, entry in entries.items() if entry.identity in _EMPTY_BLOBS]
        if not empty:
            return []
        top = [self.repository.top_path(path) for path in empty]
        out = self.repository.git.run("ls-files", "--debug", "--", *(f":(literal){path}" for path in top))
        found: list[str] = []
        current = -1
        for line in os.fsdecode(out).split("\n"):
            if line and not line.startswith(" "):
                current += 1
            elif "flags:" in line and int(line.rsplit("flags:", 1)[1].strip(), 16) & 0x20000000:
                found.append(sorted(empty, key=self.repository.top_path)[current])
        return found

    def left_out(self) -> Mapping[str, Entry]:
        """The entries that need no file in the worktree (``skip-worktree``), as in a sparse checkout."""
        self.entries()
        return self._left_out

    @property
    def _unchanged(self) -> str:
        return f"{self._base}:" if self._base else self._named

    @property
    def _named(self) -> str:
        return ":0:"

    def unmerged(self) -> Iterable[str]:
        """Store paths with the sides of a conflict still in the git index."""
        if self._unmerged is None:
            self._list()
        return self._unmerged or ()


class SideSnapshot(_GitSnapshot):
    """One side of conflicts that were settled in the git index: nothing but the paths in conflict."""

    def __init__(self, repository: Repository, entries: Mapping[str, Entry]) -> None:
        super().__init__(repository)
        self._entries = dict(entries)

    def entries(self) -> Mapping[str, Entry]:
        """What the side held at these paths."""
        assert self._entries is not None
        return self._entries

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        return {path: entry for path, entry in self.entries().items() if path in paths}

    @property
    def _named(self) -> str:
        return ":0:"


_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)

_REVISION = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._/-~^")


_LONGEST_REVISION = 256
"""Characters; a longer one is no name that anybody gave."""


def is_plain_revision(text: str) -> bool:
    """Whether a revision read from a record is a plain name: no search, no date, no option."""
    return (
        0 < len(text) <= _LONGEST_REVISION
        and not text.startswith("-")
        and _REVISION.issuperset(text)
        and ".." not in text
    )


class TreeSnapshot(_GitSnapshot):
    """The store in the tree of one commit.

    Args:
        repository: where the commit is.
        commit: its id.
        known: entries already known, from ``diff-index`` or ``diff-tree``.
    """

    def __init__(self, repository: Repository, commit: str, known: Mapping[str, Entry | None] | None = None) -> None:
        super().__init__(repository, known)
        self.commit = commit

    def entries(self) -> Mapping[str, Entry]:
        """Every entry of the tree below the store, and those beside it that the tracker makes."""
        if self._entries is None:
            repository = self.repository
            entries: dict[str, Entry] = {}
            asked = ("ls-tree", "-z", "--full-tree", self.commit)
            above = ("--", repository.beside) if repository.beside else ()
            inside = repository.git.lines(*asked, "-r", "--", repository.prefix, separator=b"\0")
            beside = repository.git.lines(*asked, *above, separator=b"\0")
            for piece in chain(inside, beside):
                if not piece:
                    continue
                facts, _, name = piece.partition(b"\t")
                mode, _, identity = facts.decode("ascii").split()
                is_tree = mode == "040000"
                path = repository.store_path(os.fsdecode(name) + "/" * is_tree)
                if path is not None and path.startswith("../") and is_tree:
                    entries[path] = entry_of("100644", identity)
                elif path is not None and not is_tree:
                    entries[path] = entry_of(mode, identity)
            self._entries = entries
        return self._entries

    def _entries_at(self, paths: list[str]) -> dict[str, Entry]:
        repository = self.repository
        asked = ("ls-tree", "-z", "--full-tree", self.commit, "--", *(repository.top_path(path) for path in paths))
        found: dict[str, Entry] = {}
        for piece in repository.git.run(*asked).split(b"\0"):
            facts, _, name = piece.partition(b"\t")
            path = repository.store_path(os.fsdecode(name))
            if path in paths:
                mode, _, identity = facts.decode("ascii").split()
                found[path] = entry_of(mode, identity)
        return found

    @property
    def _named(self) -> str:
        return f"{self.commit}:"
