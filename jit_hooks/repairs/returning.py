"""The lines that went from the event log, put back where they stood."""

from __future__ import annotations

from jit_hooks.repairs.logged import is_sound
from jit_hooks.store.log import Log, events_inside
from jit_hooks.store.loss import common_end, common_start, lost_events
from jit_hooks.store.reader import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jit_hooks.problem import Problem
    from jit_hooks.store.accepted import Accepted
    from jit_hooks.store.loss import Lost
    from jit_hooks.store.store import Store


class Returning:
    """The lines of one parent that are to come back into a log.

    Attributes:
        left: by identity, the reasons of what does not come back.

    Only what lies between the first and the last difference is split into lines.
    """

    def __init__(
        self, before: bytes, data: bytes, others: list[Store], problems: list[Problem], accepted: Accepted
    ) -> None:
        self.data = data
        self.accepted = accepted
        self.others = others
        self.start = common_start(before, data)
        self.end = len(data) - common_end(before, data, self.start)
        self.first = data.count(b"\n", 0, self.start)
        self.now = lines_of(data[self.start : self.end])
        self.old = before[self.start : len(before) - (len(data) - self.end)].split(b"\n")
        self.kept = set(self.old)
        self.left: dict[tuple[str, str, str], str] = {}
        self._others: list[set[bytes]] | None = None
        self.lost = self._lost(before, {problem.record: problem for problem in problems})
        self.places = {line.rstrip(b"\n"): at for at, line in reversed(list(enumerate(self.now)))}

    def _lost(self, before: bytes, problems: dict[str, Problem]) -> dict[str, Lost]:
        lost: dict[str, Lost] = {}
        for each in lost_events(before, self.data):
            problem = problems.get(each.name)
            if problem is None or each.name in lost:
                continue
            if not is_sound(each.document, self.accepted):
                self.left[problem.identity] = "the parent's line is no event that the tracker can read"
            elif not self._may_return(each):
                self.left[problem.identity] = (
                    "the parents disagree, or its line cannot be read: decide which one is right"
                )
            else:
                lost[each.name] = each
        return lost

    def _may_return(self, lost: Lost) -> bool:
        """True if the line that says something else now, if any, is an event that no other parent holds so."""
        line = self._changed_line(lost)
        if not line:
            return True
        if self._others is None:
            logs = (other.log_data for other in self.others)
            self._others = [set(data.split(b"\n")) for data in logs if type(data) is bytes]
        document, _ = read_json(line)
        is_event_itself = type(document) is dict and document.get("id") == lost.name
        return is_event_itself and not any(line in lines for lines in self._others)

    def _changed_line(self, lost: Lost) -> bytes:
        """The line that says something else now, unless the parent has that one too."""
        at = lost.line - 1 - self.first
        line = self.now[at].rstrip(b"\n") if lost.is_changed and 0 <= at < len(self.now) else b""
        return b"" if line in self.kept else line

    def lines(self) -> tuple[bytes, list[bytes]]:
        """The log with the lines back, and those that gave way to them."""
        if not self.lost:
            return self.data, []
        instead: dict[int, bytes] = {}
        more: dict[int, list[bytes]] = {}
        anchor, waiting = -1, list(reversed(self.lost.values()))
        for line in self.old:
            for raw in self._events_of(line, waiting[-1].raw if waiting else b""):
                if raw in self.places:
                    anchor = self.places[raw]
                elif waiting and waiting[-1].raw == raw:
                    lost = waiting.pop()
                    if self._changed_line(lost):
                        anchor = lost.line - 1 - self.first
                        instead[anchor] = raw
                    else:
                        more.setdefault(anchor, []).append(raw)
        return self._joined(instead, more), [self.now[at].rstrip(b"\n") for at in instead]

    def _events_of(self, line: bytes, awaited: bytes) -> list[bytes]:
        """A line of the parent; of one with the event awaited glued to others each event by itself."""
        if line in self.places or line == awaited or not awaited or awaited not in line:
            return [line] if line.strip() else []
        return [line[begin:end] for begin, end, _ in events_inside(line)]

    def _joined(self, instead: dict[int, bytes], more: dict[int, list[bytes]]) -> bytes:
        """The log with lines replaced, and others put behind those at these places; -1 is before the first.

        Nothing comes between a torn line and the event that certifies it.
        """
        certified = {bad.line - 1 - self.first for bad in Log(self.data, self.accepted).bad if bad.certified}
        behind: dict[int, list[bytes]] = {}
        for at, lines in more.items():
            behind.setdefault(at + 1 if at in certified else at, []).extend(lines)
        parts = [self.data[: self.start], *(line + b"\n" for line in behind.get(-1, ()))]
        for at, line in enumerate(self.now):
            parts.append(instead[at] + b"\n" if at in instead else line)
            if at in behind:
                if not parts[-1].endswith(b"\n"):
                    parts.append(b"\n")
                parts.extend(each + b"\n" for each in behind[at])
        return b"".join((*parts, self.data[self.end :]))


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a log, each with its newline; the last one may have none."""
    *whole, last = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])
