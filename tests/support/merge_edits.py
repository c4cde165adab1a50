"""Legal edits of one issue, of the issue index and of the log, as programs of bytes that hypothesis shrinks well.

A program is read three bytes at a time: what is done, to what, with which value. What the tracker would refuse
does nothing. Every edit that changes an issue moves `updated_at`, as every save does.
"""

from __future__ import annotations

import copy
import json
from typing import Any

Document = dict[str, Any]

ID = "00000001-0000-4000-8000-000000000001"
GATES = ("g0", "g1", "g2")
DEPENDENCIES = ("d0", "d1", "d2", "d3")
AGENTS = ("agent:a", "agent:b", "human:c")
LABELS = ("epic:a", "epic:b", "type:task", "type:bug", "type:epic", "team:x", "team:y")
TEXTS = ("one", "two", "three")
PATHS = ("docs/a.md", "docs/b.md")


def moment(number: int, nano: int = 9) -> str:
    """A time within one day, in seconds, and a few nanoseconds that belong to one branch."""
    return f"2026-06-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.00000000{nano}Z"


def verdict(status: str, by: str | None, at: str) -> Document:
    return {"status": status, "updated_by": by, "updated_at": at}


START: Document = {
    "id": ID,
    "title": "Title",
    "description": "Text\n",
    "state": "ready",
    "priority": "normal",
    "assignee": None,
    "dependencies": [],
    "gates_required": ["g0"],
    "gates_status": {"g0": verdict("pending", None, moment(1))},
    "context": {},
    "documents": [],
    "labels": ["type:task"],
    "created_at": moment(0),
    "updated_at": moment(1),
}


class Editor:
    """One branch's work on one issue, with a clock of its own (`skew` seconds off)."""

    def __init__(self, issue: Document, clock: int, nano: int) -> None:
        self.issue: Document = copy.deepcopy(issue)
        self.clock = clock
        self.nano = nano

    @property
    def now(self) -> str:
        return moment(self.clock, self.nano)

    def run(self, program: bytes) -> Document:
        for at in range(0, len(program) - 2, 3):
            what, to, value = program[at : at + 3]
            before = json.dumps(self.issue)
            self.clock += 1 + value % 7
            EDITS[what % len(EDITS)](self, to, value)
            if json.dumps(self.issue) != before:
                self.issue["updated_at"] = self.now
        return self.issue

    def unpassed(self) -> list[str]:
        status = self.issue["gates_status"]
        return [key for key in self.issue["gates_required"] if status.get(key, {}).get("status") != "passed"]

    def text(self, to: int, value: int) -> None:
        self.issue[("title", "description")[to % 2]] = TEXTS[value % 3]

    def priority(self, to: int, value: int) -> None:
        self.issue["priority"] = ("low", "normal", "high", "critical")[value % 4]

    def claim(self, to: int, value: int) -> None:
        agent = AGENTS[value % 3]
        if self.issue["state"] in ("ready", "in_progress") and self.issue["assignee"] in (None, agent):
            self.issue |= {"state": "in_progress", "assignee": agent}
            self.issue.setdefault("claimed_at", self.now) if to % 2 else None

    def release(self, to: int, value: int) -> None:
        if self.issue["state"] == "in_progress":
            self.issue |= {"state": "ready", "assignee": None}

    def move(self, to: int, value: int) -> None:
        state = ("done", "gated", "rejected", "ready", "archived")[value % 5]
        left = self.issue["state"]
        if state == "done" and self.unpassed():
            state = "gated"
        if state == left or (left == "archived" and state != "ready"):
            return
        self.issue["state"] = state
        self.issue.pop("archived_from", None)
        if state == "archived":
            self.issue["archived_from"] = left
        if state == "done":
            self.issue.setdefault("done_at", self.now)

    def depend(self, to: int, value: int) -> None:
        target = DEPENDENCIES[to % 4]
        if target in self.issue["dependencies"]:
            self.issue["dependencies"].remove(target)
        else:
            self.issue["dependencies"].append(target)
            if value % 3 == 0:
                self.issue["dependencies"].reverse()
        if self.issue["state"] in ("ready", "backlog"):
            self.issue["state"] = "backlog" if self.issue["dependencies"] and value % 2 else "ready"

    def gate(self, to: int, value: int) -> None:
        key = GATES[to % 3]
        if key in self.issue["gates_required"]:
            self.issue["gates_required"].remove(key)
            self.issue["gates_status"].pop(key, None)
        elif self.issue["state"] != "done":
            self.issue["gates_required"].append(key)
            if value % 2:
                self.issue["gates_status"][key] = verdict("pending", None, self.now)

    def judge(self, to: int, value: int) -> None:
        key = GATES[to % 3]
        status = ("passed", "failed", "passed")[value % 3]
        if key in self.issue["gates_required"] and (status == "passed" or self.issue["state"] != "done"):
            self.issue["gates_status"][key] = verdict(status, AGENTS[value % 2], self.now)

    def label(self, to: int, value: int) -> None:
        label = LABELS[to % len(LABELS)]
        namespace = label.partition(":")[0]
        labels = self.issue["labels"]
        if label in labels:
            labels.remove(label)
            return
        if namespace in ("type", "team"):
            labels[:] = [kept for kept in labels if not kept.startswith(f"{namespace}:")]
        labels.append(label)

    def context(self, to: int, value: int) -> None:
        key = "ab"[to % 2]
        if value % 4 == 0:
            self.issue["context"].pop(key, None)
        else:
            self.issue["context"][key] = TEXTS[value % 3]

    def document(self, to: int, value: int) -> None:
        path, label = PATHS[to % 2], (None, "plan")[to // 2 % 2]
        found = [entry for entry in self.issue["documents"] if (entry["path"], entry["label"]) == (path, label)]
        if not found:
            entry = {"path": path, "commit": None, "label": label, "doc_type": (None, "design")[value % 2]}
            self.issue["documents"].append(entry)
        elif value % 3 == 0:
            self.issue["documents"] = [entry for entry in self.issue["documents"] if entry not in found]
        elif value % 3 == 1:
            found[0]["doc_type"] = TEXTS[value % 2]
        else:
            assets = found[0].setdefault("assets", [])
            name = "ab"[value % 2]
            there = [asset for asset in assets if asset["original_path"] == name]
            if there:
                there[0]["mime_type"] = TEXTS[value % 3]
            else:
                assets.append({"original_path": name, "resolved_path": None, "asset_type": "local",
                               "mime_type": None, "content_hash": None, "is_shared": False})  # fmt: skip

    def repeat_document(self, to: int, value: int) -> None:
        path = PATHS[to % 2]
        self.issue["documents"].append({"path": path, "commit": TEXTS[value % 3], "label": None, "doc_type": None})

    def format(self, to: int, value: int) -> None:
        if value % 3 == 0:
            self.issue.pop("content_format", None)
        else:
            self.issue["content_format"] = ("markdown", "html")[value % 2]

    def respell(self, to: int, value: int) -> None:
        self.issue["created_at"] = self.issue["created_at"].replace("Z", "+00:00" if value % 2 else "Z")

    def member(self, to: int, value: int) -> None:
        """A member no tracker of today knows: flat, or an object."""
        if to % 3 == 0:
            self.issue["x_flat"] = value % 4
        elif to % 3 == 1:
            self.issue.setdefault("x_map", {})["pq"[value % 2]] = value % 5
        elif value % 2:
            self.issue["y_list"] = [value % 3]
        else:
            self.issue.pop("x_flat", None)


EDITS = (
    Editor.text, Editor.priority, Editor.claim, Editor.release, Editor.move, Editor.depend, Editor.gate, Editor.judge,
    Editor.label, Editor.context, Editor.document, Editor.format, Editor.respell, Editor.member, Editor.judge,
    Editor.claim, Editor.depend, Editor.gate, Editor.repeat_document,
)  # fmt: skip


def edited(issue: Document, program: bytes, clock: int, nano: int = 9) -> Document:
    """The issue after a program of edits; the clock of one branch starts at `clock` seconds."""
    return Editor(issue, clock, nano).run(program)


def issue_bytes(issue: Document, *, is_sorted: bool = False) -> bytes:
    """As June's tracker writes it (members in the order it declares), or sorted as since v1."""
    from jit_hooks.store.canonical import canonical

    return canonical("issue", issue, sorted_members=is_sorted)


def index_after(base: Document, program: bytes, side: int) -> Document:
    """Creations, deletions and the rare hand's work on an issue index; new ids carry the side."""
    index: Document = copy.deepcopy(base)
    for at in range(0, len(program) - 1, 2):
        what, to = program[at : at + 2]
        alive, dead = index["all_ids"], index["deleted_ids"]
        if what % 8 <= 3:
            name = f"{to % 16:x}{side}{at:02}"
            if name not in (*alive, *dead):
                alive.append(name)
        elif what % 8 <= 5 and alive:
            dead.append(alive.pop(to % len(alive)))
        elif what % 8 == 6 and dead:
            alive.append(dead.pop(to % len(dead)))
        elif what % 32 == 7 and alive:
            alive.pop(to % len(alive))
    return index


def index_bytes(index: Document) -> bytes:
    return json.dumps(index, indent=2).encode()


def log_line(number: int, side: int, at: int, extra: str = "") -> bytes:
    document = {"type": "issue_deleted", "id": f"e{side}-{number}", "issue_id": ID, "timestamp": moment(at)}
    return json.dumps(document | ({"x": extra} if extra else {}), separators=(",", ":")).encode()


def redacted(line: bytes, side: int) -> bytes:
    """The same event with other content; of a torn line nothing is left to redact."""
    if not line.startswith(b"{"):
        return line
    return json.dumps(json.loads(line) | {"x": f"redacted {side}"}, separators=(",", ":")).encode()


def log_after(lines: list[bytes], program: bytes, side: int, *, may_change: bool = False) -> list[bytes]:
    """A branch's log: appended events at a clock that may be skewed; by hand also a redaction, a loss, junk."""
    log = list(lines)
    clock = 100 + (program[0] % 50 if program else 0)
    for at in range(0, len(program) - 1, 2):
        what, value = program[at : at + 2]
        clock += value % 9 - 2
        if what % 16 < 11 or not may_change:
            log.append(log_line(at, side, clock))
        elif what % 16 == 11 and log:
            log[value % len(log)] = redacted(log[value % len(log)], side)
        elif what % 16 == 12 and log:
            del log[value % len(log)]
        elif what % 16 == 13:
            log.append(b"torn %d" % (value % 3))
        else:
            log.append(log_line(value % 6, 8, 100 + value % 6))
    return log


def log_bytes(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
