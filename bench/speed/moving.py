"""What leaving with everything costs: backup, restore, and the way to PostgreSQL."""

import time
from pathlib import Path

import psycopg

from bench.speed.results import Results
from tests.processes import run

HOURS = 3 * 3600


def measure(
    results: Results, env: dict[str, str], data: Path, postgresql: str | None, size: int
) -> None:
    """Back up the SQLite database of these settings, restore it, copy it to PostgreSQL."""
    kept, other = str(data / "backup.db"), {**env, "CORRIGENDA_DATA_DIR": str(data / "restored")}
    source = f"sqlite:///{Path(env['CORRIGENDA_DATA_DIR']) / 'corrigenda.db'}"
    took = {"`backup`": seconds(["backup", kept], env)}
    took["`restore`, which checks it"] = seconds(["restore", kept], other)
    if postgresql:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("CREATE DATABASE copied")
        target = f"{postgresql.rpartition('/')[0]}/copied"
        name = "`copy-database`, SQLite to PostgreSQL, every row read back and compared"
        took[name] = seconds(["copy-database", source, target], env)
    mebibytes = Path(kept).stat().st_size / 2**20
    results.text(f"All of {size:,} corrections, a file of {mebibytes:,.0f} MiB:")
    results.table(("", "seconds"), [[name, spent] for name, spent in took.items()])


def seconds(arguments: list[str], env: dict[str, str]) -> float:
    """How long the command took."""
    began = time.monotonic()
    done = run(arguments, env, seconds=HOURS)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began
