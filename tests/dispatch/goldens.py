"""Golden files: what was looked at and found right, compared byte for byte ever since.

`CORRIGENDA_WRITE_GOLDEN=1` writes them anew; look at the difference before you commit it.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check(name: str, made: str) -> None:
    file = FOLDER / name
    if os.environ.get("CORRIGENDA_WRITE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()
