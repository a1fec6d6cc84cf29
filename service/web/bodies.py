"""JSON bodies in, checked: depth, numbers and media type, which flask-smorest leaves open."""

import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import flask_smorest
import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser

from service.errors import FieldError, InvalidFields, MalformedJson, WrongMediaType

View = TypeVar("View", bound=Callable[..., Any])

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
        raise refusal_of(*_by_location(error).values())


def refusal_of(*messages: Any) -> InvalidFields:
    """The refusal that says what marshmallow says, with a JSON pointer for every bad field."""
    found = [entry for each in messages for entry in _flat(each)]
    return InvalidFields(
        f"{len(found)} field is not valid."
        if len(found) == 1
        else f"{len(found)} fields are not valid.",
        errors=found,
    )


def _by_location(error: ma.ValidationError) -> dict[str, Any]:
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return messages


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


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc] # it has no types
    """A flask-smorest blueprint with our parser, and with types."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register the view at this rule."""
        decorate: Callable[[View], View] = super().route(rule, **options)
        return decorate

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Callable[[View], View]:
        """Pass the view what the schema loads from the request; refuse the rest."""
        # A class would be instantiated, and all its fields copied, for every request.
        decorate: Callable[[View], View] = super().arguments(schema(), **options)
        return decorate

    def response(
        self,
        status: int,
        schema: type[ma.Schema] | dict[str, Any] | None = None,
        **options: Any,
    ) -> Callable[[View], View]:
        """Dump what the view returns with the schema."""
        decorate: Callable[[View], View] = super().response(status, schema, **options)
        return decorate

    def doc(self, **fields: Any) -> Callable[[View], View]:
        """Add to the operation's description in the OpenAPI document."""
        decorate: Callable[[View], View] = super().doc(**fields)
        return decorate
