"""What travels: one protocol for whatever a delivery carries, and those who carry it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from service.dispatch.client import Answer, Client, SendFailed
from service.dispatch.mail import Mail, Mailer
from service.hashing import keyed
from service.models import Channel, Webhook
from service.settings import Settings

Outcome = Answer | SendFailed
Outlet = Webhook | Channel


def stop_token(secret_key: str, channel_id: UUID) -> str:
    """What shows that somebody was sent a channel's messages."""
    return keyed(secret_key, "stop a channel", str(channel_id))


@dataclass(frozen=True, slots=True)
class Carriers:
    """The ways out, without an SMTP server none for mail; and what links in messages lead to."""

    client: Client
    mailer: Mailer | None
    public_url: str
    secret_key: str

    @classmethod
    def of(cls, settings: Settings, client: Client) -> "Carriers":
        """Those that the settings ask for."""
        mailer = Mailer(settings.smtp_url, settings.mail_from) if settings.smtp_url else None
        return cls(client, mailer, settings.public_url, settings.secret_key)

    def stop_url(self, channel_id: UUID) -> str:
        """Where whoever has a channel's messages can stop them."""
        token = stop_token(self.secret_key, channel_id)
        return f"{self.public_url}/channels/{channel_id}/stop/{token}"

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post through the guarded client."""
        try:
            return self.client.post(url, body, headers)
        except SendFailed as failed:
            return failed

    def mail(self, mail: Mail, at: datetime) -> Outcome:
        """Hand mail to the SMTP server."""
        if self.mailer is None:
            return SendFailed("blocked", "this service has no SMTP server")
        try:
            return self.mailer.send(mail, at=at)
        except SendFailed as failed:
            return failed


class Parcel(Protocol):
    """The content of one message and where it goes."""

    @property
    def outlet(self) -> Outlet | None:
        """Whose health the outcome tells of; None for a letter."""

    def send(self, carriers: Carriers, at: datetime) -> tuple[dict[str, str], Outcome]:
        """Send it once: the headers as they may be shown, and what came of it."""
