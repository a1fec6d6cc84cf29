"""JSON bodies in, checked: depth, numbers and media type, which flask-smorest leaves open."""

import json
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser

from service.errors import FieldError, InvalidFields, MalformedJson, WrongMediaType

BODY_LIMIT = 64 * 1024


def parse(raw: bytes) -> Any:
    """Parse a JSON text (RFC 8259, UTF-8 only).

    Raises MalformedJson, also where the text nests too deep, has integers of thousands of digits,
    or NaN and Infinity.
    """
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedJson("The body nests too deep.") from None
    except ValueError as error:
        raise MalformedJson(f"The body is not JSON: {str(error)[:200]}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Parser(FlaskParser):
    """Reads arguments and raises our own refusals."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body's JSON; raises WrongMediaType, MalformedJson."""
        if req.mimetype != "application/json":
            raise WrongMediaType("The body must be sent as application/json.")
        return parse(req.get_data(cache=True))

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Raise InvalidFields with a pointer for every bad field."""
        # webargs puts the location on top of marshmallow's messages.
        found = [
            entry for messages in error.normalized_messages().values() for entry in _flat(messages)
        ]
        raise InvalidFields(
            f"{len(found)} field is not valid."
            if len(found) == 1
            else f"{len(found)} fields are not valid.",
            errors=found,
        )


def _flat(messages: Any, pointer: str = "") -> list[FieldError]:
    if isinstance(messages, dict):
        return [
            entry
            for key, inner in messages.items()
            for entry in _flat(inner, pointer if key == "_schema" else f"{pointer}/{_escape(key)}")
        ]
    texts = messages if isinstance(messages, list) else [messages]
    return [{"pointer": pointer, "detail": str(text)} for text in texts]


def _escape(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint with our parser."""

    ARGUMENTS_PARSER = Parser()
