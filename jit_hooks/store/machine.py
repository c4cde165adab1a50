"""What is known of the machine a worktree lies on, as plain data: processes, locks and ages, at one moment.

An edge module gathers it (``worktree``); checks only read it. What is not known is never held against anyone: a
process that is not told dead lives, a lock that is not told free is held, a file without an age is new.
"""

from __future__ import annotations

from jit_hooks.store import layout
from jit_hooks.store.reader import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Machine:
    """Facts about one machine.

    Attributes:
        now: the time a request asks with, RFC 3339; empty when it names none.
        dead: ids of processes that do not run here.
        free: lock files, by store path, that nobody holds; one that does not exist is free.
        ages: seconds since a file was last written, by store path.
    """

    __slots__ = ("ages", "dead", "free", "now")

    def __init__(
        self,
        *,
        now: str = "",
        dead: Iterable[int] = (),
        free: Iterable[str] = (),
        ages: Mapping[str, float] | None = None,
    ) -> None:
        self.now = now
        self.dead = frozenset(dead)
        self.free = frozenset(free)
        self.ages = dict(ages or {})


UNKNOWN = Machine()
"""A machine of which nothing is known."""


def writer_of(path: str) -> int | None:
    """The process that a temp file is named after, ``.<name>.<pid>.<seq>.tmp``; None when its name tells none."""
    parts = path.rpartition("/")[2].split(".")
    if len(parts) < 5 or parts[0] or parts[-1] != "tmp":
        return None
    process, sequence = parts[-3:-1]
    return int(process) if _is_number(process) and _is_number(sequence) else None


def target_of(path: str) -> str:
    """The file that a temp file was to replace, by its store path; empty when its name does not tell.

    ``.<name>.<pid>.<seq>.tmp`` and ``<name>.tmp``; the claims index alone has a temp named otherwise.
    """
    if path == layout.CLAIMS_TEMP:
        return layout.CLAIMS_INDEX
    folder, slash, name = path.rpartition("/")
    if writer_of(path) is not None:
        name = name[1:].rsplit(".", 3)[0]
    elif name.endswith(".tmp") and not name.startswith("."):
        name = name.removesuffix(".tmp")
    else:
        return ""
    return f"{folder}{slash}{name}" if name else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def holder_in(data: bytes) -> int | None:
    """The process that the metadata of a lock names; None when it names none, as after a crash.

    One JSON object with ``pid``: the tracker's ``storage/lock.rs``.
    """
    document, _ = read_json(data, max_bytes=layout.MAX_META_BYTES)
    found = document.get("pid") if type(document) is dict else None
    return found if type(found) is int else None


def lock_of(path: str) -> str:
    """The lock file that a metadata file belongs to."""
    return path.removesuffix(".meta")
