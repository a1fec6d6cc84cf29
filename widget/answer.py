"""Print what the service answers the widget, letter by letter: an English site with its links."""

import sys
import tempfile

from service import settings
from service.accounts import sites
from service.app import create_app, utc_now
from service.db import Database, migrate


def answer() -> bytes:
    """The body of `GET /api/v1/sites/{key}/widget?locale=en`."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings.read({"CORRIGENDA_DATA_DIR": folder})
        database = Database(chosen.database_url)
        migrate.upgrade(database)
        with database.write() as session:
            site = sites.create(session, "News", ["https://news.example"], now=utc_now())
            site.privacy_url = "https://news.example/privacy"
            site.contact_url = "mailto:corrections@news.example"
            key = site.key
        client = create_app(chosen, database).test_client()
        body = client.get(
            f"/api/v1/sites/{key}/widget?locale=en", headers={"Host": "127.0.0.1:8000"}
        ).data
        database.dispose()
        return body


if __name__ == "__main__":
    sys.stdout.buffer.write(answer())
