"""What the configuration of a store says of labels: namespaces, types, and which default rules are run.

Source: the tracker's ``config.toml`` defaults and its default rules; a ``rules.toml`` is the only source of
rules where it is there. In June's stores the default rules are named ``default:label-format`` and so on and
assert the baked ``schemas/default-*.json``; since v1 they are named ``label-format``, carry ``origin =
"default"``, and assert what ``config.toml`` says.
"""

from __future__ import annotations

from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.store.store import Store

LABEL_SCHEMA = "schemas/default-label-format.json"
NAMESPACE_SCHEMA = "schemas/default-namespace-registry.json"
TYPE_SCHEMA = "schemas/default-type-hierarchy-known.json"

FORMAT_V1 = "^[a-z][a-z0-9-]*:[a-zA-Z0-9][a-zA-Z0-9._/-]*$"
FORMAT_JUNE = "^[a-z][a-z0-9-]*:[a-zA-Z0-9][a-zA-Z0-9._-]*$"
"""The two label formats the tracker ever had; a ``/`` in a value came on 2026-06-25."""

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_NAMESPACE = _LOWER | frozenset("0123456789-")
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_VALUES = {FORMAT_V1: _FIRST | frozenset("._/-"), FORMAT_JUNE: _FIRST | frozenset("._-")}

_NAMESPACES = {"component": False, "type": True, "team": True}
"""The namespaces of a store that configures none, and which of them are unique."""

_ASSOCIATIONS = {"milestone": "milestone", "epic": "epic", "story": "story"}
_TYPES = frozenset(("milestone", "epic", "story", "task"))


class LabelRules:
    """What a store asks of the labels of its issues.

    Attributes:
        format: one of the two known label formats; empty when the rule is not run, or asks for a format of
        its own. namespaces: the registered namespaces; None when the rule is not run. types: the types an
        issue may have; None when the rule is not run. unique: the namespaces of which an issue may have one
        label.
    """

    __slots__ = ("_known", "format", "namespaces", "types", "unique")

    def __init__(self, store: Store) -> None:
        config = store.table(layout.CONFIG) or {}
        rules = _default_rules(store)
        self._known: dict[str, bool] = {}
        self.format = ""
        if rules is None:
            self.format = FORMAT_V1
        elif "label-format" in rules:
            self.format = FORMAT_V1 if _is_derived(rules["label-format"]) else _baked_format(store, rules)
        namespaces = namespaces_of(config)
        runs_registry = rules is None or "namespace-registry" in rules
        self.namespaces = frozenset(namespaces) if runs_registry else None
        self.types = types_of(config) if rules is None or "type-hierarchy-known" in rules else None
        unique = (name for name, is_unique in namespaces.items() if is_unique)
        self.unique = frozenset(unique) if rules is None else _unique_by_rule(rules, frozenset(unique))

    def is_well_formed(self, label: str) -> bool:
        """True if a label has the format asked for; always when none is."""
        if not self.format:
            return True
        known = self._known.get(label)
        if known is None:
            known = self._known[label] = self._is_well_formed(label)
        return known

    def _is_well_formed(self, label: str) -> bool:
        namespace, colon, value = label.partition(":")
        return (
            bool(colon and namespace and value)
            and namespace[0] in _LOWER
            and _NAMESPACE.issuperset(namespace)
            and value[0] in _FIRST
            and _VALUES[self.format].issuperset(value)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelRules) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__ if name != "_known"
        )

    def __hash__(self) -> int:
        return hash((self.format, self.namespaces, self.types, self.unique))


def is_v1(store: Store) -> bool:
    """True if the rules of a store are those of the tracker since v1: an ``origin`` tells them."""
    return any("origin" in rule for rule in rules_of(store) or ())


def rules_of(store: Store) -> list[dict[str, object]] | None:
    """The tables ``[[rules]]`` of ``rules.toml``; None when there is no such file, or it is not TOML."""
    table = store.table(layout.RULES)
    if table is None:
        return None
    rules = table.get("rules", [])
    return [rule for rule in rules if type(rule) is dict] if type(rules) is list else []


def namespaces_of(config: dict[str, object]) -> dict[str, bool]:
    """The registered namespaces, and whether each is unique; label associations register theirs unasked."""
    configured = config.get("namespaces")
    if type(configured) is dict and configured:
        namespaces = {name: type(entry) is dict and entry.get("unique") is True for name, entry in configured.items()}
    else:
        namespaces = dict(_NAMESPACES)
    hierarchy = config.get("type_hierarchy")
    associations = hierarchy.get("label_associations") if type(hierarchy) is dict else None
    for name in (associations if type(associations) is dict else _ASSOCIATIONS).values():
        if type(name) is str:
            namespaces.setdefault(name, False)
    return namespaces


def types_of(config: dict[str, object]) -> frozenset[str]:
    """The types of the hierarchy; the four built in when none are configured."""
    hierarchy = config.get("type_hierarchy")
    types = hierarchy.get("types") if type(hierarchy) is dict else None
    return frozenset(types) if type(types) is dict else _TYPES


def _default_rules(store: Store) -> dict[str, dict[str, object]] | None:
    """The default rules that are run for every issue, by their name since v1; None when all are, unwritten.

    A rule narrowed by ``when`` is left out: whom it selects is the tracker's to say.
    """
    rules = rules_of(store)
    if rules is None:
        return None
    found: dict[str, dict[str, object]] = {}
    for rule in rules:
        name = rule.get("name")
        if type(name) is not str or rule.get("severity") == "off" or rule.get("when"):
            continue
        if name.startswith("default:"):
            found[name[len("default:") :].replace("namespace-unique:", "namespace-unique-", 1)] = rule
        elif rule.get("origin") == "default":
            found[name] = rule
    return found


def _is_derived(rule: dict[str, object]) -> bool:
    """True if the tracker takes what a rule asserts from its own code and ``config.toml``."""
    return rule.get("origin") == "default"


def _baked_format(store: Store, rules: dict[str, dict[str, object]]) -> str:
    """The format in June's baked schema, when it is a known one: a pattern of a store is never run."""
    pattern = pattern_of(store.table(_schema_path(rules["label-format"]) or LABEL_SCHEMA))
    return pattern if pattern in _VALUES else ""


def _schema_path(rule: dict[str, object]) -> str:
    asserted = rule.get("assert")
    path = asserted.get("json-schema") if type(asserted) is dict else None
    return path if type(path) is str and layout.kind_of(path) == "schema" and ".." not in path else ""


def pattern_of(schema: dict[str, object] | None) -> str:
    """The pattern that a baked schema asks of every label; empty when it is of another shape."""
    pattern = _below(schema, "properties", "raw_labels", "items", "pattern")
    return pattern if type(pattern) is str else ""


def types_in(schema: dict[str, object] | None) -> list[str] | None:
    """The types that a baked schema knows; None when it is of another shape."""
    types = _below(schema, "properties", "labels", "properties", "type", "items", "enum")
    return [name for name in types if type(name) is str] if type(types) is list else None


def namespaces_in(schema: dict[str, object] | None) -> list[str] | None:
    """The namespaces in the pattern ``^(a|b):`` of a baked schema; None when it is of another shape."""
    pattern = pattern_of(schema)
    if not (pattern.startswith("^(") and pattern.endswith("):")):
        return None
    names = pattern[2:-2].split("|")
    return names if all(_NAMESPACE.issuperset(name) for name in names) else None


def _below(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if type(value) is dict else None
    return value


def _unique_by_rule(rules: dict[str, dict[str, object]], configured: frozenset[str]) -> frozenset[str]:
    """The namespaces with a rule of their own: June's rule says so, v1's takes it from ``config.toml``."""
    unique = set()
    for name, rule in rules.items():
        if not name.startswith("namespace-unique-"):
            continue
        namespace = name[len("namespace-unique-") :]
        if _is_derived(rule):
            if namespace in configured:
                unique.add(namespace)
        elif (
            _below(rule, "assert", "require-label", "max") == 1
            and _below(rule, "assert", "require-label", "label") == f"{namespace}:*"
        ):
            unique.add(namespace)
    return frozenset(unique)
