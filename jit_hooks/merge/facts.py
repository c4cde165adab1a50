"""What a merge may know beside the three versions of a file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

BUILT_IN_NAMESPACES = frozenset(("type", "team"))
"""Label namespaces that hold one label at the most in a store without ``config.toml``: the tracker's own."""


class Facts:
    """Settings that bear on a merge, asked for only when a merge comes to need them.

    Args:
        unique: label namespaces that hold one label at the most; None when the settings cannot be read.
        dropped_events: ids of events whose removal the settings accept.
        schema_version: the newest version of the issue index that may be merged.
    """

    def __init__(
        self,
        unique: Collection[str] | None = BUILT_IN_NAMESPACES,
        dropped_events: Collection[str] = (),
        schema_version: int = 2,
    ) -> None:
        self._unique = unique
        self._dropped_events = dropped_events
        self._schema_version = schema_version

    def unique_namespaces(self) -> Collection[str] | None:
        """Label namespaces of which an issue has one label; None when nobody can tell."""
        return self._unique

    def dropped_events(self) -> Collection[str]:
        """Events that may go from the log: an `[[accept]]` entry for `event-lost` names each."""
        return self._dropped_events

    def schema_version(self) -> int:
        """The newest version of the issue index that this program may merge."""
        return self._schema_version
