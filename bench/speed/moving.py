"""What leaving with everything costs: backup, restore, and the way to PostgreSQL."""

import time

from bench.speed import targets
from bench.speed.results import Results
from bench.speed.times import Times
from tests.processes import run

HOURS = 3 * 3600


def measure(results: Results, times: Times) -> None:
    """Back up a large SQLite database, restore it, copy it to PostgreSQL."""
    size = times.sizes[-1]
    with targets.folder() as data, targets.postgresql() as postgresql:
        env = targets.settings(data / "source")
        sow = ["seed", "--site", targets.site(env), "--corrections", str(size)]
        assert run(sow, env, seconds=HOURS).returncode == 0
        kept, other = data / "backup.db", {**env, "CORRIGENDA_DATA_DIR": str(data / "restored")}
        took = {"`backup`": seconds(["backup", str(kept)], env)}
        took["`restore`, which checks it"] = seconds(["restore", str(kept)], other)
        if postgresql:
            source = f"sqlite:///{data / 'source' / 'corrigenda.db'}"
            name = "`copy-database`, SQLite to PostgreSQL, every row read back and compared"
            took[name] = seconds(["copy-database", source, postgresql], env)
        mebibytes = kept.stat().st_size / 2**20
    results.heading("Moving", f"All of {size:,} corrections, a file of {mebibytes:,.0f} MiB:")
    results.table(("", "seconds"), [[name, spent] for name, spent in took.items()])


def seconds(arguments: list[str], env: dict[str, str]) -> float:
    """How long the command took."""
    began = time.monotonic()
    done = run(arguments, env, seconds=HOURS)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began
