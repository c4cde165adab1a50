"""``info/exclude``: what this program and the trackers leave beside a store belongs to no commit.

No tracker writes an ignore file. Ours is a marked block in the repository's own list, which nobody commits.
"""

from __future__ import annotations

import os

from jit_hooks.disk.replacing import atomic_write

BEGIN = "# jit-hooks begin: what trackers and repairs leave beside an issue store"
END = "# jit-hooks end"


def patterns(prefix: str) -> list[str]:
    """The patterns for a store that lies at ``prefix`` from the top (``.jit/``)."""
    store = "/" + "".join(f"\\{character}" if character in "\\*?[ " else character for character in prefix)
    beside = store.rstrip("/").rpartition("/")[0] + "/"
    return [
        f"{store}**/*.lock",
        f"{store}**/*.lock.meta",
        f"{store}tmp/",
        f"{store}gate-runs-corrupt/",
        f"{store}events.jsonl.bak",
        f"{beside}.jit-bootstrap.lock",
        f"{beside}.jit-bootstrap/",
        f"{beside}jit-stage-*",
    ]


def exclude(common: str, prefix: str) -> bool:
    """See to it that ``info/exclude`` holds the patterns of a store; True if it had to be written.

    Args:
        common: ``<git common dir>``.
        prefix: where the store lies from the top of the worktree, with a final ``/``.

    Raises:
        OSError, StorageError: it cannot be read or written.
    """
    before, ours, after = _parts(common)
    wanted = [*ours, *(line for line in patterns(prefix) if line not in ours)]
    if wanted == ours:
        return False
    os.makedirs(os.path.join(common, "info"), exist_ok=True)
    _write(common, "".join((before, "" if before.endswith("\n") or not before else "\n", _block(wanted), after)))
    return True


def unexclude(common: str) -> bool:
    """Take our block out of ``info/exclude``, and nothing else; True if there was one.

    Raises:
        OSError, StorageError: it cannot be read or written.
    """
    before, ours, after = _parts(common)
    if ours and not before and not after:
        os.unlink(exclude_path(common))
    elif ours:
        _write(common, before + after)
    return bool(ours)


def exclude_path(common: str) -> str:
    """The list of what git ignores in all worktrees of a repository."""
    return os.path.join(common, "info", "exclude")


def _block(lines: list[str]) -> str:
    return "\n".join([BEGIN, *lines, END]) + "\n"


def _parts(common: str) -> tuple[str, list[str], str]:
    """The text before our block, its lines, and the text after it."""
    try:
        with open(exclude_path(common), encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return "", [], ""
    begin = text.find(f"{BEGIN}\n")
    end = text.find(f"{END}\n", begin)
    if begin < 0 or end < 0:
        return text, [], ""
    return text[:begin], text[begin + len(BEGIN) + 1 : end].splitlines(), text[end + len(END) + 1 :]


def _write(common: str, text: str) -> None:
    atomic_write(exclude_path(common), text.encode("utf-8", "surrogateescape"))
