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
    object_pairs_hook = staticmethod(_each_key_once)
    parse_float: Callable[[str], object] = float
    parse_int: Callable[[str], object] = int
    parse_constant = staticmethod(_refuse_constant)
    memo: dict[str, str] = {}  # noqa: RUF012


try:
    from _json import make_scanner
except ImportError:
    from json.scanner import make_scanner

_scan = make_scanner(_Decoder())  # type: ignore[arg-type]


def scanner_of(number: Callable[[str], object]) -> Callable[[str, int], tuple[object, int]]:
    """A scanner for ``decode`` that makes this of the text of every number."""
    decoder = _Decoder()
    decoder.parse_float = decoder.parse_int = number
    return make_scanner(decoder)  # type: ignore[arg-type]


def decode(text: str, scan: Callable[[str, int], tuple[object, int]] = _scan) -> object:
    """The value that ``json.JSONDecoder().decode`` gives, without the import of ``re``, the dearest module here.

    The errors are those of ``json``, or a bare ValueError; ``_explain`` asks ``json`` itself.
    """
    text = text.strip(" \t\r\n")
    try:
        document, end = scan(text, 0)
    except (StopIteration, SystemError):  # the latter where nobody has imported `json` yet, for its error class
        raise ValueError from None
    if end != len(text):
        raise ValueError
    found: object = document
    return found


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
        document = decode(text)
    except (ValueError, RecursionError):
        return None, _explain(data, max_depth)
    if b"\\u" in data and _has_lone_surrogate(data, document):
        return None, TextFault("json-lone-surrogate", "holds an escape that names half a character", _escape(data))
    if _is_deeper(document, max_depth):
        return None, TextFault("limit-exceeded", f"nests deeper than the limit of {max_depth}")
    return document, None


def _is_deeper(document: object, limit: int) -> bool:
    """True if lists and objects nest deeper than this; a scalar has depth 0."""
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
    """One object a line; None when any line needs a closer look by itself."""
    try:
        documents = [decode(line.decode("utf-8")) for line in lines]
    except (ValueError, RecursionError):
        return None
    objects = [document for document in documents if type(document) is dict]
    if len(objects) != len(lines) or _is_deeper(objects, MAX_DEPTH):
        return None
    for line, document in zip(lines, objects, strict=True):
        if b"\\u" in line and _has_lone_surrogate(line, document):
            return None
    return objects


def shared(value: object) -> object:
    """The same value; of texts that are equal, one and the same object, so that large stores fit in memory."""
    return intern(value) if type(value) is str else value
