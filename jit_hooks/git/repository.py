"""A git repository that holds a store: where that lies in it, and what changed there.

Names and bytes come from git's own plumbing, which honours ``GIT_INDEX_FILE`` and reads every index version,
split and sparse indexes and SHA-256 repositories.
"""

from __future__ import annotations

import os

from jit_hooks.git.command import EVERY_LINK, glob_quoted
from jit_hooks.git.commits import Commits
from jit_hooks.git.objects import Blobs, entry_of
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from jit_hooks.git.command import Git
    from jit_hooks.store.snapshot import Entry


class Repository:
    """A git repository that holds a store, as this program sees it.

    Attributes:
        git: its commands, run where names are relative to the top of the worktree (or of the bare repository).
        prefix: where the store lies from there, with a final ``/``: ``.jit/``.
        blobs: objects by name, with their content.
        names: objects by name, without it.
        commits: the commits by name.
        head_diff: what ``diff-index --cached --raw`` of HEAD printed, a line a change, where that is known.
    """

    def __init__(self, git: Git, prefix: str = ".jit/") -> None:
        self.git = git
        self.prefix = prefix
        self.blobs = Blobs(git)
        self.names = Blobs(git, check=True)
        self.commits = Commits(git, self.blobs)
        self.head_diff: bytes | None = None
        self._common = ""

    @property
    def top(self) -> str:
        """The directory that paths from the top begin at, absolute."""
        return os.path.abspath(self.git.directory)

    @property
    def common(self) -> str:
        """The git directory that all worktrees share, absolute."""
        plain = os.path.join(self.top, ".git")
        is_told = not self.git.environment.keys().isdisjoint(("GIT_DIR", "GIT_COMMON_DIR"))
        if not self._common and not is_told and not os.path.lexists(os.path.join(plain, "commondir")):
            self._common = os.path.realpath(plain) if os.path.isdir(plain) else ""
        if not self._common:
            self._common = os.path.realpath(os.path.join(self.top, self.git.text("rev-parse", "--git-common-dir")))
        return self._common

    @property
    def control(self) -> str:
        """The directory of the control plane, absolute."""
        return os.path.join(self.common, "jit")

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
        """The pathspecs of the store, and of what the tracker leaves beside it."""
        beside = glob_quoted(self.beside)
        return [
            f":(literal){self.prefix}".removesuffix("/"),
            *(f":(glob){beside}{name}*" for name in layout.BESIDE),
        ] + [f":(glob){beside}{name}*/**" for name in layout.BESIDE]

    def leaves_out_store(self) -> bool:
        """True if a sparse checkout leaves the whole store out of the worktree; ask where nothing lies on disk."""
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
        if path.startswith(layout.TOP):
            return path[len(layout.TOP) :]
        if path.startswith(layout.CONTROL):
            return os.path.join(self.control, path[len(layout.CONTROL) :])
        return self.prefix + path

    def changes(self, *arguments: str) -> dict[str, tuple[Entry | None, Entry | None]]:
        """Store path to entry before and after, as ``diff-index`` or ``diff-tree`` prints it.

        An entry after of unknown content (a worktree file) has no identity.
        """
        asked = (*arguments, "--raw", "-z", "--no-abbrev", "--no-renames", EVERY_LINK)
        where = () if "--" in arguments else ("--", *self.pathspecs())
        return self.parse_changes(self.git.run(*asked, *where).split(b"\0"))

    def parse_changes(self, pieces: Iterable[bytes]) -> dict[str, tuple[Entry | None, Entry | None]]:
        """The changes in raw diff pieces: a header, a path, a header, a path."""
        changes: dict[str, tuple[Entry | None, Entry | None]] = {}
        header = ""
        for piece in pieces:
            text = os.fsdecode(piece)
            if not header:
                header = text
                continue
            self._take_change(header, text, changes)
            header = ""
        return changes

    def staged_since(self, parent: str) -> dict[str, tuple[Entry | None, Entry | None]]:
        """The changes of the git index against a commit; git is not asked again where that is HEAD and known."""
        diff = self.head_diff
        if diff is None or b'\t"' in diff or parent != self.commits.head():  # git quotes odd names on a line
            return self.changes("diff-index", "--cached", parent)
        changes: dict[str, tuple[Entry | None, Entry | None]] = {}
        for line in os.fsdecode(diff).split("\n"):
            if line:
                header, _, name = line.partition("\t")
                self._take_change(header, name, changes)
        return changes

    def _take_change(self, header: str, name: str, changes: dict[str, tuple[Entry | None, Entry | None]]) -> None:
        old_mode, new_mode, old, new, _ = header[1:].split(" ", 4)
        path = self.store_path(name)
        if path is not None:
            before = None if old_mode == "000000" else entry_of(old_mode, old)
            changes[path] = (before, None if new_mode == "000000" else entry_of(new_mode, new))
