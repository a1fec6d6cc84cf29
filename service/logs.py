"""Logs as JSON lines on standard error: one object a line, control characters escaped."""

import json
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime

import orjson

_requests = logging.getLogger("service.requests")


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Letters that may turn a line around are escaped, which `orjson` does not do.
        with suppress(TypeError):
            if (told := orjson.dumps(line)).isascii():
                return told.decode()
        return json.dumps(line, separators=(",", ":"))


def set_up(level: int = logging.INFO) -> None:
    """Send all logs to standard error as JSON lines."""
    # No line says where in the code, in which thread or process it was written.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def log_request(request_id: str, method: str, rule: str, status: int, milliseconds: float) -> None:
    """Write the line of one answered request."""
    _requests.info(
        "%s %s %d",
        method,
        rule,
        status,
        extra={"fields": {"request_id": request_id, "ms": round(milliseconds, 1)}},
    )
