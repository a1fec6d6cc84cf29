"""Brings the desk's catalogues up to the source, and tells what they miss: `make translations`.

`--check` writes nothing and fails where a message is missing, stale, fuzzy, or not compiled.
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from service.errors import Refusal

SERVICE = Path(__file__).resolve().parents[1] / "service"
CATALOGUES = SERVICE / "translations"
METHODS = [
    ("cli/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
OPTIONS = {"**/templates/**.html": {"silent": "false", "encoding": "utf-8"}}
REFUSALS = {each.__name__: each for each in Refusal.__subclasses__()}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    **dict.fromkeys(REFUSALS, (1,)),
    "lazy_gettext": None,
    "counted": (1, 2),
    "fault": (2,),
    "invalid": (2,),
    "Rule": (2,),
}


def source() -> Catalog:
    """Every message of the service, without line numbers: those change with every edit."""
    found = Catalog(project="Corrigenda", charset="utf-8")
    messages = extract_from_dir(SERVICE, METHODS, OPTIONS, KEYWORDS)
    for file, _line, message, _comments, context in messages:
        found.add(message, locations=[(f"service/{file}", None)], context=context)
    for refusal in REFUSALS.values():
        found.add(refusal.title, locations=[("service/errors.py", None)])
    return found


def files() -> list[Path]:
    """The catalogues, one a language."""
    return sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po"))


def read(file: Path) -> Catalog:
    """One catalogue."""
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parents[1].name)


def updated(file: Path) -> Catalog:
    """The catalogue with every message of the source and no other."""
    kept = read(file)
    created = kept.creation_date
    kept.update(source(), no_fuzzy_matching=True, update_header_comment=False)
    kept.creation_date = created
    kept.obsolete.clear()
    return kept


def is_missing(message: Message, catalogue: Catalog) -> bool:
    """Whether a form of the message has no translation, or a doubtful one."""
    words = message.string if isinstance(message.string, tuple) else (message.string,)
    forms = catalogue.num_plurals if message.pluralizable else 1
    return bool(message.id) and (message.fuzzy or len(words) < forms or not all(words))


def faults(catalogue: Catalog) -> list[str]:
    """What the catalogue misses, and where its placeholders are not the message's."""
    found = [str(message.id) for message in catalogue if is_missing(message, catalogue)]
    for message in catalogue:
        if message.id and not is_missing(message, catalogue):
            found += [f"{message.id}: {error}" for error in message.check(catalogue)]
    return found


def written(catalogue: Catalog) -> tuple[bytes, bytes]:
    """The catalogue as text and compiled, the same bytes for the same messages."""
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalogue, sort_output=True, width=100, omit_header=False, include_lineno=False)
    write_mo(compiled, catalogue)
    return text.getvalue(), compiled.getvalue()


def main() -> None:
    """Write or check every catalogue."""
    ended_well = True
    for file in files():
        catalogue = updated(file)
        missing = faults(catalogue)
        contents = dict(zip((file, file.with_suffix(".mo")), written(catalogue), strict=True))
        for fault in missing:
            print(f"{file.parents[1].name}: {fault}")
        if "--check" in sys.argv:
            current = all(path.read_bytes() == content for path, content in contents.items())
            ended_well &= current and not missing
        else:
            for path, content in contents.items():
                path.write_bytes(content)
        print(f"{file.parents[1].name}: {len(catalogue)} messages, {len(missing)} to be done")
    if not ended_well:
        sys.exit("The catalogues are not up to date and complete: make translations")


if __name__ == "__main__":
    main()
