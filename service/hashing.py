"""Fingerprints of secrets and keyed hashes; nothing secret is ever stored as it is."""

import base64
import hashlib
import hmac
import zlib
from uuid import UUID


def fingerprint(secret: str) -> str:
    """SHA-256 in hex: enough for random tokens of 80 bits or more, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed(key: str, purpose: str, text: str) -> str:
    """HMAC-SHA-256 as 43 URL-safe characters; `purpose` keeps the uses of one key apart."""
    mac = hmac.digest(key.encode(), f"{purpose}\0{text}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def receipt_token(key: str, report_id: UUID) -> str:
    """The secret part of a receipt's address: derived, since only its fingerprint is stored."""
    return keyed(key, "receipt", str(report_id))


def short(text: str) -> str:
    """Adler-32 (RFC 1950) of the UTF-8 text in hex: tells an article's revisions apart, no more."""
    return f"{zlib.adler32(text.encode()):x}"
