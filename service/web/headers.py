"""Headers that every answer carries."""

from flask import Flask, Response, request

from service.settings import Settings
from service.web.assets import ENDPOINT

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types corrigenda"
)

Headers = tuple[tuple[str, str], ...]

FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
# A page that pins the widget (SRI) has to fetch it by CORS.
ASSETS = (
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Access-Control-Allow-Origin", "*"),
)
OWN = (("Cross-Origin-Resource-Policy", "same-origin"),)


def of(settings: Settings, more: Headers = OWN) -> Headers:
    """The security headers, by default of what is no asset."""
    secure = (("Strict-Transport-Security", "max-age=31536000"),) if settings.is_secure else ()
    return (*FIXED, *more, *secure)


def register(app: Flask, settings: Settings) -> None:
    """Set the security headers; a view's own header wins."""
    own, shared = (
        [(name.lower(), name, value) for name, value in of(settings, more)]
        for more in (OWN, ASSETS)
    )

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        # Asking for each name by itself goes through all headers every time.
        known = {name.lower() for name, _ in headers}
        for lowered, name, value in shared if request.endpoint == ENDPOINT else own:
            if lowered not in known:
                headers.add(name, value)
        return response
