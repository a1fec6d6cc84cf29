"""The forms in which corrections leave: CSV and JSON lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from service.db import Database
from service.desk.exports import annotations, reading, tables
from service.desk.exports.reading import Whole
from service.desk.filters import Filters


@dataclass(frozen=True, slots=True)
class Format:
    """One form: the ending of its files, its media type, what stands first, and a batch's text."""

    ending: str
    media_type: str
    head: str
    text: Callable[[list[Whole]], str]

    def parts(
        self,
        database: Database,
        site_id: UUID,
        filters: Filters,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> Iterator[str]:
        """The file's text in parts; `on_batch` hears how many corrections a part had."""
        yield self.head
        for batch in reading.batches(database, site_id, filters):
            yield self.text(batch)
            on_batch(len(batch))


FORMATS = {
    each.ending: each
    for each in (
        Format("csv", "text/csv", tables.HEAD, tables.text),
        Format("jsonl", "application/jsonl", "", annotations.text),
    )
}
