"""The commits of a repository, by the names that git knows them by."""

from __future__ import annotations

from jit_hooks.errors import MissingObjectError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from jit_hooks.git.command import Git
    from jit_hooks.git.objects import Blobs

MOST_BASES = 16
"""Merge bases that a merge is judged by; a criss-cross has two."""


class Commits:
    """The commits of a repository.

    Args:
        git: its commands.
        blobs: objects by name, with their content.
    """

    def __init__(self, git: Git, blobs: Blobs) -> None:
        self._git = git
        self._blobs = blobs

    def resolve(self, revision: str) -> str | None:
        """The commit id a revision names, or None."""
        if revision.startswith("-") or "\0" in revision or "\n" in revision:
            return None
        status, out, _ = self._git.ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return out.decode().strip() if status == 0 else None

    def head(self) -> str | None:
        """The commit id of HEAD; None when it is unborn.

        Raises:
            MissingObjectError: HEAD names a commit that is not there.
        """
        head = self._blobs.find("HEAD^{commit}")
        if head is None:
            status, out, _ = self._git.ask("rev-parse", "--verify", "--quiet", "HEAD")
            if status == 0:
                raise MissingObjectError(out.decode("ascii", "replace").strip())
        return head[0] if head else None

    def author_date(self, commit: str) -> str:
        """The date of a commit's author as the commit has it: seconds and time zone; empty where it has none."""
        content = self._blobs.read(commit)
        if not isinstance(content, bytes):
            return ""
        header = content.partition(b"\n\n")[0]
        author = next((line for line in header.split(b"\n") if line.startswith(b"author ")), b"")
        return author.rpartition(b"> ")[2].decode("ascii", "replace")

    def parents_of(self, commit: str) -> list[str]:
        """The ids of a commit's parents."""
        return self._git.text("rev-list", "--parents", "--max-count=1", commit, "--").split()[1:]

    def merge_bases(self, parents: Sequence[str]) -> list[str] | None:
        """The ids of all merge bases of the parents of a merge; none for unrelated histories.

        None where they are not known: in a clone too shallow to reach them, or with more of them than anybody means.
        """
        of_all = ["--octopus"] if len(parents) > 2 else []
        status, out, _ = self._git.ask("merge-base", "--all", *of_all, *parents)
        bases = out.decode("ascii").split()
        if status > 1 or len(bases) > MOST_BASES or (not bases and self.is_shallow()):
            return None
        return bases

    def is_shallow(self) -> bool:
        """True if commits may be missing their parents."""
        return self._git.text("rev-parse", "--is-shallow-repository") == "true"
