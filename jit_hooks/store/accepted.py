"""The growth of the tracker that a repository has accepted: values newer than this program.

Plain data, given by the settings (``.jit/hooks.toml``); empty by default.
"""

from __future__ import annotations

from jit_hooks.store.layout import MAX_DEPTH, MAX_LOG_BYTES, MAX_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from jit_hooks.store.validators import Fault

_ENUMS = {
    "state": "states",
    "from": "states",
    "to": "states",
    "target": "states",
    "archived_from": "states",
    "priority": "priorities",
    "status": "run-statuses",
    "stage": "stages",
    "mode": "modes",
    "type": "checker-types",
    "op": "claim-operations",
    "content_format": "content-formats",
    "asset_type": "asset-types",
    "derivation": "run-origins",
    "source": "profile-origins",
    "declared_stance": "stances",
    "invocation_override": "stances",
    "kind": "target-kinds",
}
"""Which setting accepts new values of a member, by the member's name."""


class Accepted:
    """What ``[accept]`` lists: setting name to values.

    ``schema_version`` is the newest version of the issue index to judge; ``depth``, ``record_bytes`` and
    ``log_bytes`` are the limits of what is read.
    """

    __slots__ = ("depth", "log_bytes", "record_bytes", "schema_version", "values")

    def __init__(
        self,
        values: Mapping[str, frozenset[str]] | None = None,
        schema_version: int = 2,
        *,
        depth: int = MAX_DEPTH,
        record_bytes: int = MAX_RECORD_BYTES,
        log_bytes: int = MAX_LOG_BYTES,
    ) -> None:
        self.values = dict(values or {})
        self.schema_version = schema_version
        self.depth = depth
        self.record_bytes = record_bytes
        self.log_bytes = log_bytes

    def left(self, faults: list[Fault], document: object) -> list[Fault]:
        """The faults without those that only say "this value is not known" of an accepted value."""
        return [fault for fault in faults if not self._accepts(fault, document)]

    def _accepts(self, fault: Fault, document: object) -> bool:
        pointer, rule, _ = fault
        if rule == "unknown-type":
            return self._value(document, pointer) in self.values.get("event-types", frozenset())
        if pointer == "/schema_version" and rule in ("enum", "maximum"):
            version = self._value(document, pointer)
            return type(version) is int and 2 < version <= self.schema_version
        if rule != "enum":
            return False
        setting = setting_for(pointer)
        return bool(setting) and self._value(document, pointer) in self.values.get(setting, frozenset())

    @staticmethod
    def _value(document: object, pointer: str) -> object:
        value = document
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict):
                value = value.get(name)
            elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            else:
                return None
        return value


def setting_for(pointer: str) -> str:
    """The name of the ``[accept]`` list that can take in a new value at this pointer; empty when none can."""
    if pointer.startswith("/gates_status/"):
        return "gate-statuses"
    return _ENUMS.get(pointer.rsplit("/", 1)[-1], "")
