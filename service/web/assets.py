"""The built files: in memory as they are and compressed, and for good where asked for by hash."""

import gzip
import hashlib
import mimetypes
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

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
    path = Path(folder, name)
    try:
        seen = path.stat()
    except (OSError, ValueError):
        raise NotFound from None
    # The folder is flat: what leads elsewhere has another name, or is a folder.
    if path.name != name or not stat.S_ISREG(seen.st_mode):
        raise NotFound
    return _read(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> Asset:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(body, mtime=0) if len(body) >= TOO_SHORT else None
    return Asset(body, packed, kind, hashlib.sha256(body).hexdigest()[:16])


def answer(asset: Asset) -> Response:
    """The file, compressed for whoever takes gzip; 304 to whoever has it (RFC 9110, 13)."""
    takes_packed = asset.packed is not None and request.accept_encodings["gzip"] > 0
    made = Response(asset.packed if takes_packed else asset.body, mimetype=asset.mimetype)
    headers = made.headers
    if takes_packed:
        headers["Content-Encoding"] = "gzip"
    headers["Vary"] = "Accept-Encoding"
    headers["Cache-Control"] = FOR_GOOD if request.args.get("v") == asset.mark else "no-cache"
    # Compressed or not, it is the same file, letter for letter only to who unpacks it.
    headers["ETag"] = f'W/"{asset.mark}"'
    if "If-None-Match" in request.headers:
        made.make_conditional(request)
    return made
