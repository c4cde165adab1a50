"""Family ``label``: labels against the store's own configuration. No error: the tracker loads any label."""

from __future__ import annotations

from jit_hooks.checks.wording import repeated, titled
from jit_hooks.problem import Problem
from jit_hooks.store import layout
from jit_hooks.store.labels import FORMAT_JUNE, LabelRules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from jit_hooks.store.focus import Focus
    from jit_hooks.store.records import Issue, Record
    from jit_hooks.store.store import Store


def label_malformed(store: Store, focus: Focus) -> Iterator[Problem]:
    """A label has not the form ``namespace:value`` that the store asks for.

    A namespace of lower-case letters, digits and hyphens, one colon, a value of letters, digits, dots,
    hyphens and underscores; since 2026-06-25 with ``/`` too. In June's stores the baked
    ``schemas/default-label-format.json`` decides, since v1 the tracker itself. A pattern of the store's own
    is not run, for a hostile one could run for ever: such labels are not judged. A ``rules.toml`` without
    this rule, or with it ``off``, asks for nothing.

    FAIL: ``Type bug``; ``type:``

    PASS: ``type:bug``; ``milestone:v1.0``

    REPAIR: none; a person says what was meant.

    TO FIX: correct the label, or the format in .jit/config.toml.
    """
    rules = LabelRules(store)
    if not rules.format:
        return
    for issue in _judged(store, focus, rules):
        for label in dict.fromkeys(issue.labels):
            if not rules.is_well_formed(label):
                has_slash = rules.format == FORMAT_JUNE and "/" in label
                yield _problem(
                    "label-malformed",
                    issue,
                    label,
                    f'issue {titled(store, issue.id)} has the label "{label}", which is not `namespace:value`'
                    + (" (this store's format knows no `/`)" if has_slash else ""),
                )


def label_duplicate(record: Record) -> Iterator[Problem]:
    """An issue has one label twice.

    Harmless to the tracker; a merge of two branches that both added it leaves it.

    FAIL: ``"labels": ["type:bug", "type:bug"]``

    PASS: each label once.

    REPAIR: the first stays.

    TO FIX: keep one of the two.
    """
    if not record.loads:
        return
    labels = record.members["labels"]
    assert type(labels) is list
    for label, position in repeated(labels).items():
        yield Problem(
            "label-duplicate",
            record.path,
            f'has the label "{label}" twice',
            subject=label,
            pointer=f"/labels/{position}",
        )


def label_unregistered(store: Store, focus: Focus) -> Iterator[Problem]:
    """A label's namespace, or an issue's type, is not registered in ``config.toml``.

    A store without ``[namespaces]`` has ``component``, ``type``, ``team``; one without ``[type_hierarchy]``
    the types milestone, epic, story and task. Namespaces of ``label_associations`` count as registered. The
    rules ``namespace-registry`` and ``type-hierarchy-known`` of ``rules.toml`` can be ``off``, or gone.

    FAIL: ``nope:x``; ``type:taks``

    PASS: ``epic:auth`` where ``epic`` is a namespace, or associated with a type.

    REPAIR: none; a person mends the label, or registers the namespace or type.

    TO FIX: register the namespace in .jit/config.toml, or correct the label.
    """
    rules = LabelRules(store)
    if rules.namespaces is None and rules.types is None:
        return
    for issue in _judged(store, focus, rules):
        for label in dict.fromkeys(issue.labels):
            namespace, colon, value = label.partition(":")
            if not colon or not rules.is_well_formed(label):
                continue
            if rules.namespaces is not None and namespace not in rules.namespaces:
                what = f"whose namespace `{namespace}`"
            elif rules.types is not None and namespace == "type" and value not in rules.types:
                what = f"whose type `{value}`"
            else:
                continue
            yield _problem(
                "label-unregistered",
                issue,
                label,
                f'issue {titled(store, issue.id)} has the label "{label}", {what} is not in config.toml',
            )


def label_not_unique(store: Store, focus: Focus) -> Iterator[Problem]:
    """An issue has two labels of a namespace that allows one.

    A namespace is unique by ``unique = true`` in ``config.toml`` together with its rule in ``rules.toml``;
    without a ``rules.toml`` by the first alone. The tracker refuses to write the second label; a merge does
    not.

    FAIL: ``type:bug`` and ``type:task`` on one issue.

    PASS: two labels of ``component``.

    REPAIR: none; a person decides which one stays.

    TO FIX: keep one label of the namespace.
    """
    rules = LabelRules(store)
    if not rules.unique:
        return
    for issue in _judged(store, focus, rules):
        if len(issue.labels) < 2:
            continue
        by_namespace: dict[str, list[str]] = {}
        for label in dict.fromkeys(issue.labels):
            namespace, colon, _ = label.partition(":")
            if colon and namespace in rules.unique:
                by_namespace.setdefault(namespace, []).append(label)
        for namespace, labels in by_namespace.items():
            if len(labels) > 1:
                listed = ", ".join(f'"{label}"' for label in labels)
                yield Problem(
                    "label-not-unique",
                    issue.path,
                    f"issue {titled(store, issue.id)} has {len(labels)} labels of `{namespace}`, "
                    f"a namespace that allows one: {listed}",
                    subject=namespace,
                    pointer=f"/labels/{issue.labels.index(labels[1])}",
                )


def _judged(store: Store, focus: Focus, rules: LabelRules) -> Iterator[Issue]:
    """The issues in the focus; every issue when what the store asks of labels has changed."""
    if not focus.everything and any(_is_configuration(path) for path in focus.paths):
        parent = focus.parents[0] if focus.parents else None
        if parent is None or _is_broken(parent) or LabelRules(parent) != rules:
            yield from store.issues()
            return
    for issue_id in focus.issue_ids(store):
        issue = store.issue(issue_id)
        if issue is not None:
            yield issue


def _is_configuration(path: str) -> bool:
    return path in (layout.CONFIG, layout.RULES) or path.startswith(layout.SCHEMAS)


def _is_broken(store: Store) -> bool:
    return store.is_file(layout.CONFIG) and store.table(layout.CONFIG) is None


def _problem(code: str, issue: Issue, label: str, message: str) -> Problem:
    return Problem(code, issue.path, message, subject=label, pointer=f"/labels/{issue.labels.index(label)}")
