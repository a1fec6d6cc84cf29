"""The media of channels: what each needs to know, and how it says a note."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.dispatch.channels import discord, mattermost, slack, teams, telegram
from service.dispatch.notes import Note
from service.models import Medium

Target = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chat:
    """A medium that is posted to: where, and with what JSON."""

    address: Callable[[Target], str]
    payload: Callable[[Target, Note, str], dict[str, Any]]
    """Of the target, the note and the newsroom's language."""


CHATS: dict[Medium, Chat] = {
    Medium.SLACK: Chat(slack.address, slack.payload),
    Medium.MATTERMOST: Chat(mattermost.address, mattermost.payload),
    Medium.DISCORD: Chat(discord.address, discord.payload),
    Medium.TELEGRAM: Chat(telegram.address, telegram.payload),
    Medium.TEAMS: Chat(teams.address, teams.payload),
}
"""All media but mail."""
