"""Times of records as instants that compare.

An instant is 29 characters, ``2026-02-14T09:05:21.123456789`` in UTC: comparing the texts compares the
instants to the nanosecond, which neither a float nor a ``datetime`` does. Years 0000 to 9999.
Source: the tracker reads RFC 3339 through chrono; what it accepts was tried (any offset, ``t`` or a space
for ``T``, ``z``, ``+0100``, more than nine digits cut, second 60 kept).
"""

from __future__ import annotations

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def instant(text: str) -> str | None:
    """The instant a record's time names, or None when the tracker could not read it."""
    return text[:29] if is_usual(text) else _any_spelling(text)


def is_usual(text: str) -> bool:
    """True if this is a time as the tracker itself spells nearly all: ``2026-02-14T09:05:21.123456789Z``."""
    return len(text) == 30 and text[29] == "Z" and text[19] == "." and text[10] == "T" and _plain(text)


def instant_of(time: object) -> str:
    """The instant of a time whose spelling a schema has judged already; empty when it names none."""
    if type(time) is not str:
        return ""
    if len(time) == 30 and time[29] == "Z" and time[19] == "." and time[10] == "T":
        return time[:29]
    return instant(time) or ""


def later(moment: str, seconds: int) -> str:
    """The instant so many seconds after another."""
    from datetime import datetime, timedelta

    try:
        shifted = datetime.fromisoformat(moment[:19]) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):  # second 60, the end of the calendar
        return moment
    return shifted.isoformat() + moment[19:]


def _plain(text: str) -> bool:
    digits = text[:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19] + text[20:29]
    return (
        digits.isascii()
        and digits.isdigit()
        and text[4] == text[7] == "-"
        and text[13] == text[16] == ":"
        and text[11:13] < "24"
        and text[14:16] < "60"
        and text[17:19] <= "60"
        and _is_day(int(text[:4]), int(text[5:7]), int(text[8:10]))
    )


def _any_spelling(text: str) -> str | None:
    if len(text) < 20 or text[10] not in "Tt ":
        return None
    rest = text[19:]
    fraction = ""
    if rest.startswith("."):
        end = 1
        while end < len(rest) and rest[end] in "0123456789":
            end += 1
        fraction, rest = rest[1:end], rest[end:]
        if not fraction:
            return None
    minutes = _offset(rest)
    plain = f"{text[:10]}T{text[11:19]}.{fraction[:9]:0<9}"
    if minutes is None or not _plain(plain + "Z"):
        return None
    return _shift(plain, -minutes) if minutes else plain


def _offset(zone: str) -> int | None:
    """Minutes east of UTC."""
    if zone in ("Z", "z"):
        return 0
    digits = zone[1:].replace(":", "", 1) if zone[3:4] == ":" else zone[1:]
    if zone[:1] not in ("+", "-") or len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
        return None
    if digits[:2] > "23" or digits[2:] > "59":
        return None
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if zone[0] == "-" else minutes


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _length(year, month)


def _length(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS[month - 1] + leap


def _shift(plain: str, minutes: int) -> str:
    """The instant so many minutes later; at most one day away."""
    year, month, day = int(plain[:4]), int(plain[5:7]), int(plain[8:10])
    total = int(plain[11:13]) * 60 + int(plain[14:16]) + minutes
    days, total = divmod(total, 24 * 60)
    day += days
    if day < 1:
        month -= 1
        if month < 1:
            year, month = year - 1, 12
        day = _length(year, month)
    elif day > _length(year, month):
        day, month = 1, month + 1
        if month > 12:
            year, month = year + 1, 1
    year = min(max(year, 0), 9999)
    return f"{year:04}-{month:02}-{day:02}T{total // 60:02}:{total % 60:02}{plain[16:]}"
