"""Sentences with a mistake each, in several languages and scripts: `[wrong|right|category]`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """What articles and readers' comments of one language are made of."""

    tag: str
    weight: int
    space: str
    titles: tuple[str, ...]
    sentences: tuple[str, ...]
    comments: tuple[str, ...]
    slug: str


LANGUAGES = (
    Language(
        "en",
        40,
        " ",
        (
            "Night buses return in {n} districts",
            "Library keeps its {n} oldest books",
            "Rain for {n} days",
        ),
        (
            "Passengers with a pass will [recieve|receive|typo] the night service at no cost.",
            "The council met on [wendesday|Wednesday|typo] and talked for {n} hours.",
            "Neither of the {n} drivers [were|was|grammar] asked before the decision.",
            "The bridge was opened in [1987|1978|fact], its architect told us.",
            "About {n} people [has|have|grammar] signed the letter so far.",
            "The river rose by [{n} metres|{n} centimetres|fact] overnight.",
            "It is not clear what the board meant by [bi-weekly|twice a week|clarification].",
            "A spokeswoman said [quote|“we are ready”|clarification] and left the room.",
            "The full report is [hear|here|link] on the ministry’s pages.",
            "Tickets cost {n} euros, [a increase|an increase|grammar] on last year.",
        ),
        (
            "I live there, this is wrong.",
            "A small one, but it hurts.",
            "See the minutes of {n} May.",
        ),
        "story",
    ),
    Language(
        "uk",
        20,
        " ",
        ("Нічні автобуси їздитимуть у {n} районах", "Бібліотека береже {n} книжок"),
        (
            "Міська рада засідала в [середу в вечері|середу ввечері|typo] і говорила {n} години.",
            "Пасажири [отримаєть|отримають|grammar] проїзд без доплати.",
            "Міст відкрили [1987|1978|fact] року, сказав нам архітектор.",
            "Лист підписали [біля|близько|grammar] {n} людей.",
            "Вода піднялася на [{n} метрів|{n} сантиметрів|fact] за ніч.",
            "Нагадаємо, [слідуюча|наступна|translation] зустріч буде в п’ятницю.",
            "Повний звіт опубліковано на [сайтi|сайті|typo] міністерства.",
            "На [протязі|тягом|grammar] {n} днів роботи завершать.",
        ),
        ("Я там живу, це не так.", "Дрібниця, але муляє.", "Дивіться протокол за {n} травня."),
        "novyna",
    ),
    Language(
        "de",
        12,
        " ",
        ("Nachtbusse fahren wieder in {n} Bezirken", "Die Bücherei bewahrt {n} Bände"),
        (
            "Der Rat tagte am [Mitwoch|Mittwoch|typo] und beriet {n} Stunden lang.",
            "Wegen [dem|des|grammar] Regens fielen {n} Fahrten aus.",
            "Die Brücke wurde [1987|1978|fact] eröffnet, sagte die Architektin.",
            "Rund {n} Menschen [hat|haben|grammar] unterschrieben.",
            "Das Verfahren ist, [das|dass|typo] niemand gefragt wurde.",
            "Der Bericht steht auf der [Seiten|Seite|link] des Ministeriums.",
        ),
        ("Ich wohne dort, das stimmt nicht.", "Nur eine Kleinigkeit."),
        "bericht",
    ),
    Language(
        "ar",
        10,
        " ",
        ("عودة الحافلات الليلية إلى {n} أحياء", "المكتبة تحفظ {n} كتابا"),
        (
            "اجتمع المجلس يوم [الاربعاء|الأربعاء|typo] وتحدث {n} ساعات.",
            "سيحصل الركاب على الخدمة الليلية [بدن|بدون|typo] تكلفة إضافية.",
            "افتُتح الجسر عام [1987|1978|fact] كما قالت المهندسة.",
            "وقّع نحو {n} شخصا [على على|على|typo] الرسالة.",
            "ارتفع النهر [{n} أمتار|{n} سنتيمترات|fact] خلال الليل.",
            "التقرير الكامل منشور [هناء|هنا|link] على صفحات الوزارة.",
        ),
        ("أسكن هناك وهذا غير صحيح.", "خطأ صغير لكنه مزعج."),
        "khabar",
    ),
    Language(
        "zh-Hans",
        9,
        "",
        ("夜班公交车重返{n}个区", "图书馆保存{n}本古书"),
        (
            "持有月票的乘客可以免费[成坐|乘坐|typo]夜班车。",
            "市议会星期三开会，讨论了{n}个[小使|小时|typo]。",
            "大桥于[1987年|1978年|fact]通车，建筑师告诉我们。",
            "约{n}人[以经|已经|typo]在信上签名。",
            "河水一夜之间上涨了[{n}米|{n}厘米|fact]。",
            "完整的报告[再|在|grammar]部里的网页上。",
        ),
        ("我住在那里，这不对。", "小错误。"),
        "xinwen",
    ),
    Language(
        "ja",
        6,
        "",
        ("夜行バスが{n}地区に戻る", "図書館は{n}冊を守る"),
        (
            "定期券を持つ乗客は追加料金なしで夜行バスに[乗れれる|乗れる|grammar]。",
            "市議会は水曜日に[会儀|会議|typo]を開き、{n}時間話し合った。",
            "橋は[1987年|1978年|fact]に開通したと建築家は語った。",
            "これまでに約{n}人が署名[しましました|しました|typo]。",
            "川は一晩で[{n}メートル|{n}センチ|fact]上がった。",
        ),
        ("そこに住んでいますが、違います。",),
        "kiji",
    ),
    Language(
        "hi",
        3,
        " ",
        ("रात की बसें {n} इलाकों में लौटीं",),
        (
            "परिषद की बैठक [बूधवार|बुधवार|typo] को {n} घंटे चली।",
            "यात्रियों को रात की सेवा बिना [अतिरीक्त|अतिरिक्त|typo] शुल्क के मिलेगी।",
            "पुल [1987|1978|fact] में खुला, वास्तुकार ने बताया।",
            "करीब {n} लोगों ने पत्र पर [हस्ताक्षार|हस्ताक्षर|typo] किए।",
        ),
        ("मैं वहीं रहता हूँ, यह गलत है।",),
        "samachar",
    ),
)

SECTIONS = ("city", "politics", "business", "culture", "sport", "science", "world", "opinion")
