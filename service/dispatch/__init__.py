"""The outbox leaves: claim, sign, send, back off."""
