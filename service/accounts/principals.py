"""Who is asking: an editor or a token, always on one site."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from service.errors import MissingScope
from service.models import Role


class Scope(StrEnum):
    """What a principal may do; each stands for itself, none implies another."""

    READ = "read"
    REVIEW = "review"
    PUBLISH = "publish"
    ADMIN = "admin"


ROLE_SCOPES = {
    Role.EDITOR: frozenset({Scope.READ, Scope.REVIEW, Scope.PUBLISH}),
    Role.ADMIN: frozenset(Scope),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """An editor signed in to a site, or the holder of a token of it."""

    site_id: UUID
    scopes: frozenset[Scope]
    label: str
    """An e-mail address, or `token:NAME`: how the history names this principal."""
    editor_id: UUID | None = None
    locale: str | None = None
    """The language they chose for the desk."""
    time_zone: str | None = None
    """The IANA name they chose."""

    def require(self, scope: Scope) -> None:
        """Raise MissingScope unless the principal has it."""
        if scope not in self.scopes:
            raise MissingScope("This needs the scope '%(scope)s'.", values={"scope": scope.value})
