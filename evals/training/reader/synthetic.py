"""Make up documents of kinds that question-answering sets lack: numbered articles, codes, tables, short rules.

A question names one article, code or row; the window has many similar ones. Half of the questions name one that isn't
there. Words come from the paragraphs of the other sets, so the text is real and only its frame is made up.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from evals.training.reader.examples import Example, Paragraph

ARTICLE_WORDS = {
    "en": ("Article", "Section", "Clause", "Rule", "Step", "Chapter"),
    "th": ("ข้อ", "มาตรา", "ข้อที่", "หมวด", "ขั้นตอนที่"),
    "vi": ("Điều", "Mục", "Khoản", "Quy định", "Bước", "Chương"),
    "id": ("Pasal", "Bagian", "Langkah"),
    "zh": ("第",),
    "de": ("Artikel", "Abschnitt"),
    "fr": ("Article", "Chapitre"),
    "es": ("Artículo", "Sección"),
}
ARTICLE_QUESTIONS = {
    "en": (
        "What does {0} say?",
        "What is in {0}?",
        "{0}",
        "What does {0} provide for?",
        "What does {0} say about this?",
    ),
    "th": ("{0}กล่าวว่าอย่างไร", "{0} ว่าอย่างไร", "{0} มีเนื้อหาอะไร", "{0} กำหนดอะไร"),
    "vi": ("{0} nói gì?", "Nội dung của {0} là gì?", "{0} quy định gì?", "{0} quy định điều gì?"),
    "id": ("Apa isi {0}?", "Apa yang dikatakan {0}?"),
    "zh": ("{0}规定了什么？", "{0}说什么？"),
    "de": ("Was sagt {0}?", "Was steht in {0}?"),
    "fr": ("Que dit {0} ?", "Que prévoit {0} ?"),
    "es": ("¿Qué dice {0}?", "¿Qué establece {0}?"),
}
CODE_QUESTIONS = {
    "en": ("What does {0} mean?", "What is {0}?", "What does error {0} stand for?", "What is {0} about?"),
    "th": ("{0} หมายถึงอะไร", "รหัส {0} คืออะไร", "{0} คืออะไร"),
    "vi": ("{0} nghĩa là gì?", "Mã {0} là gì?", "{0} là gì?"),
}
COLUMNS = {
    "en": (
        "price",
        "capacity",
        "opens",
        "closes",
        "floor",
        "staff",
        "fee",
        "distance (km)",
        "beds",
        "departure",
        "arrival",
        "seats",
        "weight",
        "deposit",
        "rainfall (mm)",
        "2022",
        "2023",
        "2024",
    ),
    "th": (
        "ราคา",
        "ความจุ",
        "เวลาเปิด",
        "เวลาปิด",
        "ชั้น",
        "เจ้าหน้าที่",
        "ค่าธรรมเนียม",
        "ระยะทาง",
        "จำนวนเตียง",
        "ที่นั่ง",
        "น้ำหนัก",
        "เงินมัดจำ",
        "ปริมาณฝน",
    ),
    "vi": (
        "giá",
        "sức chứa",
        "giờ mở cửa",
        "giờ đóng cửa",
        "tầng",
        "nhân viên",
        "phí",
        "khoảng cách",
        "số giường",
        "số ghế",
        "trọng lượng",
        "tiền đặt cọc",
        "lượng mưa",
    ),
}
ROW_HEADS = {
    "en": ("Station", "Room", "Ward", "Route", "Model", "District", "Office", "Item", "Line", "Gate"),
    "th": ("สถานี", "ห้อง", "แผนก", "เส้นทาง", "รุ่น", "เขต", "สำนักงาน", "รายการ", "สาย", "ประตู"),
    "vi": ("Trạm", "Phòng", "Khoa", "Tuyến", "Mẫu", "Quận", "Văn phòng", "Mục", "Dòng", "Cổng"),
}
ROW_QUESTIONS = {
    "en": ("What is the {1} of {0}?", "{1} of {0}?", "What {1} does {0} have?", "Which {1} is given for {0}?"),
    "th": ("{1}ของ{0}คือเท่าไร", "{0} มี{1}เท่าใด", "{1} ของ {0}"),
    "vi": ("{1} của {0} là bao nhiêu?", "{0} có {1} là bao nhiêu?", "{1} {0}?"),
}
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
SENTENCE = re.compile(r"[^.!?。\n]{25,160}[.!?。]")


def made_up(paragraphs: Sequence[Paragraph], count: int, seed: int) -> Iterator[Example]:
    """Yield `count` examples over made-up articles, codes and tables."""
    chance = random.Random(f"made up/{seed}")  # noqa: S311 - a repeatable draw, no secret
    sentences = sentences_of(paragraphs)
    makers = (_articles, _articles, _codes, _tables, _tables)
    for _ in range(count):
        yield chance.choice(makers)(sentences, chance)


def sentences_of(paragraphs: Sequence[Paragraph]) -> dict[str, list[str]]:
    """Return the sentences (for Thai, pieces between blanks) of each language that has at least fifty."""
    found: dict[str, list[str]] = {}
    for paragraph in paragraphs:
        pieces = (
            [part for part in paragraph.text.split(" ") if 20 <= len(part) <= 120]
            if paragraph.language == "th"
            else [match[0].strip() for match in SENTENCE.finditer(paragraph.text)]
        )
        found.setdefault(paragraph.language, []).extend(pieces)
    return {tag: each for tag, each in found.items() if len(each) >= 50}


def _language(sentences: dict[str, list[str]], table: dict[str, tuple[str, ...]], chance: random.Random) -> str:
    # The page's three languages twice as often as all others together.
    first = [tag for tag in ("en", "th", "vi") if tag in sentences]
    rest = [tag for tag in table if tag in sentences and tag not in first]
    return chance.choice(rest) if rest and chance.random() < 0.3 else chance.choice(first)


def _asked_in(language: str, table: dict[str, tuple[str, ...]], chance: random.Random) -> str:
    return language if language in table and chance.random() < 0.7 else chance.choice(["en", "th", "vi"])


def _articles(sentences: dict[str, list[str]], chance: random.Random) -> Example:
    language = _language(sentences, ARTICLE_WORDS, chance)
    word = chance.choice(ARTICLE_WORDS[language])
    start = chance.choice([1, 1, chance.randint(2, 40), chance.randint(100, 300)])
    count = chance.randint(2, 5)
    numbers = list(range(start, start + count))
    thai_digits = language == "th" and chance.random() < 0.4
    separator = chance.choice([" ", ". ", ": ", "\n", " – "])
    text, spans = "", {}
    for number in numbers:
        digits = str(number).translate(THAI_DIGITS) if thai_digits else str(number)
        name = f"第{number}条" if language == "zh" else f"{word} {digits}"
        said = chance.choice(sentences[language])
        text += ("\n" if text else "") + name + separator
        spans[number] = (len(text), len(text) + len(said))
        text += said
    there = chance.random() < 0.5
    number = (
        chance.choice(numbers) if there else chance.choice([start + count + chance.randint(0, 9), start + 10 * count])
    )
    asked_in = _asked_in(language, ARTICLE_QUESTIONS, chance)
    named = _named(asked_in, language, word, number, chance)
    question = chance.choice(ARTICLE_QUESTIONS[asked_in]).format(named)
    return Example(question, text, spans[number] if there else None, "made up/articles")


def _named(asked_in: str, language: str, word: str, number: int, chance: random.Random) -> str:
    if asked_in == "zh":
        return f"第{number}条"
    if asked_in == language:
        chosen = word
    else:
        place = ARTICLE_WORDS[language].index(word) if word in ARTICLE_WORDS[language] else 0
        chosen = ARTICLE_WORDS[asked_in][min(place, len(ARTICLE_WORDS[asked_in]) - 1) if place < 2 else 0]
    digits = str(number)
    if asked_in == "th" and chance.random() < 0.3:
        digits = digits.translate(THAI_DIGITS)
    return f"{chosen.lower() if chance.random() < 0.2 else chosen} {digits}"


def _codes(sentences: dict[str, list[str]], chance: random.Random) -> Example:
    language = _language(sentences, {"en": (), "th": (), "vi": ()}, chance)
    letters = "".join(chance.choice("ABCDEFGHKLMNPRSTUVWX") for _ in range(chance.randint(1, 3)))
    joint = chance.choice(["-", "-", "", " ", "/"])
    count = chance.randint(3, 6)
    base = chance.choice([chance.randint(1, 60), chance.randint(100, 900), chance.randint(1000, 9000)])
    numbers = sorted(chance.sample(range(base, base + 3 * count), count))
    separator = chance.choice([": ", " - ", " – ", " = ", " | "])
    text, spans = "", {}
    for number in numbers:
        said = chance.choice(sentences[language])
        text += ("\n" if text else "") + f"{letters}{joint}{number}{separator}"
        spans[number] = (len(text), len(text) + len(said))
        text += said
    there = chance.random() < 0.5
    missing = [each for each in range(base, base + 4 * count) if each not in spans]
    number = chance.choice(numbers) if there else chance.choice(missing)
    asked_in = _asked_in(language, CODE_QUESTIONS, chance)
    question = chance.choice(CODE_QUESTIONS[asked_in]).format(f"{letters}{joint}{number}")
    return Example(question, text, spans[number] if there else None, "made up/codes")


def _tables(sentences: dict[str, list[str]], chance: random.Random) -> Example:
    language = chance.choice(["en", "th", "vi"])
    head = chance.choice(ROW_HEADS[language])
    columns = chance.sample(COLUMNS[language], chance.randint(2, 4))
    names = [f"{head} {number}" for number in chance.sample(range(1, 99), 5)]
    if chance.random() < 0.5:
        pool = [word for each in chance.sample(sentences[language], 20) for word in each.split() if 3 < len(word) < 14]
        names = [f"{head} {word.strip('.,()').capitalize()}" for word in dict.fromkeys(pool)][:5] or names
    rows = names[: chance.randint(2, 5)]
    cells = {(row, column): _cell(chance) for row in rows for column in columns}
    blank = (chance.choice(rows), chance.choice(columns)) if chance.random() < 0.3 else None
    text, spans = "", {}
    for row in rows:
        text += ("\n" if text else "") + f"{head}: {row.removeprefix(head + ' ')}"
        for column in columns:
            text += f" | {column}: "
            if (row, column) == blank:
                continue
            spans[row, column] = (len(text), len(text) + len(cells[row, column]))
            text += cells[row, column]
    draw = chance.random()
    if blank and draw < 0.4:
        row, column = blank
    elif draw < 0.6:
        row, column = chance.choice(list(spans))
    elif draw < 0.8 and len(names) > len(rows):
        row, column = names[-1], chance.choice(columns)
    else:
        row, column = chance.choice(rows), chance.choice([c for c in COLUMNS[language] if c not in columns])
    asked_in, row_asked, column_asked = language, row, column
    if chance.random() < 0.25:
        asked_in = chance.choice(["en", "th", "vi"])
        if column in COLUMNS[language] and COLUMNS[language].index(column) < len(COLUMNS[asked_in]):
            place = COLUMNS[language].index(column)
            # The lists are parallel only if they are equally long; otherwise the question uses the column as written.
            column_asked = COLUMNS[asked_in][place] if {asked_in, language} == {"th", "vi"} else column
        row_asked = row.replace(head, ROW_HEADS[asked_in][ROW_HEADS[language].index(head)])
    question = chance.choice(ROW_QUESTIONS[asked_in]).format(row_asked, column_asked)
    return Example(question, text, spans.get((row, column)), "made up/tables")


def _cell(chance: random.Random) -> str:
    return chance.choice(
        [
            str(chance.randint(1, 99)),
            f"{chance.randint(1, 99)},{chance.randint(0, 999):03}",
            f"{chance.randint(5, 22)}:{chance.choice(['00', '15', '20', '30', '45'])}",
            f"{chance.randint(1, 99)}.{chance.randint(0, 9)}",
            f"{chance.randint(100, 2000)}",
        ]
    )
