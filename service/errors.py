"""Refusals: everything the service may answer with instead of doing what was asked."""

from collections.abc import Mapping
from typing import ClassVar, TypedDict


class FieldError(TypedDict):
    """One bad field: a JSON pointer (RFC 6901) and what is wrong with it."""

    pointer: str
    detail: str


class Refusal(Exception):
    """The base of all refusals; the web layer turns one into an RFC 9457 problem."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"
    status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str = "",
        *,
        values: Mapping[str, object] | None = None,
        errors: list[FieldError] | None = None,
        retry_after: int | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        self.template = detail or self.title
        """The detail as the desk's catalogues know it, with `%(name)s` where a value stands."""
        self.values = values or {}
        self.detail = self.template % self.values if self.values else self.template
        super().__init__(self.detail)
        self.members = members or {}
        """What else the problem carries (RFC 9457, 3.2)."""
        self.errors = errors or []
        self.retry_after = retry_after


class MalformedJson(Refusal):
    """The body is not JSON, or nests or counts beyond reason."""

    code, title, status = "malformed-json", "The body is not well-formed JSON", 400


class NotSignedIn(Refusal):
    """Nobody is known to be asking."""

    code, title, status = "not-signed-in", "Sign in or send a valid token", 401


class WrongCredentials(Refusal):
    """The e-mail address and password do not belong together."""

    code, title, status = "wrong-credentials", "The e-mail address or the password is wrong", 401


class WrongCode(Refusal):
    """The one-time or recovery code does not fit, or is spent."""

    code, title, status = "wrong-code", "The code is wrong or was used already", 401


class ForeignOrigin(Refusal):
    """The Origin header is absent or not one of the site's."""

    code, title, status = "foreign-origin", "This origin may not report to this site", 403


class Blocked(Refusal):
    """An editor of the site blocked the network that this comes from."""

    code, title, status = "blocked", "Reports from your network are not taken now", 403


class ChallengeRequired(Refusal):
    """The report is kept once the challenge that comes along is solved."""

    code, title, status = "challenge-required", "Solve a challenge first", 403


class CrossSiteRequest(Refusal):
    """A form arrived from another site or without its token."""

    code, title, status = "cross-site-request", "This form was not sent from our own page", 403


class MissingScope(Refusal):
    """The token or the role does not reach that far."""

    code, title, status = "missing-scope", "You may not do this", 403


class NotFound(Refusal):
    """There is no such thing, or it belongs to another site."""

    code, title, status = "not-found", "Not found", 404


class NotAllowedMove(Refusal):
    """The correction's state does not allow this move, or somebody else was first."""

    code, title, status = "move-not-allowed", "This move is not allowed", 409


class AlreadyExists(Refusal):
    """Another one with this name is there already."""

    code, title, status = "already-exists", "There is one already", 409


class LastAdmin(Refusal):
    """Nobody would be left to look after the site."""

    code, title, status = "last-admin", "A site needs an admin", 409


class Disabled(Refusal):
    """It has to be enabled first."""

    code, title, status = "disabled", "This is disabled", 409


class StillBeingWritten(Refusal):
    """Another request with the same idempotency key is under way."""

    code, title, status = "request-under-way", "The same request is under way", 409


class StaleVersion(Refusal):
    """If-Match names a version that is no longer the newest."""

    code, title, status = "stale-version", "Somebody changed this in the meantime", 412


class TooLarge(Refusal):
    """The body is over 64 KiB (2 MiB for an article)."""

    code, title, status = "too-large", "The body is too large", 413


class WrongMediaType(Refusal):
    """The body is not sent as application/json."""

    code, title, status = "wrong-media-type", "Send application/json", 415


class InvalidFields(Refusal):
    """One or more fields are wrong; `errors` says which."""

    code, title, status = "invalid-fields", "Some fields are not valid", 422


class KeyReused(Refusal):
    """The idempotency key was used with another body."""

    code, title, status = "idempotency-key-reused", "This key was used for another report", 422


class TooManyRequests(Refusal):
    """The limit for this address is reached."""

    code, title, status = "too-many-requests", "Too many requests", 429


class NotApplied(Refusal):
    """The content system gave no verdict on a correction that it was handed."""

    code, title, status = "not-applied", "The content system did not answer as agreed", 502


class Unavailable(Refusal):
    """The database is busy, gone or out of disk; trying again later may help."""

    code, title, status = "unavailable", "The service cannot write just now", 503


def invalid(pointer: str, detail: str) -> InvalidFields:
    """A refusal of one field."""
    return InvalidFields(detail, errors=[{"pointer": pointer, "detail": detail}])
