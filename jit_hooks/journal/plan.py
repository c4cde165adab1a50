"""A plan as plain data: which file has to hold what, and gets what.

A ``Plan`` maps rooted paths (``store:issues/x.json``, ``control:claims.jsonl``) to a ``Change``. A path that ends in
``/`` is an empty directory that goes, or comes.
"""

from __future__ import annotations

import hashlib
import os

from jit_hooks.disk.layer import is_our_temp, normal
from jit_hooks.errors import PlanError
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Plan = Mapping[str, "Change"]
    Replan = Callable[[tuple[str, ...]], Plan]

DIRECTORY = "directory"
"""The ``before`` of an empty directory that goes."""

_GATES = (layout.GATES_JSON, layout.GATES_TOML)


def digest_of(data: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


class Change:
    """The bytes that one path has to hold, and those it gets.

    Attributes:
        before: SHA-256 hex of the bytes it must hold; ``directory`` for an empty directory; None: nothing is there.
        before_size: how many bytes those are; 0 for a directory and for nothing.
        after: the bytes it gets, ``b""`` for a new directory; None: it goes.
        append_only: a log: what was appended since the plan was made is kept behind ``after``.
        mode: permission bits it gets; None keeps those found, or the umask's for a new file.
    """

    __slots__ = ("after", "append_only", "before", "before_size", "mode")

    def __init__(
        self,
        before: str | None,
        before_size: int,
        after: bytes | None,
        *,
        append_only: bool = False,
        mode: int | None = None,
    ) -> None:
        self.before = before
        self.before_size = before_size
        self.after = after
        self.append_only = append_only
        self.mode = mode

    @classmethod
    def of(
        cls, before: bytes | None, after: bytes | None, *, append_only: bool = False, mode: int | None = None
    ) -> Change:
        """The change from one content to another; None where there is no file."""
        if before is None:
            return cls(None, 0, after, append_only=append_only, mode=mode)
        return cls(digest_of(before), len(before), after, append_only=append_only, mode=mode)

    @classmethod
    def remove_directory(cls) -> Change:
        """An empty directory goes."""
        return cls(DIRECTORY, 0, None)

    @classmethod
    def make_directory(cls, mode: int | None = None) -> Change:
        """An empty directory comes."""
        return cls(None, 0, b"", mode=mode)

    @property
    def after_digest(self) -> str | None:
        """SHA-256 hex of the bytes it gets; None when it goes."""
        return None if self.after is None else digest_of(self.after)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Change) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        after = None if self.after is None else len(self.after)
        return f"Change({self.before and self.before[:8]}, {after} bytes, append_only={self.append_only})"


def may_touch(path: str) -> bool:
    """True for a rooted path where plans write: in the store, the control plane, or the tracker's own beside it."""
    root, _, rest = normal(path).partition(":")
    parts = rest.removesuffix("/").split("/")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return (
        root in {"store", "control", "beside"}
        and "\0" not in path
        and all(parts)
        and not {".", ".."}.intersection(parts)
        and (root != "beside" or parts[0].startswith(layout.BESIDE))
    )


def may_clear(temp: str) -> bool:
    """True for the rooted path of a temp of this program, where its plans write."""
    directory, _, name = temp.rpartition("/") if "/" in temp else temp.rpartition(":")
    return is_our_temp(name) and (directory == "beside" or may_touch(temp))


def check_plan(plan: Plan) -> None:
    """Pass a plan that may be executed.

    Raises:
        PlanError: a path leads out of its root, names a lock file, or lies below another path of the plan.
    """
    for path, change in plan.items():
        if not may_touch(path):
            raise PlanError(f"a plan may not touch {path!r}")
        if path.removesuffix("/").endswith(".lock"):
            raise PlanError(f"a lock file is never written or removed: {path!r}")
        if path.endswith("/") and change.before is not None and change.before != DIRECTORY:
            raise PlanError(f"a directory has no bytes: {path!r}")
        if change.before is None and change.after is None:
            raise PlanError(f"the change has neither old nor new bytes: {path!r}")
        above = path.removesuffix("/")
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in plan:
                raise PlanError(f"{path!r} lies below {above!r}, which is a file in the same plan")


def touches_control(plan: Plan) -> bool:
    """True if the control plane is written."""
    return any(path.startswith("control:") for path in plan)


def touches_gates(plan: Plan) -> bool:
    """True if the gate registry is written."""
    return any(path.partition(":")[2] in _GATES for path in plan if path.startswith("store:"))


def plan_as_json(plan: Plan) -> list[dict[str, object]]:
    """The plan as ``--dry-run`` and the report print it: path, digest before, digest after, in order of path."""
    return [
        {
            "path": path,
            "before": change.before,
            "after": (DIRECTORY if path.endswith("/") and change.after is not None else change.after_digest),
        }
        for path, change in sorted(plan.items())
    ]


def carry_tail(change: Change, now: bytes) -> bytes | None:
    """The bytes that were appended to a log since its plan was made; None when it is not the old log grown.

    Only whole lines count: a log that ended inside a line when it was planned and is longer now has another last
    line than the one that was judged, so it has to be planned again.
    """
    if not change.append_only or change.before is None or change.after is None or len(now) < change.before_size:
        return None
    old = now[: change.before_size]
    tail = now[change.before_size :]
    if digest_of(old) != change.before:
        return None
    if tail and ((old and not old.endswith(b"\n")) or (change.after and not change.after.endswith(b"\n"))):
        return None
    return tail


def lock_set(plan: Plan) -> frozenset[str]:
    """The locks that this plan needs and not every one does: ``claims``, ``gates``."""
    return frozenset(name for name, needs in (("claims", touches_control), ("gates", touches_gates)) if needs(plan))
