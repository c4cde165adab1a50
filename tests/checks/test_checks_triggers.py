"""A hook looks at what was written, and finds all that a full check finds new in the store."""

from __future__ import annotations

import random

from memory_stores import GONE, A, B, C, D, E, Found, identities, issue, path, problems, v1
from proofs import over

from jit_hooks.checks import CHECKS

FAMILIES = frozenset(("issue", "dependency", "gate", "workflow", "label", "document", "config"))
ROWS = [row for row in CHECKS if row.family in FAMILIES and row.needs != "parents"]

STATES = ("backlog", "ready", "in_progress", "gated", "done", "rejected", "archived")
RULES = '[[rules]]\nname = "namespace-registry"\norigin = "default"\nassert = { json-schema = "n" }\n'
INVARIANTS = '[[invariants]]\nid = "I"\nstatement = ""\nkind = "enforced"\nenforced-by = "t"\n'


def gates(*keys: str) -> dict[str, object]:
    rest = {"title": "", "description": "", "stage": "postcheck", "mode": "manual"}
    return {"gates": {key: {"key": key, **rest} for key in keys}}


class Writer:
    """Makes stores at random, and changes some of their files."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, values: tuple[str, ...]) -> list[str]:
        return self.random.choices(values, k=self.random.choice((0, 1, 1, 2)))

    def issue(self, issue_id: str) -> object:
        if self.random.random() < 0.1:
            return b"{"
        make = self.random.choice((issue, v1))
        status = {"status": self.random.choice(("passed", "pending")), "updated_at": "2026-06-01T10:00:00Z"}
        documents = [
            {"path": name, "commit": None, "label": None, "doc_type": None}
            for name in self.some(("docs/there.md", "docs/gone.md"))
        ]
        return make(
            issue_id,
            *self.some((A, B, C, D, E, GONE)),
            state=self.random.choice(STATES),
            gates_required=self.some(("t", "u")),
            gates_status=dict.fromkeys(self.some(("t", "u", "v")), status),
            labels=self.some(("type:task", "type:bug", "area:x", "bad label")),
            documents=documents,
            **({"priority": "norml"} if self.random.random() < 0.1 else {}),
        )

    def file(self, name: str) -> object:
        """The content of a file, or None when there is none."""
        pick = self.random.choice
        if name.startswith("issues/"):
            return self.issue(name[7:-5]) if self.random.random() < 0.85 else None
        if name == "gates.json":
            return pick((None, gates("t"), gates("t", "u", "v"), gates("t", "u", "v"), b"{"))
        if name == "gates.toml":
            return pick((None, None, None, "", "[["))
        if name == "config.toml":
            return pick((None, "", '[namespaces.area]\ndescription = ""\nunique = true\n', "a = '"))
        if name == "rules.toml":
            return pick((None, "", RULES, "[["))
        return pick((None, INVARIANTS))

    def index(self, paths: dict[str, object]) -> dict[str, object]:
        here = [name[7:-5] for name in paths if name.startswith("issues/")]
        gone = [issue_id for issue_id in (A, B, C, D, E, GONE) if issue_id not in here]
        return {"schema_version": 2, "all_ids": here, "deleted_ids": gone}

    def store(self, before: dict[str, object] | None = None) -> dict[str, object]:
        names = [path(issue_id) for issue_id in (A, B, C, D, E)]
        names += ["gates.json", "gates.toml", "config.toml", "rules.toml", "invariants.toml"]
        paths: dict[str, object] = {}
        for name in names:
            content = before.get(name) if before is not None and self.random.random() < 0.7 else self.file(name)
            if content is not None:
                paths[name] = content
        return {**paths, "index.json": self.index(paths)}


def full(code: str, paths: dict[str, object], before: dict[str, object] | None = None) -> set[Found]:
    return identities(problems(code, paths, before))


@over("seed", range(120), few=30)
def test_what_is_new_in_a_store_is_found_from_what_was_written(seed: int) -> None:
    writer = Writer(seed)
    before = writer.store()
    after = writer.store(before)
    for row in ROWS:
        now = full(row.code, after, before)
        told = identities(problems(row.code, after, before, full=False))
        assert told <= now, row.code
        missed = now - full(row.code, before) - told
        if row.code == "dependency-cycle":
            missed = {found for found in missed if not _has_all_its_edges(found, before)}
        assert not missed, row.code


def _has_all_its_edges(found: Found, before: dict[str, object]) -> bool:
    """Whether a circle stood in the old store already, within a larger one that went by another name."""
    ids = found[2].split(" ")
    for here, there in zip(ids, [*ids[1:], ids[0]], strict=True):
        document = before.get(path(here))
        if not isinstance(document, dict) or document["priority"] != "normal":
            return False
        if there not in document["dependencies"]:
            return False
    return True
