"""The article's text: taken out of HTML, compared, searched. Pure: no database, no web."""

from service.text.diff import Piece, word_diff
from service.text.html import article_text
from service.text.normalise import normalise
from service.text.passages import Selector, same_passage

__all__ = ["Piece", "Selector", "article_text", "normalise", "same_passage", "word_diff"]
