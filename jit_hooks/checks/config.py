"""Family ``config``: the configuration of a store, and the names in it."""

from __future__ import annotations

from jit_hooks.problem import Problem
from jit_hooks.store import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.store import Store

    Said = Iterator[tuple[str, str]]

_FILES = (layout.CONFIG, layout.RULES, layout.TEMPLATES, layout.INVARIANTS)

_PROJECTIONS = (
    "schemas/default-label-format.json",
    "schemas/default-namespace-registry.json",
    "schemas/default-type-hierarchy-known.json",
)
"""Schemas that the tracker since v1 writes for others and does not read: none is missed."""

_ITEM_KIND = ("section", "id-pattern", "markers", "link-namespaces", "scope", "source-of-truth")


def config_malformed(store: Store, focus: Focus) -> Iterator[Problem]:
    """A configuration file does not load, or names something the store does not have.

    ``config.toml``, ``rules.toml``, ``templates.toml``, ``invariants.toml``, ``schemas/*.json``. The tracker
    loads them together: a mistake in one stops every write. A rule names its schema file, an invariant the
    rule or gate that enforces it, a template its own roles and anchors and the types of the hierarchy. The
    gates of a template are not judged, for they may be presets that the tracker brings along; nor is what
    only a newer tracker could explain, such as an unknown kind of assertion.

    FAIL: an unclosed string in ``config.toml``; ``enforced-by = "label-fromat"``; a rule without its schema
    file.

    PASS: unknown sections and keys, which the tracker ignores; no file at all.

    REPAIR: restored from the newest copy that loads.

    TO FIX: correct the file.
    """
    for path in _judged(store, focus):
        record = store.record(path)
        if record is None:
            continue
        if record.fault is not None:
            if record.fault.code == "toml-unparsable":
                yield Problem("config-malformed", path, record.fault.message, offset=record.fault.offset)
            continue
        if record.kind == "schema":
            if type(record.document) not in (dict, bool):
                yield Problem("config-malformed", path, "is not a JSON Schema: neither an object nor a boolean")
            continue
        said: dict[str, list[str]] = {}
        for subject, words in _JUDGES[path](store, record.members):
            said.setdefault(subject, []).append(words)
        for subject, all_words in said.items():
            yield Problem("config-malformed", path, "; ".join(all_words), subject=subject)


def _judged(store: Store, focus: Focus) -> list[str]:
    """The files to judge: those in the focus, and those that name what a change may have taken away."""
    if focus.everything:
        return [*_FILES, *(path for path in store.entries() if layout.kind_of(path) == "schema")]
    kinds = {path: layout.kind_of(path) for path in sorted(focus.paths)}
    touched = {path for path, kind in kinds.items() if path in _FILES or kind == "schema"}
    for path, kind in kinds.items():
        if path == layout.CONFIG:
            touched.update((layout.TEMPLATES, layout.INVARIANTS))
        elif path == layout.RULES or kind in ("gates-json", "gates-toml"):
            touched.add(layout.INVARIANTS)
        elif kind == "schema":
            touched.add(layout.RULES)
    return sorted(path for path in touched if store.is_file(path))


_TABLES = ("validation", "documentation", "worktree", "coordination", "global_operations", "locks", "events")
"""Tables of `config.toml` of which only that is asked: to be tables."""


def _judge_config(_: Store, config: dict[str, object]) -> Said:
    version = _table(config, "version")
    if version is None or ("version" in config and not _is_count(version.get("schema"))):
        yield "version", "`[version]` has no number `schema`"
    if "type_hierarchy" in config:
        for words in _faults_of_hierarchy(_table(config, "type_hierarchy")):
            yield "type_hierarchy", words
    for name, entry in _entries_of(config, "namespaces"):
        if entry is None:
            yield "namespaces", "`namespaces` is not a table"
        elif type(entry.get("description")) is not str or type(entry.get("unique")) is not bool:
            yield f"namespaces/{name}", f"`[namespaces.{name}]` lacks a text `description` or a boolean `unique`"
    for name, entry in _entries_of(config, "item_kinds"):
        missing = [key for key in _ITEM_KIND if entry is not None and key not in entry]
        if entry is None:
            yield "item_kinds", "`item_kinds` is not a table"
        elif missing:
            yield f"item_kinds/{name}", f"`[item_kinds.{name}]` lacks {_listed(missing)}"
    for name in _TABLES:
        if _table(config, name) is None:
            yield name, f"`{name}` is not a table"


def _entries_of(config: dict[str, object], name: str) -> Iterator[tuple[str, dict[str, object] | None]]:
    """The tables in a table, an empty one for an entry that is none; None where the table itself is none."""
    table = _table(config, name)
    if table is None:
        yield "", None
    for key, entry in (table or {}).items():
        yield key, entry if type(entry) is dict else {}


def _faults_of_hierarchy(hierarchy: dict[str, object] | None) -> Iterator[str]:
    types = hierarchy.get("types") if hierarchy is not None else None
    if hierarchy is None or type(types) is not dict:
        yield "`[type_hierarchy]` has no table `types`"
        return
    for name, level in types.items():
        if type(level) is not int or not 1 <= level <= 255:
            yield f"the level of the type `{name}` is not a number from 1 to 255"
    associations = hierarchy.get("label_associations", {})
    if type(associations) is not dict or not _are_texts(list(associations.values())):
        yield "`label_associations` does not map types to namespaces"
    if not _are_texts(hierarchy.get("strategic_types", [])):
        yield "`strategic_types` is not a list of types"


def _judge_rules(store: Store, table: dict[str, object]) -> Said:
    seen: set[str] = set()
    for position, rule in enumerate(_rows(table, "rules")):
        name = rule.get("name") if type(rule) is dict else None
        if type(rule) is not dict or type(name) is not str:
            yield f"rules/{position}", f"rule {position + 1} has no `name`"
            continue
        subject = f"rules/{name}"
        if name in seen:
            yield subject, f"defines the rule `{name}` twice"
        seen.add(name)
        severity = rule.get("severity", "warn")
        if severity not in ("off", "warn", "error"):
            yield subject, f"the rule `{name}` has the severity `{severity}`, not one of off, warn, error"
        asserted = rule.get("assert")
        if type(asserted) is not dict or len(asserted) != 1:
            yield subject, f"the rule `{name}` does not assert exactly one thing"
            continue
        if "json-schema" in asserted:
            yield from _judge_schema_of(store, subject, name, rule, asserted["json-schema"])
    if type(table.get("rules", [])) is not list:
        yield "rules", "`rules` is not a list of tables `[[rules]]`"


def _judge_schema_of(store: Store, subject: str, name: str, rule: dict[str, object], path: object) -> Said:
    if (
        type(path) is not str
        or not path.startswith(layout.SCHEMAS)
        or not path.endswith(".json")
        or ".." in path.split("/")
    ):
        yield subject, f"the rule `{name}` names a schema that is not `schemas/... .json`"
    elif not store.is_file(path) and not (rule.get("origin") == "default" and path in _PROJECTIONS):
        yield subject, f"the rule `{name}` names {path}, which does not exist"


def _judge_templates(store: Store, table: dict[str, object]) -> Said:
    from jit_hooks.store.labels import types_of

    config = store.table(layout.CONFIG)
    types = types_of(config or {}) if config is not None or not store.is_file(layout.CONFIG) else None
    seen: set[str] = set()
    for position, template in enumerate(_rows(table, "template")):
        name = template.get("name") if type(template) is dict else None
        if type(template) is not dict or type(name) is not str:
            yield f"template/{position}", f"template {position + 1} has no `name`"
            continue
        subject = f"template/{name}"
        if name in seen:
            yield subject, f"defines the template `{name}` twice"
        seen.add(name)
        if not _are_texts(template.get("applies_to")) or not template["applies_to"]:
            yield subject, f"the template `{name}` applies to no type"
        for words in _faults_of_template(template, types):
            yield subject, f"in the template `{name}` {words}"


def _faults_of_template(template: dict[str, object], types: frozenset[str] | None) -> Iterator[str]:
    anchors = {name for row in _rows(template, "anchors") if type(name := _in(row, "name")) is str}
    roles: dict[str, object] = {}
    for node in _rows(template, "nodes"):
        role, kind = _in(node, "role"), _in(node, "type")
        if type(role) is not str:
            yield "a node has no `role`"
            continue
        if role in roles:
            yield f"two nodes have the role `{role}`"
        roles[role] = _in(node, "depends_on")
        if types is not None and kind not in types:
            yield f"the node `{role}` has the type `{kind}`, which config.toml does not define"
    yield from _faults_of_needs(roles)
    known = anchors.union(roles)
    for edge in _rows(template, "anchor_edges"):
        for end in (_in(edge, "from"), _in(edge, "to")):
            if end not in known:
                yield f"an anchor edge names `{end}`, which is neither an anchor nor a role"
    for transform in _rows(template, "transforms"):
        role = _in(transform, "role")
        if role is not None and role not in known:
            yield f"a transform names the role `{role}`, which does not exist"


def _faults_of_needs(roles: dict[str, object]) -> Iterator[str]:
    """The faults of what the roles of a template depend on."""
    from jit_hooks.store.graph import circles

    needs = {role: [to for to in needed if type(to) is str] for role, needed in roles.items() if type(needed) is list}
    for role, needed in needs.items():
        for target in needed:
            if target not in roles:
                yield f"the node `{role}` depends on `{target}`, which is no role"
    if next(circles(needs, lambda role: needs.get(role, ())), None):
        yield "nodes depend on each other in a circle"


def _judge_invariants(store: Store, table: dict[str, object]) -> Said:
    known = _enforcers(store)
    seen: set[str] = set()
    for position, row in enumerate(_rows(table, "invariants")):
        name = _in(row, "id")
        if type(row) is not dict or type(name) is not str:
            yield f"invariants/{position}", f"invariant {position + 1} has no `id`"
            continue
        subject = f"invariants/{name}"
        if name in seen:
            yield subject, f"defines the invariant `{name}` twice"
        seen.add(name)
        if type(row.get("statement")) is not str:
            yield subject, f"the invariant `{name}` has no `statement`"
        if row.get("kind") not in ("enforced", "advisory"):
            yield subject, f"the invariant `{name}` is neither `enforced` nor `advisory`"
        enforcers = row.get("enforced-by")
        for enforcer in enforcers if type(enforcers) is list else [enforcers]:
            if known is not None and type(enforcer) is str and enforcer.rsplit("/", 1)[-1] not in known:
                yield (
                    subject,
                    f"the invariant `{name}` is enforced by `{enforcer}`, which is neither a rule nor a gate",
                )


def _enforcers(store: Store) -> set[str] | None:
    """The names of all rules and gates; None when a file that defines them does not load, or no gate is."""
    from jit_hooks.store.labels import namespaces_of, rules_of

    for path in (layout.CONFIG, layout.RULES):
        if store.is_file(path) and store.table(path) is None:
            return None
    gates = store.gate_keys
    if gates is None:
        return None
    known = set(gates)
    rules = rules_of(store)
    if rules is not None:
        known.update(name for rule in rules if type(name := rule.get("name")) is str)
        return known
    for name in (
        *_BUILT_IN,
        *(f"namespace-unique:{n}" for n in namespaces_of(store.table(layout.CONFIG) or {})),
    ):
        known.update((f"default:{name}", name.replace(":", "-")))
    return known


_BUILT_IN = (
    "label-format",
    "namespace-registry",
    "type-hierarchy-known",
    "orphan-leaf",
    "strategic-consistency",
)
"""The default rules of a store without ``rules.toml``, beside one for each unique namespace."""

_JUDGES = {
    layout.CONFIG: _judge_config,
    layout.RULES: _judge_rules,
    layout.TEMPLATES: _judge_templates,
    layout.INVARIANTS: _judge_invariants,
}


def baked_schema_outdated(store: Store, focus: Focus) -> Iterator[Problem]:
    """A schema that the tracker made from ``config.toml`` no longer agrees with it.

    In June's stores the rules are judged by ``schemas/default-*.json``: a type or namespace added to
    ``config.toml`` alone is refused all the same. Since v1 (``rules.toml`` with ``origin``) these files are
    copies for others to read: then this is a note. A file of a shape the tracker never wrote is somebody's
    own, and not judged; nor is the label format, which no configuration decides.

    FAIL: the type ``bug`` added to ``[type_hierarchy]`` and not to
    ``schemas/default-type-hierarchy-known.json``.

    PASS: the same names in both.

    REPAIR: the schema is made again from ``config.toml``.

    TO FIX: run ``jit init`` again, or change the schema with the configuration.
    """
    if not focus.everything and not any(
        path in (layout.CONFIG, layout.RULES) or path.startswith(layout.SCHEMAS) for path in focus.paths
    ):
        return
    from jit_hooks.store import labels

    config = store.table(layout.CONFIG) or {}
    severity = "note" if labels.is_v1(store) else ""
    for path, what, baked, configured in (
        (
            labels.NAMESPACE_SCHEMA,
            "namespace",
            labels.namespaces_in(store.table(labels.NAMESPACE_SCHEMA)),
            set(labels.namespaces_of(config)),
        ),
        (
            labels.TYPE_SCHEMA,
            "type",
            labels.types_in(store.table(labels.TYPE_SCHEMA)),
            set(labels.types_of(config)),
        ),
    ):
        if baked is None or set(baked) == configured:
            continue
        words = []
        if configured - set(baked):
            words.append(f"lacks the {what} {_listed(sorted(configured - set(baked)))} of config.toml")
        if set(baked) - configured:
            words.append(f"has the {what} {_listed(sorted(set(baked) - configured))}, which config.toml has not")
        yield Problem("baked-schema-outdated", path, " and ".join(words), severity=severity, related=(layout.CONFIG,))


def _table(document: dict[str, object], name: str) -> dict[str, object] | None:
    """A section; empty when it is not there, None when it is something else."""
    value = document.get(name, {})
    return value if type(value) is dict else None


def _rows(document: object, name: str) -> list[object]:
    value = document.get(name) if type(document) is dict else None
    return value if type(value) is list else []


def _in(row: object, name: str) -> object:
    return row.get(name) if type(row) is dict else None


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _are_texts(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
