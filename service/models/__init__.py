"""Every table, its columns and constraints, and the words in them; no verbs."""

from service.models.access import Audit, Link, RecoveryCode
from service.models.accounts import Editor, EditorSession, Membership, Site, Token
from service.models.articles import TITLE_LIMIT, Article, Revision
from service.models.channels import Channel
from service.models.corrections import Correction, Move, Report
from service.models.dispatch import LETTERS, Attempt, Delivery, Event, Webhook
from service.models.history import Change, Mention, Note
from service.models.letters import Letter
from service.models.networks import Block, NetworkKey, SpentChallenge
from service.models.queue import Document, Tally
from service.models.record import Publication, PublicationVersion
from service.models.statistics import RollUp, StaleHour
from service.models.support import Campaign, SupportCount, SupportLines
from service.models.words import (
    AnchorState,
    Category,
    CountKind,
    DeliveryState,
    Kind,
    LinkKind,
    Medium,
    Pace,
    Place,
    Role,
    State,
)

__all__ = [
    "LETTERS",
    "TITLE_LIMIT",
    "AnchorState",
    "Article",
    "Attempt",
    "Audit",
    "Block",
    "Campaign",
    "Category",
    "Change",
    "Channel",
    "Correction",
    "CountKind",
    "Delivery",
    "DeliveryState",
    "Document",
    "Editor",
    "EditorSession",
    "Event",
    "Kind",
    "Letter",
    "Link",
    "LinkKind",
    "Medium",
    "Membership",
    "Mention",
    "Move",
    "NetworkKey",
    "Note",
    "Pace",
    "Place",
    "Publication",
    "PublicationVersion",
    "RecoveryCode",
    "Report",
    "Revision",
    "Role",
    "RollUp",
    "Site",
    "SpentChallenge",
    "StaleHour",
    "State",
    "SupportCount",
    "SupportLines",
    "Tally",
    "Token",
    "Webhook",
]
