"""What every reader is told travels compressed, also where no proxy does it."""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

ENDPOINTS = frozenset({"public.places_script", "public.widget"})
"""Public answers only: next to a secret, lengths would tell of it (BREACH)."""

TOO_SHORT = 200
"""Fewer bytes are not worth it."""


def register(app: Flask) -> None:
    """Compress whole answers of these endpoints for whoever takes gzip (RFC 9110, 12.5.3)."""

    @app.after_request
    def compress(response: Response) -> Response:
        if request.endpoint not in ENDPOINTS:
            return response
        response.vary.add("Accept-Encoding")
        tag, _ = response.get_etag()
        if tag:
            # Compressed or not, it is the same answer, letter for letter only to who unpacks it.
            response.set_etag(tag, weak=True)
        if response.status_code != 200 or not request.accept_encodings["gzip"]:
            return response
        body = response.get_data()
        if len(body) >= TOO_SHORT:
            response.set_data(_squeezed(body))
            response.content_encoding = "gzip"
        return response


@lru_cache(maxsize=64)
def _squeezed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)
