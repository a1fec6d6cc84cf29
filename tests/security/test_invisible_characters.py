"""Bidi controls and invisible characters: kept as they came, shown as marks."""

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient

from service.models import Editor, Site
from tests.security.tally import Tally
from tests.web.test_pages import sign_in
from tests.web.test_public import body, post

ROW = "bidi and invisible characters"

# U+200C and U+200D inside a word are how Persian and many scripts are written: no mark there.
HIDDEN = [
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028\u2029",
    *"\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206f",
    *"\u2800\u3164\ufeff\uffa0\ufff9\ufffb\U000e0001\U000e0041\U0001d173\ue000",
    *"\x01\x07\x08\x1b\x7f\x80\x9f",
]


def test_character_nobody_sees_is_kept_and_marked(
    client: FlaskClient, site: Site, editor: Editor, bearer: dict[str, str], tally: Tally
) -> None:
    sign_in(client, editor)
    for number, character in enumerate(HIDDEN):
        text = f"pay {character}100 euros"
        sent = body(
            suggestion=text,
            comment=text,
            target={
                "selector": [
                    {
                        "type": "TextQuoteSelector",
                        "exact": f"{text} {number}",
                        "prefix": text,
                        "suffix": text,
                    }
                ]
            },
        )
        made: Any = post(client, site, sent, key=str(number))
        assert made.status_code == 201, (character, made.json)
        at = made.json["correction_id"]
        item = client.get(f"/api/v1/corrections/{at}", headers=bearer).json
        kept = [item["selector"][0][name] for name in ("exact", "prefix", "suffix")]
        kept += [item["suggestions"][0]["text"], item["reports"][0]["comment"]]
        page = client.get(f"/review/{at}").text
        receipt = client.get(made.json["receipt_url"]).text
        code = f"U+{ord(character):04X}"
        # A form's fields hold what is sent, and a title has no room for marks.
        fields = r"<(textarea|title)\b.*?</\1>"
        shown = re.sub(fields, "", page, flags=re.DOTALL)
        held = (
            kept == [f"{text} {number}", text, text, text, text]
            and page.count(f'title="{code} ') >= 5
            and f'title="{code} ' in receipt
            and character not in unescape(re.sub(r"<[^>]*>", "", shown))
        )
        tally.add((code, page.count(f'title="{code} ')), held=held)
