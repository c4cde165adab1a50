"""The reference engine: the published JSON Schemas, and what they say about a document.

The generated validators in `store` judge records on the hot path; this module explains with the `jsonschema`
package, and the tests hold that both agree.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import Draft7Validator
    from jsonschema.exceptions import ValidationError

SUFFIX = ".schema.json"


class UnknownNameError(KeyError):
    """No schema has this name."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        self.name = name
        self.nearest = nearest
        super().__init__(name)

    def __str__(self) -> str:
        if self.nearest:
            return f"no schema is named {self.name!r}; did you mean {' or '.join(self.nearest)}?"
        return f"no schema is named {self.name!r}; known: {', '.join(names())}"


def folder() -> Path:
    """The folder of the schemas: in the package when installed from a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def names() -> list[str]:
    """The names of all schemas, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder().glob(f"*{SUFFIX}"))


def text(name: str) -> str:
    """The schema file as it is published.

    Raises:
        UnknownNameError: no schema has this name.
    """
    known = names()
    if name not in known:
        raise UnknownNameError(name, difflib.get_close_matches(name, known, n=3))
    return (folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def violations(name: str, document: object, *, definition: str | None = None) -> list[tuple[str, str]]:
    """The complaints of a schema about a document: (pointer of RFC 6901, message), `[]` when nothing.

    A missing or a refused member is named by its own pointer, as in the generated validators.

    Args:
        name: the schema.
        document: a parsed record.
        definition: judge by this definition (an era, a form) in place of the whole schema.

    Raises:
        UnknownNameError: no schema has this name, or it has no such definition.
    """
    found: dict[tuple[str, str], None] = {}
    for error in _engine(name, definition).iter_errors(document):
        for pointer, message in _spread(error):
            found.setdefault((pointer, message))
    return list(found)


@cache
def _engine(name: str, definition: str | None) -> Draft7Validator:
    from jsonschema import Draft7Validator, validators

    schema = json.loads(text(name))
    if definition is not None:
        known = schema.get("definitions", {})
        if definition not in known:
            raise UnknownNameError(definition, difflib.get_close_matches(definition, known))
        # In draft-07 a reference makes its neighbours count for nothing; they stay to be referred to.
        schema = {**schema, "$ref": f"#/definitions/{definition}"}
        del schema["$id"]
    # Draft-07 calls 1.0 an integer; the tracker goes by the spelling and refuses it.
    spelled = Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    engine: Any = validators.extend(Draft7Validator, type_checker=spelled)  # type: ignore[no-untyped-call]
    made: Draft7Validator = engine(schema)
    return made


def _spread(error: ValidationError) -> Iterator[tuple[str, str]]:
    at = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.absolute_path)
    value: Any = error.instance
    expected: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "required" and isinstance(value, dict):
        for member in expected:
            if member not in value:
                yield f"{at}/{_escape(member)}", "is a required member and is missing"
    elif error.validator == "additionalProperties" and expected is False and isinstance(value, dict):
        for member in value:
            if member not in schema.get("properties", {}):
                yield f"{at}/{_escape(member)}", "is not a member that may stand here"
    else:
        yield at, error.message


def _escape(member: str) -> str:
    return member.replace("~", "~0").replace("/", "~1")
