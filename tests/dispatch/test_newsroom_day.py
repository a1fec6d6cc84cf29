"""A day of a newsroom, its clock set by hand: every message as a golden file.

The clocks are changed that day. Mail goes to a real SMTP server, chats to a real HTTP receiver.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from service.db import Database, new_id
from service.dispatch import channel_settings, fan_out, outlets, results
from service.dispatch.channel_settings import Wishes
from service.dispatch.client import Client
from service.dispatch.parcels import Carriers
from service.dispatch.results import Result
from service.dispatch.to_webhooks import Contents
from service.letters import PLAIN
from service.models import Channel, Delivery, DeliveryState, Event, Medium, Pace, Site
from service.settings import Settings
from tests.dispatch.goldens import check
from tests.dispatch.mailbox import Mailbox, receiving
from tests.dispatch.receivers import Receiver

DAYS = {
    "kyiv-spring": ("Europe/Kyiv", "2026-03-29"),
    "kyiv-autumn": ("Europe/Kyiv", "2026-10-25"),
    "new-york-spring": ("America/New_York", "2026-03-08"),
    "new-york-autumn": ("America/New_York", "2026-11-01"),
}

# Wall clock, type, correction, article, readers so far.
HAPPENED = (
    ("00:30:00", "correction.created", 1, "Night buses", 1),
    ("01:50:00", "report.created", 1, "Night buses", 2),
    ("01:55:00", "correction.accepted", 1, "Night buses", 2),
    ("04:20:00", "report.created", 1, "Night buses", 3),
    ("06:59:00", "correction.created", 2, "Rain", 1),
    ("07:00:01", "correction.accepted", 2, "Rain", 1),
    *((f"10:00:{second:02}", "correction.created", 10 + second, "Library", 1) for second in range(12)),
    ("13:15:00", "correction.fixed", 1, "Night buses", 3),
    ("21:59:50", "correction.created", 3, "Rain", 1),
    ("23:30:00", "correction.rejected", 3, "Rain", 1),
)  # fmt: skip


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving() as made:
        yield made


@dataclass
class Newsroom:
    """Channels of every pace, and a loop that is a worker with its clock set by hand."""

    database: Database
    site: Site
    zone: ZoneInfo
    carriers: Carriers
    mailbox: Mailbox
    receiver: Receiver
    told: list[str] = field(default_factory=list)

    def channel(self, name: str, medium: Medium, **wishes: Any) -> None:
        target = {
            Medium.MAIL: {"address": f"{name}@news.example"},
            Medium.TELEGRAM: {
                "token": "1:x",
                "chat": "7",
                "server": f"http://127.0.0.1:{self.receiver.port}/telegram",
            },
        }.get(medium, {"url": f"http://127.0.0.1:{self.receiver.port}/{name}"})
        wanted = Wishes(name, ["correction.*"], zone=str(self.zone), **wishes)
        with self.database.write() as session:
            channel_settings.create(
                session, self.site.id, medium, target, wanted, now=datetime.now(UTC)
            )

    def tell(self, kind: str, number: int, title: str, count: int, at: datetime) -> None:
        data = {
            "id": str(UUID(int=number)),
            "article": {"url": f"https://news.example/{title}", "title": title},
            "selector": [{"exact": f"wrold {number}"}],
            "suggestions": [{"text": f"world {number}", "count": count}],
            "report_count": count,
        }
        event = Event(
            site_id=self.site.id,
            type=kind,
            subject_id=UUID(int=number),
            data=data,
            created_at=at,
        )
        with self.database.write() as session:
            session.add(event)
            session.flush()
            fan_out.fan_out(session, now=at)

    def work(self, now: datetime) -> None:
        """Send what is due at this moment."""
        worker_id = new_id()
        with self.database.write() as session:
            due = outlets.due(session, now=now, contents=Contents(), writers=PLAIN, has_mail=True)
            tasks = [
                task
                for take in due.values()
                for task in take(session, worker_id=worker_id, now=now, limit=9)
            ]
        for task in tasks:
            request, outcome = task.parcel.send(self.carriers, now)
            assert isinstance(task.parcel.outlet, Channel)
            self.note(task.parcel.outlet, now)
            with self.database.write() as session:
                ended = [Result(task, now, 0.0, request, outcome)]
                results.record(session, ended, worker_id=worker_id, now=now)

    def next_due(self) -> datetime | None:
        with self.database.read() as session:
            return session.scalar(
                select(func.min(Delivery.next_attempt_at)).where(
                    Delivery.state == DeliveryState.PENDING
                )
            )

    def note(self, channel: Channel, now: datetime) -> None:
        local = now.astimezone(self.zone).strftime("%d %b %H:%M:%S %Z")
        if channel.medium is Medium.MAIL:
            message = self.mailbox.messages[-1]
            said = f"{message['Subject']}\n\n{message.get_content()}".replace("\r\n", "\n")
            said = said.replace(str(channel.id), "ID").partition("/stop/")[0]
        else:
            said = json.dumps(json.loads(self.receiver.got[-1].body), ensure_ascii=False, indent=1)
        self.told.append(f"== {local}: {channel.name} ({channel.pace})\n{said}\n")


@pytest.fixture
def newsroom(
    database: Database, site: Site, settings: Settings, mailbox: Mailbox, receiver: Receiver
) -> Iterator[Callable[[str], Newsroom]]:
    client = Client(settings.webhook_allow_networks)
    with_mail = replace(settings, smtp_url=mailbox.url, mail_from="desk@news.example")
    yield lambda zone: Newsroom(
        database, site, ZoneInfo(zone), Carriers.of(with_mail, client), mailbox, receiver
    )
    client.close()


@pytest.mark.parametrize("name", list(DAYS))
def test_day_of_a_newsroom(name: str, newsroom: Callable[[str], Newsroom]) -> None:
    zone, day = DAYS[name]
    made = newsroom(zone)
    made.channel("desk", Medium.MAIL, quiet_from=22 * 60, quiet_until=7 * 60)
    made.channel("editor", Medium.MAIL, pace=Pace.DAILY, hour=3)
    made.channel("chat", Medium.SLACK, pace=Pace.HOURLY)
    made.channel("bot", Medium.TELEGRAM, least_reports=3)
    made.channel("night", Medium.MATTERMOST, quiet_from=60, quiet_until=3 * 60 + 30)
    made.channel("guild", Medium.DISCORD, pace=Pace.HOURLY, quiet_from=9 * 60, quiet_until=750)
    made.channel("team", Medium.TEAMS, pace=Pace.DAILY, hour=2)
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    ends = begins + timedelta(hours=36)
    waiting = [
        (datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone)), *what)
        for clock, *what in HAPPENED
    ]
    while True:
        due = made.next_due()
        if waiting and (due is None or waiting[0][0].astimezone(UTC) <= due):
            at, kind, number, title, count = waiting.pop(0)
            made.tell(kind, number, title, count, at.astimezone(UTC))  # type: ignore[arg-type]
        elif due is None or due > ends:
            break
        else:
            made.work(due)
    check(f"day-{name}.txt", "\n".join(made.told))
