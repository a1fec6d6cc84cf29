"""What a report suggests for the words of a correction, which may quote others than the report."""

from service import text


def proposal(
    exact: str | None, start: int | None, quoted: text.Selector, suggestion: str | None
) -> str | None:
    """The suggestion for what is quoted, told for just the words `exact`, which stand at `start`.

    As it is where it cannot be told so.
    """
    if suggestion is None or not quoted.exact or not exact or exact == quoted.exact:
        return suggestion
    words = text.narrowed(quoted, suggestion)
    # What the suggestion keeps at both ends is as long in it as in the quote.
    kept = len(words.prefix) - len(quoted.prefix)
    added = suggestion[kept : len(suggestion) - (len(quoted.exact) - kept - len(words.exact))]
    at = _offset(exact, words, start)
    return suggestion if at is None else exact[:at] + added + exact[at + len(words.exact) :]


def _offset(exact: str, words: text.Selector, start: int | None) -> int | None:
    if start is not None and words.start is not None:
        at = words.start - start
        if 0 <= at <= len(exact) and exact.startswith(words.exact, at):
            return at
    return exact.index(words.exact) if words.exact and exact.count(words.exact) == 1 else None
