"""What leaves the desk: corrections as a table and as W3C annotations, in constant memory."""

from service.desk.exports.formats import FORMATS, Format

__all__ = ["FORMATS", "Format"]
