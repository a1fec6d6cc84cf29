"""What the demo's newspaper asks of its readers: a campaign, an appeal, a rule for quoting."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service import audits
from service.models import Place, Site
from service.support import campaigns, lines
from service.support.campaigns import Draft
from service.support.lines import Lines

KEY = "patrons"
AMOUNTS = ("3 €", "5 €", "10 €")

# Title, text, and the words of three ways: monthly, once, otherwise.
ASK = {
    "en": (
        "Somebody has to sit through the council meetings",
        "Our seven reporters do, and then tell you what was decided. Readers pay for it, each as "
        "much as they like.",
        ("Become a patron", "Give once", "Other ways to support"),
    ),
    "uk": (
        "Хтось має висиджувати засідання ради",
        "Це роблять семеро наших журналістів, а потім розповідають, що вирішили. Платять за це "
        "читачі — хто скільки може.",
        ("Стати патроном", "Підтримати одноразово", "Інші способи підтримати"),
    ),
    "ar": (
        "لا بد أن يحضر أحدٌ جلسات المجلس",
        "يحضرها صحفيونا السبعة ثم يخبرونكم بما تقرّر. يدفع القرّاء ثمن ذلك، كلٌّ بقدر ما يشاء.",
        ("كونوا من الداعمين", "ساهموا مرة واحدة", "طرق أخرى للدعم"),
    ),
}
APPEAL = {
    "en": "Your browser hides advertisements. Ours stand still and follow nobody: please let them.",
    "uk": "Ваш браузер приховує рекламу. Наша не блимає й ні за ким не стежить: дозвольте її.",
    "ar": "متصفحكم يخفي الإعلانات. إعلاناتنا ثابتة ولا تتعقّب أحدًا، فاسمحوا بها من فضلكم.",
}
QUOTE_FROM = 500
QUOTE = {
    "en": "The Lantern. Up to 500 characters may be quoted with a link to the article:",
    "uk": "«Ліхтар». Цитувати можна до 500 знаків із посиланням на статтю:",
    "ar": "الفانوس. يجوز اقتباس ما لا يزيد على 500 حرف مع رابط المقال:",
}


def plant(session: Session, site: Site, home: str, *, now: datetime) -> None:
    """Make the campaign and the two lines, with links to the pages at `home`."""
    draft = Draft(
        name="Patrons",
        variants=[{"key": "a", "weight": 1, "texts": {each: _text(each, home) for each in ASK}}],
        places=[Place.BLOCK, Place.THANKS],
        link_parameters="from={place}",
    )
    campaigns.put(session, site.id, KEY, draft, by=audits.COMMAND_LINE, now=now)
    wanted = Lines("blocked", APPEAL, QUOTE_FROM, QUOTE)
    lines.put(session, site, wanted, by=audits.COMMAND_LINE, now=now)


def _text(locale: str, home: str) -> dict[str, Any]:
    title, text, labels = ASK[locale]
    about = f"{home}/demo/about"
    urls = (f"{about}#support", f"{about}#other-ways", f"{about}#other-ways")
    return {
        "title": title,
        "text": text,
        "ways": [{"label": label, "url": url} for label, url in zip(labels, urls, strict=True)],
        "amounts": [{"label": amount, "url": f"{about}#support"} for amount in AMOUNTS],
        "image_alt": "",
    }
