"""A git repository that holds a store: its paths, revisions, and what changed.

Names and bytes come from git's own plumbing, which honours ``GIT_INDEX_FILE`` and reads every index version,
split and sparse indexes and SHA-256 repositories.
"""

from __future__ import annotations

import os

from jit_hooks.errors import MissingObjectError
from jit_hooks.git.command import EVERY_LINK, glob_quoted
from jit_hooks.git.objects import Blobs, entry_of
from jit_hooks.git.state import REPLAYING
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jit_hooks.git.command import Git
    from jit_hooks.store.snapshot import Entry

MOST_BASES = 16
"""Merge bases that a merge is judged by; a criss-cross has two."""


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
    def top(self) -> str:
        """The directory that paths from the top begin at, absolute."""
        return os.path.abspath(self.git.directory)

    @property
    def common(self) -> str:
        """The git directory that all worktrees share, absolute."""
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
        """What to ask git for: the store, and what the tracker leaves beside it."""
        beside = glob_quoted(self.beside)
        return [
            f":(literal){self.prefix}".removesuffix("/"),
            *(f":(glob){beside}{name}*" for name in layout.BESIDE),
        ] + [f":(glob){beside}{name}*/**" for name in layout.BESIDE]

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
        if path.startswith(layout.TOP):
            return path[len(layout.TOP) :]
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
