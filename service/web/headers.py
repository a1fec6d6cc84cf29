"""Headers that every answer carries."""

from flask import Flask, Response, request

from service.settings import Settings

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types corrigenda"
)


def register(app: Flask, settings: Settings) -> None:
    """Set the security headers; a view's own header wins."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        shared = request.endpoint in {"static", "assets.static"}
        headers.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if shared else "same-origin"
        )
        if shared:
            # A page that pins the widget (SRI) has to fetch it by CORS.
            headers.setdefault("Access-Control-Allow-Origin", "*")
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if settings.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
