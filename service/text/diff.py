"""What changed between two short texts, word by word, for people to read."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

from service.text.words import graphemes, words

Kind = Literal["same", "delete", "insert"]


class Piece(NamedTuple):
    """A part of a diff: kept, only in the text before, or only in the text after."""

    kind: Kind
    text: str


# Two words share at least this much if one is a misspelling of the other.
_ALIKE = 0.5


def word_diff(before: str, after: str) -> list[Piece]:
    """The pieces that lead from one text to the other, in reading order.

    The `same` and `delete` pieces joined are `before`, the `same` and `insert` pieces `after`.
    Where one word became a similar one, the pieces are characters.
    """
    pieces: list[Piece] = []
    for deleted, inserted, kept in _changes(words(before), words(after)):
        pieces += _inside(deleted, inserted)
        if kept:
            pieces.append(Piece("same", "".join(kept)))
    return _joined(pieces)


def whole_word_diff(before: str, after: str) -> list[Piece]:
    """As `word_diff`, but no piece is a part of a word: it can be read aloud."""
    pieces: list[Piece] = []
    for deleted, inserted, kept in _changes(words(before), words(after)):
        pieces += _whole("".join(deleted), "".join(inserted))
        if kept:
            pieces.append(Piece("same", "".join(kept)))
    return _joined(pieces)


def _whole(before: str, after: str) -> list[Piece]:
    return [Piece("delete", before)] * bool(before) + [Piece("insert", after)] * bool(after)


def _changes(
    before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """What goes, what comes in its place, and what stays behind it, again and again."""
    deleted: list[str] = []
    inserted: list[str] = []
    blocks = [
        (
            block.tag,
            before[block.src_start : block.src_end],
            after[block.dest_start : block.dest_end],
        )
        for block in Indel.opcodes(before, after)
    ]
    for number, (tag, old, new) in enumerate(blocks):
        if tag == "delete":
            deleted += old
        elif tag == "insert":
            inserted += new
        elif 0 < number < len(blocks) - 1 and not "".join(old).strip() and deleted and inserted:
            # A space between two changed words: one change reads better than two.
            deleted += old
            inserted += new
        else:
            yield deleted, inserted, list(old)
            deleted, inserted = [], []
    if deleted or inserted:
        yield deleted, inserted, []


def _inside(deleted: Sequence[str], inserted: Sequence[str]) -> list[Piece]:
    before, after = "".join(deleted), "".join(inserted)
    whole = _whole(before, after)
    if len(deleted) != 1 or len(inserted) != 1:
        return whole
    old, new = graphemes(before), graphemes(after)
    if len(old) < 2 or Indel.normalized_similarity(old, new) < _ALIKE:
        return whole
    pieces: list[Piece] = []
    for block in Indel.opcodes(old, new):
        if block.tag == "equal":
            pieces.append(Piece("same", "".join(old[block.src_start : block.src_end])))
        elif block.tag == "delete":
            pieces.append(Piece("delete", "".join(old[block.src_start : block.src_end])))
        else:
            pieces.append(Piece("insert", "".join(new[block.dest_start : block.dest_end])))
    return pieces


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece; in every change what goes before what comes."""
    found: list[Piece] = []
    deleted = inserted = ""
    for kind, text in [*pieces, Piece("same", "")]:
        if kind == "delete":
            deleted += text
        elif kind == "insert":
            inserted += text
        elif found and not deleted and not inserted:
            found[-1] = Piece("same", found[-1].text + text)
        else:
            changed = (Piece("delete", deleted), Piece("insert", inserted), Piece("same", text))
            found += [piece for piece in changed if piece.text]
            deleted = inserted = ""
    return found
