"""Rough damage planted at random in a store in memory: what crashes, disks, merges and scripts do to files."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Files = dict[str, bytes]


class Rough:
    """Plants damage in ``files`` (store path to bytes), in none of the paths and lines that are honest work.

    Args:
        files: the store, changed in place.
        seed: the same seed plants the same damage.
        spared: paths that stay as they are.
        log_end: how many bytes of the event log may be damaged; what stands after them is honest work.
    """

    def __init__(self, files: Files, seed: int, spared: Collection[str], log_end: int) -> None:
        self.files = files
        self.rng = random.Random(seed)
        self.spared = frozenset(spared)
        self.log_end = log_end
        self.planted: list[str] = []
        self.kinds: list[Callable[[], str | None]] = [
            self.cut, self.empty, self.nul_tail, self.bad_byte, self.mark, self.garbage, self.remove_issue,
            self.remove_run, self.label_twice, self.edge_twice, self.edge_to_nobody, self.unlist,
            self.list_twice, self.swap_ids, self.lose_line, self.line_twice, self.glue, self.tear, self.reword,
            self.duplicate_key, self.half_character, self.markers,
        ]  # fmt: skip

    def plant(self, count: int) -> list[str]:
        """Plant so many damages; what each was."""
        while len(self.planted) < count:
            told = self.rng.choice(self.kinds)()
            if told:
                self.planted.append(told)
        return self.planted

    def _one(self, start: str, end: str = ".json") -> str | None:
        found = sorted(
            path for path in self.files if path.startswith(start) and path.endswith(end) and path not in self.spared
        )
        return self.rng.choice(found) if found else None

    def _record(self) -> str | None:
        return self._one(self.rng.choice(("issues/", "issues/", "gate-runs/")))

    def _bytes(self, what: str, change: Callable[[bytes], bytes]) -> str | None:
        path = self._record()
        if path is None or len(self.files[path]) < 40:
            return None
        self.files[path] = change(self.files[path])
        return f"{what} {path}"

    def cut(self) -> str | None:
        return self._bytes("cut", lambda data: data[: self.rng.randrange(1, len(data))])

    def empty(self) -> str | None:
        return self._bytes("empty", lambda _: b"")

    def nul_tail(self) -> str | None:
        return self._bytes("nul-tail", lambda data: data[: len(data) // 2] + b"\0" * (len(data) - len(data) // 2))

    def bad_byte(self) -> str | None:
        at = self.rng.randrange(10, 40)
        return self._bytes("bad-byte", lambda data: data[:at] + b"\x80" + data[at + 1 :])

    def mark(self) -> str | None:
        return self._bytes("mark", lambda data: b"\xef\xbb\xbf" + data)

    def garbage(self) -> str | None:
        return self._bytes("garbage", lambda data: data + b"}")

    def markers(self) -> str | None:
        return self._bytes(
            "markers", lambda data: b"<<<<<<< ours\n" + data + b"\n=======\n" + data + b"\n>>>>>>> theirs"
        )

    def duplicate_key(self) -> str | None:
        return self._bytes("key-twice", lambda data: data.replace(b'"state": ', b'"state": "ready",\n  "state": ', 1))

    def half_character(self) -> str | None:
        return self._bytes("half", lambda data: data.replace(b'"title": "', b'"title": "\\ud800', 1))

    def remove_issue(self) -> str | None:
        path = self._one("issues/")
        if path:
            del self.files[path]
        return path and f"removed {path}"

    def remove_run(self) -> str | None:
        path = self._one("gate-runs/")
        if path:
            del self.files[path]
        return path and f"removed {path}"

    def _issue(self, what: str, change: Callable[[dict[str, list[object]]], None]) -> str | None:
        path = self._one("issues/")
        if path is None:
            return None
        try:
            document = json.loads(self.files[path])
            change(document)
            self.files[path] = json.dumps(document, indent=2, ensure_ascii=False).encode()
        except (ValueError, KeyError, IndexError, TypeError):
            return None
        return f"{what} {path}"

    def label_twice(self) -> str | None:
        return self._issue("label-twice", lambda document: document["labels"].append(document["labels"][0]))

    def edge_twice(self) -> str | None:
        return self._issue("edge-twice", lambda document: document["dependencies"].append(document["dependencies"][0]))

    def edge_to_nobody(self) -> str | None:
        nobody = f"{self.rng.getrandbits(32):08x}-0000-4000-8000-000000000000"
        return self._issue("edge-to-nobody", lambda document: document["dependencies"].append(nobody))

    def _index(self, what: str, change: Callable[[list[str]], None]) -> str | None:
        try:
            index = json.loads(self.files["index.json"])
            change(index["all_ids"])
        except (ValueError, KeyError):
            return None
        self.files["index.json"] = json.dumps(index, indent=2).encode()
        return what

    def unlist(self) -> str | None:
        return self._index("unlisted", lambda ids: ids.remove(self.rng.choice(ids[:100])))

    def list_twice(self) -> str | None:
        return self._index("listed-twice", lambda ids: ids.append(self.rng.choice(ids)))

    def swap_ids(self) -> str | None:
        def swap(ids: list[str]) -> None:
            one = self.rng.randrange(min(100, len(ids) - 1))
            ids[one], ids[one + 1] = ids[one + 1], ids[one]

        return self._index("swapped", swap)

    def _lines(self, what: str, change: Callable[[list[bytes], int], None]) -> str | None:
        log = self.files["events.jsonl"]
        lines = log[: self.log_end].split(b"\n")[:-1]
        if len(lines) < 30:
            return None
        change(lines, self.rng.randrange(len(lines) - 10))
        head = b"\n".join(lines) + b"\n"
        self.files["events.jsonl"] = head + log[self.log_end :]
        self.log_end = len(head)
        return what

    def lose_line(self) -> str | None:
        return self._lines("line-lost", lambda lines, at: lines.__delitem__(at))

    def line_twice(self) -> str | None:
        return self._lines("line-twice", lambda lines, at: lines.insert(at + 3, lines[at]))

    def glue(self) -> str | None:
        return self._lines("glued", lambda lines, at: lines.__setitem__(slice(at, at + 2), [lines[at] + lines[at + 1]]))

    def tear(self) -> str | None:
        return self._lines("torn", lambda lines, at: lines.__setitem__(at, lines[at][: max(3, len(lines[at]) // 2)]))

    def reword(self) -> str | None:
        def spoil(lines: list[bytes], at: int) -> None:
            lines[at] = lines[at][:9] + b"\x80" + lines[at][10:]

        return self._lines("bad-byte-in-line", spoil)
