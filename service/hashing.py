"""Fingerprints of secrets and keyed hashes; nothing secret is ever stored as it is."""

import base64
import hashlib
import hmac
import zlib


def fingerprint(secret: str) -> str:
    """SHA-256 in hex: enough for random tokens of 128 bits or more, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed(key: str, purpose: str, text: str) -> str:
    """HMAC-SHA-256 as 43 URL-safe characters; `purpose` keeps the uses of one key apart."""
    mac = hmac.digest(key.encode(), f"{purpose}\0{text}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def short(text: str) -> str:
    """Adler-32 (RFC 1950) of the UTF-8 text in hex: tells an article's revisions apart, no more."""
    return f"{zlib.adler32(text.encode()):x}"
