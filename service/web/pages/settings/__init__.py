from service.web.pages.settings import (
    account,
    audit,
    channels,
    editors,
    readers,
    second_step,
    site,
    support,
    tokens,
    webhooks,
)

__all__ = [
    "account",
    "audit",
    "channels",
    "editors",
    "readers",
    "second_step",
    "site",
    "support",
    "tokens",
    "webhooks",
]
