"""The built files: in memory as they are and compressed, and for good where asked for by hash."""

import gzip
import hashlib
import mimetypes
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import Accept
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header

from service.web.compression import TOO_SHORT

ENDPOINT = "static"
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its content, the same compressed where that helps, its media type, its hash."""

    body: bytes
    packed: bytes | None
    mimetype: str
    mark: str


def register(app: Flask) -> None:
    """Have pages ask for each file by its hash."""

    @app.url_defaults
    def by_hash(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == ENDPOINT:
            values.setdefault("v", find(str(app.static_folder), values["filename"]).mark)


def find(folder: str, name: str) -> Asset:
    """The file of this name as it is now; raises NotFound."""
    # A text, since many are compared with it: a Path takes longer for that than all else here.
    path = os.path.join(folder, name)
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        raise NotFound from None
    # The folder is flat: what leads elsewhere has another name, or is a folder.
    if os.path.basename(path) != name or not stat.S_ISREG(seen.st_mode):
        raise NotFound
    return _read(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=64)
def _read(path: str, _changed: int, _size: int) -> Asset:
    body = Path(path).read_bytes()
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = gzip.compress(body, mtime=0) if len(body) >= TOO_SHORT else None
    return Asset(body, packed, kind, hashlib.sha256(body).hexdigest()[:16])


def answer(asset: Asset) -> Response:
    """The file, compressed for whoever takes gzip; 304 to whoever has it (RFC 9110, 13)."""
    takes_packed = asset.packed is not None and _takes_gzip(request.headers.get("Accept-Encoding"))
    headers = [
        ("Vary", "Accept-Encoding"),
        ("Cache-Control", FOR_GOOD if request.args.get("v") == asset.mark else "no-cache"),
        # Compressed or not, it is the same file, letter for letter only to who unpacks it.
        ("ETag", f'W/"{asset.mark}"'),
        *([("Content-Encoding", "gzip")] if takes_packed else []),
    ]
    content = asset.packed if takes_packed else asset.body
    made = Response(content, headers=headers, mimetype=asset.mimetype)
    if "If-None-Match" in request.headers:
        made.make_conditional(request)
    return made


@lru_cache(maxsize=256)
def _takes_gzip(accepted: str | None) -> bool:
    """Whether a browser says so; there are few ways to say it, which take long to read."""
    return parse_accept_header(accepted, Accept)["gzip"] > 0
