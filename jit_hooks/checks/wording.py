"""How messages name things, and how the faults of one record become problems."""

from __future__ import annotations

from jit_hooks.store.accepted import setting_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jit_hooks.store.store import Store
    from jit_hooks.store.validators import Fault


def titled(store: Store, issue_id: str) -> str:
    """How a message names an issue: the short id, and its title when it loads."""
    issue = store.issue(issue_id)
    return f'{issue_id[:8]} "{issue.title}"' if issue is not None else issue_id[:8]


def pointer_to(*parts: object) -> str:
    """The RFC 6901 pointer to a member below these names and positions."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def grouped(faults: Iterable[Fault], subject_of: Callable[[str], str]) -> dict[str, list[Fault]]:
    """The faults of one record by what their pointers are about, in the order found."""
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        groups.setdefault(subject_of(fault[0]), []).append(fault)
    return groups


def fault_words(faults: Iterable[Fault]) -> str:
    """The faults of one subject as one sentence, with the way through for values of a newer tracker."""
    said = []
    settings: dict[str, None] = {}
    for pointer, rule, detail in faults:
        said.append(f"`{pointer}` {detail}" if pointer else detail)
        setting = setting_for(pointer) if rule == "enum" else ""
        if setting:
            settings[setting] = None
    accept = "".join(
        f" (if a newer tracker writes it: accept it under `{setting}` in [accept] of .jit/hooks.toml)"
        for setting in settings
    )
    return "; ".join(said) + accept


def first_places(values: Sequence[str]) -> dict[str, int]:
    """Each value with the position it first stands at."""
    return {value: position for position, value in reversed(list(enumerate(values)))}


def repeated(values: list[str]) -> dict[str, int]:
    """Each value that stands more than once, with the position of its first repetition."""
    if len(set(values)) == len(values):
        return {}
    seen: set[str] = set()
    again: dict[str, int] = {}
    for position, value in enumerate(values):
        if value in seen:
            again.setdefault(value, position)
        seen.add(value)
    return again
