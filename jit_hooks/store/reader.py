"""The one strict, bounded reader of JSON text.

The tracker reads strict UTF-8 JSON; ``json.loads`` is laxer, and each difference hides damage: it guesses
the encoding of bytes, takes ``NaN``, keeps the last of two equal keys, makes half characters, and fails
with other exceptions on deep nesting and on numbers of thousands of digits. What is wrong, and where, is
worked out only when something is.
"""

from __future__ import annotations

from sys import intern

from jit_hooks.store.layout import MAX_DEPTH, MAX_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from json import JSONDecodeError

MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
"""How git begins the lines around the sides of a conflict."""


class TextFault:
    """Why bytes are not one strict JSON document: a problem code, a message, a byte offset.

    ``offset`` is where the fault shows, counted in bytes from the start.
    """

    __slots__ = ("code", "message", "offset")

    def __init__(self, code: str, message: str, offset: int = 0) -> None:
        self.code = code
        self.message = message
        self.offset = offset

    def __repr__(self) -> str:
        return f"TextFault({self.code!r}, {self.message!r}, {self.offset})"


class _NotStrictError(ValueError):
    """Raised by the decoder hooks below: valid for Python, not for the tracker."""


class _RepeatedKeyError(ValueError):
    """An object of the document has this key twice."""


def _refuse_constant(name: str) -> object:
    message = f"`{name}` is not JSON"
    raise _NotStrictError(message)


def _each_key_once(members: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(members)
    if len(document) != len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)
    return document


class _Decoder:
    """The members of ``json.JSONDecoder`` that its scanner, written in C, asks for."""

    strict = True
    object_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)

    def __init__(self, pairs: Callable[[list[tuple[str, object]]], dict[str, object]] | None) -> None:
        self.object_pairs_hook = pairs
        self.memo: dict[str, str] = {}


def _decoder(pairs: Callable[[list[tuple[str, object]]], dict[str, object]] | None) -> Callable[[str], object]:
    """What ``json.JSONDecoder(...).decode`` is, without ``import json``: that imports ``re``, the dearest module here.

    The errors are those of ``json``, or a bare ValueError; ``_explain`` asks ``json`` itself.
    """
    try:
        from _json import make_scanner
    except ImportError:
        from json.scanner import make_scanner
    scan = make_scanner(_Decoder(pairs))  # type: ignore[arg-type]

    def decode(text: str) -> object:
        text = text.strip(" \t\r\n")
        try:
            document, end = scan(text, 0)
        except StopIteration:
            raise ValueError from None
        if end != len(text):
            raise ValueError
        found: object = document
        return found

    return decode


_decode = _decoder(_each_key_once)
_decode_trusting_keys = _decoder(None)


def read_json(
    data: bytes, *, max_bytes: int = MAX_RECORD_BYTES, max_depth: int = MAX_DEPTH
) -> tuple[object, TextFault | None]:
    """The document in these bytes, or None and the one fault that says why there is none.

    Codes: ``limit-exceeded``, ``text-not-utf8``, ``conflict-marker``, ``json-duplicate-key``,
    ``json-lone-surrogate``, ``json-unparsable``; the first that holds, in this order but for size, which
    is judged before content.
    """
    if len(data) > max_bytes:
        return None, TextFault("limit-exceeded", f"is {len(data)} bytes long, more than the limit of {max_bytes}")
    try:
        text = data.decode("utf-8")
        document = _decode(text)
    except (ValueError, RecursionError):
        return None, _explain(data, max_depth)
    if b"\\u" in data and _has_lone_surrogate(data, document):
        return None, TextFault("json-lone-surrogate", "holds an escape that names half a character", _escape(data))
    if _is_deeper(document, max_depth):
        return None, TextFault("limit-exceeded", f"nests deeper than the limit of {max_depth}")
    return document, None


def _shows_each_key_once(data: bytes, members: int) -> bool:
    r"""Whether the text proves, without a second parse, that no object repeats a key.

    With no white space before a colon every key shows as ``":``, and inside a string that shows as ``\\":``.
    As many keys in the text as members in the parsed document: none was repeated.
    """
    return (
        data.count(b'":') - data.count(b'\\":') == members
        and b'\\\\":' not in data
        and b" :" not in data
        and b"\n:" not in data
        and b"\t:" not in data
        and b"\r:" not in data
    )


def _count_members(document: object) -> int:
    """How many members all objects of the document have together."""
    if type(document) is dict:
        count = len(document)
        for value in document.values():
            if type(value) is dict or (type(value) is list and value):
                count += _count_members(value)
        return count
    count = 0
    if type(document) is list:
        for value in document:
            if type(value) is dict or type(value) is list:
                count += _count_members(value)
    return count


def _is_deeper(document: object, limit: int) -> bool:
    """Whether lists and objects nest deeper than this; a scalar has depth 0."""
    level = [document]
    for _ in range(limit + 1):
        below = [value for value in level if type(value) is dict or type(value) is list]
        if not below:
            return False
        level = []
        for value in below:
            level.extend(value.values() if type(value) is dict else value)
    return True


def _repeated_key(text: str, key: str) -> TextFault:
    import json

    quoted = json.dumps(key, ensure_ascii=False)
    last = text.rfind(quoted)
    return TextFault("json-duplicate-key", f"repeats the key {quoted}", len(text[: max(last, 0)].encode("utf-8")))


def _has_lone_surrogate(data: bytes, document: object) -> bool:
    if b"\\ud" not in data.lower():
        return False
    import json

    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _escape(data: bytes) -> int:
    return max(data.lower().find(b"\\ud"), 0)


def conflict_marker(data: bytes) -> int | None:
    """The byte offset of the first line that begins with a conflict marker, or None.

    Inside a JSON string a marker never begins a line, for a string holds no line end.
    """
    found = [
        at for marker in MARKERS if (at := 0 if data.startswith(marker) else data.find(b"\n" + marker) + 1 or -1) >= 0
    ]
    return min(found) if found else None


def _explain(data: bytes, max_depth: int) -> TextFault:
    fault = not_utf8(data)
    if fault is not None:
        return fault
    marker = conflict_marker(data)
    if marker is not None:
        return TextFault("conflict-marker", "holds the markers of an unresolved merge conflict", marker)
    from json import JSONDecodeError, JSONDecoder

    text = data.decode("utf-8")
    if not text.strip(" \t\r\n"):
        return TextFault("json-unparsable", "is empty" if not data else "holds nothing but white space")
    try:
        JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_each_key_once).decode(text)
    except _RepeatedKeyError as error:
        return _repeated_key(text, str(error))
    except JSONDecodeError as error:
        return TextFault("json-unparsable", _words(error, text), len(text[: error.pos].encode("utf-8")))
    except _NotStrictError as error:
        name = str(error).split("`")[1]
        return TextFault("json-unparsable", str(error), max(data.find(name.encode()), 0))
    except RecursionError:
        return TextFault("limit-exceeded", f"nests deeper than the limit of {max_depth}")
    except ValueError:
        return TextFault("json-unparsable", "holds a number of thousands of digits")
    return TextFault("json-unparsable", "is not strict JSON")


def _words(error: JSONDecodeError, text: str) -> str:
    rest = text[error.pos : error.pos + 1]
    if not rest:
        return "ends in the middle of the document"
    if rest == "\0":
        return "goes on with NUL bytes, as after a power loss"
    if error.msg == "Extra data":
        return "goes on after the end of the document"
    if error.msg.startswith("Invalid control character"):
        return "holds a raw control character inside a string"
    if error.msg.startswith("Unterminated string"):
        return "ends inside a string"
    return f"is not JSON here: {error.msg[0].lower()}{error.msg[1:]}"


def not_utf8(data: bytes) -> TextFault | None:
    """The fault of bytes that are not UTF-8 without a byte order mark, or None."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return TextFault("text-not-utf8", "is UTF-16, not UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        return TextFault("text-not-utf8", "begins with a byte order mark, which the tracker cannot read")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return TextFault("text-not-utf8", f"holds the byte 0x{data[error.start]:02x}, which is not UTF-8", error.start)
    return None


def read_json_lines(lines: list[bytes]) -> list[dict[str, object]] | None:
    """One object a line, in one parse; None when any line needs a closer look by itself.

    Three times as fast as one call a line. Between the lines stands a number that no line holds, so pieces of
    torn lines cannot complete each other unseen.
    """
    joined = b"\n".join(lines)
    mark = 4711
    while b"%d" % mark in joined:
        mark += 1
    try:
        text = joined.decode("utf-8")
        found = _decode_trusting_keys("[" + text.replace("\n", f",{mark},") + "]")
    except (ValueError, RecursionError):
        return None
    assert type(found) is list
    documents = found[0::2]
    between = found[1::2]
    if (
        len(found) != 2 * len(lines) - 1
        or between.count(mark) != len(lines) - 1
        or not {int}.issuperset(map(type, between))
    ):
        return None
    if set(map(type, documents)) != {dict}:
        return None
    if not _shows_each_key_once(joined, sum(map(len, documents))) and not _shows_each_key_once(
        joined, _count_members(documents)
    ):
        return None
    if b"\\u" in joined and _has_lone_surrogate(joined, documents):
        return None
    return None if _is_deeper(documents, MAX_DEPTH) else documents


def shared(value: object) -> object:
    """The same value; of texts that are equal, one and the same object, so that large stores fit in memory."""
    return intern(value) if type(value) is str else value
