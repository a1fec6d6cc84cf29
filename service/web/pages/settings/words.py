"""Words of the settings: what was done, as the log and the pages tell it."""

from flask_babel import gettext, lazy_gettext

SAVED = {
    "profile": lazy_gettext("Saved."),
    "password": lazy_gettext("The password is changed; every other session is ended."),
    "session": lazy_gettext("The session is ended."),
    "sessions": lazy_gettext("Every other session is ended."),
    "second-step": lazy_gettext("The second step is off."),
    "site": lazy_gettext("Saved."),
    "withdrawn": lazy_gettext("The invitation is withdrawn; its link works no more."),
    "role": lazy_gettext("The role is changed."),
    "removed": lazy_gettext("Removed from this site."),
    "revoked": lazy_gettext("The token is revoked."),
    "channel": lazy_gettext("Saved."),
    "channel-removed": lazy_gettext("The channel is removed."),
    "webhook": lazy_gettext("Saved."),
    "webhook-removed": lazy_gettext("The webhook is removed."),
    "enabled": lazy_gettext("Enabled: what happens from now on is sent there."),
    "disabled": lazy_gettext("Disabled: nothing is sent there, and what was waiting has failed."),
    "ping": lazy_gettext("A ping is on its way. Reload the page in a moment to see how it went."),
    "redelivered": lazy_gettext("Sent again. Reload the page in a moment to see how it went."),
}

ACTIONS = {
    "campaign.changed": lazy_gettext("Campaign changed"),
    "campaign.made": lazy_gettext("Campaign made"),
    "campaign.removed": lazy_gettext("Campaign removed"),
    "channel.changed": lazy_gettext("Channel changed"),
    "channel.made": lazy_gettext("Channel made"),
    "channel.removed": lazy_gettext("Channel removed"),
    "editor.disabled": lazy_gettext("Editor disabled"),
    "editor.invited": lazy_gettext("Editor invited"),
    "editor.joined": lazy_gettext("Editor joined"),
    "editor.password_link_made": lazy_gettext("Link to a new password made"),
    "editor.password_set": lazy_gettext("Password set"),
    "editor.removed": lazy_gettext("Editor removed"),
    "editor.role_changed": lazy_gettext("Role changed"),
    "import.jsonl": lazy_gettext("Corrections imported"),
    "import.mistape": lazy_gettext("Reports of Mistape imported"),
    "invitation.withdrawn": lazy_gettext("Invitation withdrawn"),
    "network.blocked": lazy_gettext("Network blocked"),
    "network.freed": lazy_gettext("Block of a network lifted"),
    "reader.erased": lazy_gettext("Reader’s address erased"),
    "reader.exported": lazy_gettext("Reader’s data handed out"),
    "site.changed": lazy_gettext("Settings changed"),
    "site.made": lazy_gettext("Site made"),
    "support_lines.changed": lazy_gettext("Lines beside the asks changed"),
    "token.made": lazy_gettext("Token made"),
    "token.revoked": lazy_gettext("Token revoked"),
    "webhook.changed": lazy_gettext("Webhook changed"),
    "webhook.made": lazy_gettext("Webhook made"),
    "webhook.redelivered": lazy_gettext("Sent again to a webhook"),
    "webhook.removed": lazy_gettext("Webhook removed"),
    "webhook.replayed": lazy_gettext("Past events sent to a webhook"),
    "webhook.secret_renewed": lazy_gettext("New secret of a webhook"),
}

EVENTS = {
    "*": lazy_gettext("everything, also what a later release adds"),
    "correction.*": lazy_gettext("all about corrections"),
    "report.created": lazy_gettext("a reader sent something"),
    "correction.created": lazy_gettext("a passage was reported for the first time"),
    "correction.accepted": lazy_gettext("accepted by an editor"),
    "correction.fixed": lazy_gettext("fixed in the article"),
    "correction.rejected": lazy_gettext("rejected"),
    "correction.spam": lazy_gettext("marked as spam"),
    "correction.reopened": lazy_gettext("reopened, or moved back"),
    "correction.published": lazy_gettext("put on the public record"),
    "correction.apply": lazy_gettext("an editor asks for a correction to be applied"),
    "ping": lazy_gettext("a ping sent by hand"),
}

DELIVERIES = {
    "pending": lazy_gettext("Waiting"),
    "delivered": lazy_gettext("Arrived"),
    "failed": lazy_gettext("Failed"),
}

MEDIA = {
    "mail": lazy_gettext("Mail"),
    "slack": "Slack",
    "mattermost": "Mattermost",
    "discord": "Discord",
    "telegram": "Telegram",
    "teams": "Microsoft Teams",
}

PACES = {
    "at_once": lazy_gettext("At once"),
    "hourly": lazy_gettext("Every hour"),
    "daily": lazy_gettext("Once a day"),
}

TARGETS = {
    "address": lazy_gettext("Mail address"),
    "url": lazy_gettext("Address of the incoming webhook"),
    "token": lazy_gettext("The bot’s token"),
    "chat": lazy_gettext("Chat"),
    "server": lazy_gettext("Server"),
}

TARGET_HELP = {
    "slack": lazy_gettext("Slack gives it where a workspace adds the app Incoming Webhooks."),
    "mattermost": lazy_gettext("Mattermost gives it under Integrations, Incoming Webhooks."),
    "discord": lazy_gettext("Discord gives it in a channel’s settings, Integrations, Webhooks."),
    "teams": lazy_gettext("Teams gives it in Workflows: post to a channel when a webhook comes."),
    "token": lazy_gettext("As @BotFather gives it, 123456:ABC…; the bot has to be in the chat."),
    "chat": lazy_gettext("A number as -1001234, or @name of a public channel."),
    "server": lazy_gettext("Empty for Telegram’s own; else the address of your Bot API server."),
    "address": lazy_gettext("One mailbox or mailing list; every message can be stopped by a link."),
}

FIELDS = {
    "address": lazy_gettext("Mail address"),
    "chat": lazy_gettext("Chat"),
    "hour": lazy_gettext("Hour"),
    "least_reports": lazy_gettext("From so many readers on"),
    "medium": lazy_gettext("Medium"),
    "pace": lazy_gettext("How soon"),
    "quiet_from": lazy_gettext("Quiet from"),
    "quiet_until": lazy_gettext("Quiet until"),
    "server": lazy_gettext("Server"),
    "token": lazy_gettext("The bot’s token"),
    "zone": lazy_gettext("Time zone"),
    "article_selector": lazy_gettext("Article’s body"),
    "after_articles": lazy_gettext("From the nth article"),
    "appeal_texts": lazy_gettext("Appeal"),
    "appeal_to": lazy_gettext("Appeal to readers with ad blockers"),
    "blocked_by": lazy_gettext("Blocked by"),
    "blocked_words": lazy_gettext("Blocked words"),
    "categories": lazy_gettext("Categories"),
    "challenge_threshold": lazy_gettext("Challenge from"),
    "contact_url": lazy_gettext("Contact"),
    "corrections_policy_url": lazy_gettext("Corrections policy"),
    "count": lazy_gettext("Deliveries"),
    "description": lazy_gettext("Description"),
    "email_retention_days": lazy_gettext("Days that readers’ e-mails are kept"),
    "enabled": lazy_gettext("Enabled"),
    "ends_at": lazy_gettext("Until"),
    "event": lazy_gettext("Event"),
    "events": lazy_gettext("Events"),
    "headers": lazy_gettext("Headers"),
    "bad": lazy_gettext("Bad rows"),
    "corrections": lazy_gettext("Corrections"),
    "excerpt_limit": lazy_gettext("Longest excerpt"),
    "image_url": lazy_gettext("Picture"),
    "known": lazy_gettext("Were there already"),
    "language": lazy_gettext("Language"),
    "languages": lazy_gettext("Languages"),
    "link_parameters": lazy_gettext("Added to every link"),
    "max_views": lazy_gettext("At most so often"),
    "name": lazy_gettext("Name"),
    "networks": lazy_gettext("Networks"),
    "network_retention_days": lazy_gettext("Days that networks are kept"),
    "origins": lazy_gettext("Origins"),
    "period_days": lazy_gettext("Period in days"),
    "places": lazy_gettext("Where"),
    "privacy_url": lazy_gettext("Privacy policy"),
    "quiet_days": lazy_gettext("Quiet days after closing"),
    "quote_from": lazy_gettext("Copies of more characters than"),
    "quote_texts": lazy_gettext("The rule for quoting"),
    "reports": lazy_gettext("Reports"),
    "reject_reasons": lazy_gettext("Reasons to reject"),
    "role": lazy_gettext("Role"),
    "scopes": lazy_gettext("Scopes"),
    "sections": lazy_gettext("Sections"),
    "since": lazy_gettext("Since"),
    "spam_threshold": lazy_gettext("Suspect from"),
    "starts_at": lazy_gettext("From"),
    "tags": lazy_gettext("Tags"),
    "time_zone": lazy_gettext("Time zone"),
    "until": lazy_gettext("Until"),
    "url": lazy_gettext("Address"),
    "variants": lazy_gettext("Variants"),
}


def listed(value: object) -> str:
    """A setting's value as the log shows it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {each}" for name, each in value.items()) or "–"
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    return "–" if value in (None, "") else str(value)
