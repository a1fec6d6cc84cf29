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


def receipt_token(key: str, report_id: UUID, mark: str = "") -> str:
    """The secret part of a receipt's address: derived, since only its mark is stored.

    It leads to the report by its id, which 128 bits follow that nobody can guess. Marks of earlier
    releases are fingerprints of other tokens.
    """
    if mark and not mark.startswith(report_id.hex):
        return keyed(key, "receipt", str(report_id))
    mac = hmac.digest(key.encode(), b"receipt\0" + report_id.bytes, "sha256")[:16]
    return base64.urlsafe_b64encode(report_id.bytes + mac).rstrip(b"=").decode()


def receipt_marks(token: str) -> tuple[str, str]:
    """What is stored of a token, and what earlier releases stored.

    New ones begin with the report's id: they stand side by side in their index, and many together
    are written at once.
    """
    known = fingerprint(token)
    try:
        report_id = base64.urlsafe_b64decode(f"{token}=")[:16].hex()
    except ValueError:
        return known, known
    return report_id + known[:32], known


def short(text: str) -> str:
    """Adler-32 (RFC 1950) of the UTF-8 text in hex: tells an article's revisions apart, no more."""
    return f"{zlib.adler32(text.encode()):x}"
