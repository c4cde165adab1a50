"""git's commands: how git is started, and in which environment.

git is started through ``posix_spawn``, which costs half of ``subprocess`` (``docs/performance.md``). Nothing is
written, fetched, stashed or checked out.
"""

from __future__ import annotations

import os
import select

from jit_hooks.errors import GitError, NotJudgedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SIGTERM = 15
"""As a number: the module ``signal`` costs the hot path as much as git does."""

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
        inherit: False to leave out the variables that tie git to a repository are passed on.
    """

    rests = False
    """True while no command may be started: who holds locks does not wait for what git runs or locks."""

    def __init__(self, directory: str = "", *, inherit: bool = True) -> None:
        self.directory = directory
        self.environment = git_environment(inherit=inherit)
        self._kept: dict[tuple[str, ...], tuple[int, bytes, bytes]] = {}

    def command(self, *arguments: str) -> list[str]:
        """The argument list of a git command."""
        place = ["-C", self.directory] if self.directory else []
        return ["git", *place, *arguments]

    def run(self, *arguments: str) -> bytes:
        """The output of a git command.

        Raises:
            GitError: it did not exit with 0.
        """
        status, out, err = self.ask(*arguments)
        if status:
            raise GitError(arguments, status, err.decode("utf-8", "replace"))
        return out

    def text(self, *arguments: str) -> str:
        """The output of a git command, as text without the final newline. Names that are not UTF-8 survive."""
        return os.fsdecode(self.run(*arguments)).removesuffix("\n")

    def ask(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr of a git command, whatever it says."""
        return self.begin(*arguments)()

    def ask_once(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """The same for what does not change while this program runs: git is asked the first time only."""
        if arguments not in self._kept:
            self.keep(arguments, self.ask(*arguments))
        return self._kept[arguments]

    def keep(self, arguments: tuple[str, ...], answer: tuple[int, bytes, bytes]) -> None:
        """Keep an answer for ``ask_once``."""
        self._kept[arguments] = answer

    def begin(self, *arguments: str) -> Callable[[], tuple[int, bytes, bytes]]:
        """Start a git command; what is returned waits for its end and gives exit code, stdout and stderr."""
        child, out_read, err_read = self._start(*arguments)

        def finish() -> tuple[int, bytes, bytes]:
            given: dict[int, list[bytes]] = {out_read: [], err_read: []}
            try:
                for descriptor, chunk in _chunks(out_read, err_read):
                    given[descriptor].append(chunk)
            except BaseException:
                os.kill(child, SIGTERM)
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
        rest = complaint = b""
        done = False
        try:
            for descriptor, chunk in _chunks(out_read, err_read):
                if descriptor == err_read:
                    complaint += chunk
                    continue
                *pieces, rest = (rest + chunk).split(separator)
                yield from pieces
            done = True
        finally:
            os.close(out_read)
            os.close(err_read)
            if not done:
                os.kill(child, SIGTERM)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if rest:
            yield rest
        if status:
            raise GitError(arguments, status, complaint.decode("utf-8", "replace"))

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
    """The output of several pipes, as it comes, so that none fills up."""
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


def glob_quoted(text: str) -> str:
    """A text as git's patterns mean it, whatever is in it."""
    return "".join(f"\\{c}" if c in "*?[\\" else c for c in text)
