"""Write a migration from the difference between the models and a freshly migrated database."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from service import models  # noqa: F401 (the models fill the metadata that is compared)
from service.db import Database, migrate


def main() -> None:
    """Write the revision; the message is the argument."""
    if len(sys.argv) != 2:
        sys.exit('usage: docs/revision.py "what changes"')
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        migrate.upgrade(database)
        number = int(migrate.head()) + 1
        command.revision(
            migrate.config(database), message=sys.argv[1], autogenerate=True, rev_id=f"{number:04}"
        )
        database.dispose()


if __name__ == "__main__":
    main()
