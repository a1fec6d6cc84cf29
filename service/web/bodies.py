"""JSON bodies in, checked: depth, numbers and media type, which flask-smorest leaves open."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, wraps
from typing import Any, NoReturn, TypeVar

import flask_smorest
import marshmallow as ma
from flask import Request
from flask.globals import request_ctx
from marshmallow import fields
from webargs.flaskparser import FlaskParser

from service.errors import FieldError, InvalidFields, MalformedJson, WrongMediaType

View = TypeVar("View", bound=Callable[..., Any])

BODY_LIMIT = 64 * 1024
ARTICLE_LIMIT = 2 * 1024 * 1024
"""Bytes of a body with an article in it."""
PAYLOAD_LIMIT = 4 * 1024 * 1024
"""Bytes of what the demo's receivers are told."""

_LARGER = {
    "/api/v1/articles": ARTICLE_LIMIT,
    "/demo/receiver": PAYLOAD_LIMIT,
    "/demo/apply": PAYLOAD_LIMIT,
}


def limit_of(path: str) -> int:
    """So many bytes at most a body that is sent there may have."""
    return _LARGER.get(path, BODY_LIMIT)


def set_limit() -> None:
    """Hold the request to the limit of its path."""
    asked = request_ctx.request
    asked.max_content_length = limit_of(asked.path)


def parse(raw: bytes) -> Any:
    """Parse a JSON text (RFC 8259, UTF-8 only).

    Raises MalformedJson, also where the text nests too deep, has integers of thousands of digits,
    or NaN and Infinity.
    """
    try:
        return _decoder.decode(raw.decode())
    except RecursionError:
        raise MalformedJson("The body nests too deep.") from None
    except ValueError as error:
        raise MalformedJson(f"The body is not JSON: {str(error)[:200]}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


class Parser(FlaskParser):
    """Reads arguments, always by schemas that are made once, and raises our own refusals."""

    def use_args(
        self, argmap: Any, req: Request | None = None, *, location: str | None = None, **_: Any
    ) -> Callable[..., Callable[..., Any]]:
        """Pass the view what the schema loads from this part of the request."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def parsed(*given: Any, **named: Any) -> Any:
                return view(*given, self.parse(argmap, req, location=location), **named)

            return parsed

        return decorate

    def parse(
        self,
        argmap: Any,
        req: Request | None = None,
        *,
        location: str | None = None,
        unknown: str | None = None,
        **_: Any,
    ) -> Any:
        """What the schema loads from this part of the request.

        Raises InvalidFields with a pointer for every bad field, and what reading the part raises.
        """
        part = location or self.location
        found = self._load_location_data(
            schema=argmap, req=req or request_ctx.request, location=part
        )
        try:
            return argmap.load(found, unknown=unknown or self.DEFAULT_UNKNOWN_BY_LOCATION[part])
        except ma.ValidationError as error:
            raise refusal_of(error.messages) from None

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body's JSON; raises WrongMediaType, MalformedJson."""
        if req.mimetype != "application/json":
            raise WrongMediaType("The body must be sent as application/json.")
        return parse(req.get_data(cache=True))

    def load_headers(self, req: Request, schema: ma.Schema) -> Any:
        """The headers that the schema knows."""
        names = [field.data_key or name for name, field in schema.load_fields.items()]
        return {name: req.headers[name] for name in names if name in req.headers}


class Sent(ma.Schema):
    """A schema of what is sent whole, and is mostly right: it takes what is right at once.

    What is wrong is left to marshmallow, which tells all of it. Its own way keeps books for that,
    for lists and for parts of bodies, and takes twice the time.
    """

    def load(self, data: Any, **options: Any) -> Any:
        """What is made of a body; raises ValidationError with all that is wrong."""
        try:
            return self.take(data)
        except ma.ValidationError:
            return super().load(data, **options)

    def make(self, loaded: dict[str, Any]) -> Any:
        """What is made of a body whose fields are right; raises ValidationError."""
        return loaded

    @ma.post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return self.make(loaded)

    @cached_property
    def _wanted(self) -> list[tuple[str, str, Any, fields.Field[Any]]]:
        """Each field with its name here, its name as it is sent, and what stands for it."""
        return [
            (name, field.data_key or name, field.load_default, field)
            for name, field in self.load_fields.items()
        ]

    def take(self, data: Any) -> Any:
        """What is made of a body that is right; raises ValidationError that does not tell all."""
        if not isinstance(data, dict):
            raise ma.ValidationError("Not a body.")
        loaded, surplus, missing = {}, len(data), ma.missing
        for name, key, default, field in self._wanted:
            sent = data.get(key, missing)
            if sent is not missing:
                surplus -= 1
                loaded[name] = field.deserialize(sent, key, data)
            elif default is not missing:
                loaded[name] = default() if callable(default) else default
            elif field.required:
                raise ma.ValidationError("Too few fields.")
        if surplus:
            raise ma.ValidationError("Unknown fields.")
        return self.make(loaded)


class Part(fields.Nested):
    """A part of a body, sent whole as well."""

    def deserialize(self, value: Any, *given: Any, **options: Any) -> Any:
        """What its schema makes of it; raises ValidationError with all that is wrong."""
        schema = self.schema
        if isinstance(schema, Sent):
            with suppress(ma.ValidationError):
                return schema.take(value)
        return super().deserialize(value, *given, **options)


def refusal_of(*messages: Any) -> InvalidFields:
    """The refusal that says what marshmallow says, with a JSON pointer for every bad field."""
    found = [entry for each in messages for entry in _flat(each)]
    return InvalidFields(
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

    def alt_response(self, status: int, **options: Any) -> Callable[[View], View]:
        """Tell of another answer in the OpenAPI document."""
        decorate: Callable[[View], View] = super().alt_response(status, **options)
        return decorate

    def doc(self, **fields: Any) -> Callable[[View], View]:
        """Add to the operation's description in the OpenAPI document."""
        decorate: Callable[[View], View] = super().doc(**fields)
        return decorate
