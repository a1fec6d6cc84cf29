"""The article's text: taken out of HTML, compared, searched. Pure: no database, no web."""

from service.text.diff import Piece, whole_word_diff, word_diff
from service.text.html import article_text
from service.text.locating import ORPHANED, Anchor, locate
from service.text.normalise import normalise
from service.text.passages import Selector, narrowed, same_passage
from service.text.verdicts import Verdict, verdict

__all__ = [
    "ORPHANED",
    "Anchor",
    "Piece",
    "Selector",
    "Verdict",
    "article_text",
    "locate",
    "narrowed",
    "normalise",
    "same_passage",
    "verdict",
    "whole_word_diff",
    "word_diff",
]
