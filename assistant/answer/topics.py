"""What a question is about: its language, its names, its topic, by word lists and letter case alone."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import regex
import yaml

_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’\-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*")
YEAR = regex.compile(r"(?<!\d)(?:1[5-9]|2[0-6])\d\d(?!\d)")
_NAME = regex.compile(
    r"""(?<![\p{L}\p{N}])
    (?:(?:19|20)\d\d\s+)?
    \p{Lu}[\p{L}\p{M}\p{N}.'’\-]*
    (?:\s+(?:(?:of|on|the|and|for|in|de|la|von|van)\s+)*(?:\p{Lu}[\p{L}\p{M}\p{N}.'’\-]*|(?:19|20)\d\d))*""",
    regex.VERBOSE,
)
_VIETNAMESE_LETTER = regex.compile(r"(?i)[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
_VIETNAMESE_WORD = regex.compile(
    r"(?i)(?<!\p{L})(?:khi|nào|còn|gì|sao|tại|vì|có|là|và|không|đã|ai|bao|mấy|cho|theo)(?!\p{L})"
)
TAIL = "?？.!។ \t\n"


def _load(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    lists = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: {
            name: tuple(word.strip() for word in words.split("," if "," in words else None))
            for name, words in groups.items()
        }
        for language, groups in lists.items()
    }


WORDS = _load(Path(__file__).with_name("followups.yaml"))


def words_for(language: str) -> dict[str, tuple[str, ...]]:
    """The word lists of a language that there are lists for, else those of English."""
    return WORDS.get(language, WORDS["en"])


def language_of(text: str) -> str:
    """``th``, ``vi`` or ``en`` (whatever else counts as the last), by letters and small words.

    Names don't tell: an English sentence may well be about Nguyễn Thị Lan or สี จิ้นผิง.
    """
    text = unicodedata.normalize("NFC", text)
    thai, latin = len(regex.findall(r"\p{Thai}", text)), len(regex.findall(r"\p{Latin}", text))
    if thai and thai >= 0.4 * latin:
        return "th"
    small = [word for word in regex.findall(r"[\p{L}\p{M}]+", text) if not word[0].isupper()]
    vietnamese = sum(bool(_VIETNAMESE_LETTER.search(word) or _VIETNAMESE_WORD.fullmatch(word)) for word in small)
    if small:
        return "vi" if vietnamese >= max(1, 0.15 * len(small)) else "en"
    return "vi" if _VIETNAMESE_LETTER.search(text) or _VIETNAMESE_WORD.search(text) else "en"


def words_of(text: str) -> list[str]:
    """The words of `text` in order, lower-cased; Thai runs between spaces count as one."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def names_in(text: str, *, initial: bool = False) -> list[str]:
    """Capitalized names in order, with their year; the first word of the text only where `initial`."""
    known = {
        *WORDS["en"]["question_words"],
        *WORDS["en"]["function_words"],
        *WORDS["vi"]["question_words"],
        *WORDS["vi"]["function_words"],
    }
    months = WORDS["en"]["months"]
    found = []
    for match in _NAME.finditer(text):
        name = match.group().strip(" .'’-")
        words = name.split()
        while words and words[0].lower() in known | {*WORDS["en"]["generic_words"]}:
            words = words[1:]
        at_start = match.start() == 0 or text[: match.start()].rstrip()[-1:] in {".", "?", "!", ":", '"', "“"}
        if at_start and not initial and len(words) == len(name.split()) and len(words) < 2 and not words[0].isupper():
            continue
        name = " ".join(words)
        if words and name.lower() not in months and not name.isdigit():
            found.append(name)
    return found


def topic_of(question: str, followup: str = "") -> str:
    """What a question is about: its names, else what remains without the words that only ask.

    A follow-up that asks for the reason of what was said ("why?") is about the whole question.
    """
    core = question.strip(TAIL)
    language = language_of(core)
    if regex.search(r"^[^:]{3,80}: ", core):
        return core.split(": ", 1)[0]
    if _asks_why(followup):
        return core
    if language == "th":
        return _thai_topic(core)
    if language == "vi":
        return vietnamese_topic(core)
    if names := names_in(core):
        years = [year for year in YEAR.findall(core) if not any(year in name for name in names)]
        return " ".join([", ".join(dict.fromkeys(names)), *years])
    lexicon = words_for(language)
    asking = {
        *lexicon["question_words"],
        *(lexicon["function_words"] if language == "en" else ("là", "có", "không", "đã")),
    }
    phrase = core
    for word in sorted(lexicon["question_words"], key=len, reverse=True):
        phrase = regex.sub(rf"(?i)(?<!\p{{L}}){regex.escape(word)}(?!\p{{L}})", " ", phrase)
    words = phrase.split()
    while words and words[0].lower() in asking:
        words = words[1:]
    while words and words[-1].lower() in asking:
        words = words[:-1]
    return " ".join(words) or core


def _asks_why(text: str) -> bool:
    return text.strip(TAIL).lower() in {
        "why",
        "why not",
        "how",
        "how so",
        "tại sao",
        "vì sao",
        "ทำไม",
        "เพราะอะไร",
        "เพราะเหตุใด",
    }


def vietnamese_topic(core: str) -> str:
    """The words from the first that is neither asking nor a verb up to the next verb."""
    yes_or_no = core.lower().endswith(("không", "chưa"))
    phrase = core
    for word in sorted(WORDS["vi"]["question_words"], key=len, reverse=True):
        phrase = regex.sub(rf"(?i)(?<!\p{{L}}){regex.escape(word)}(?!\p{{L}})", " ", phrase)
    verbs = "|".join(WORDS["vi"]["verbs"])
    lead = rf"(?i)^\s*(?:(?:có|là|người|những|các|ở|vào|năm nào|đã|{verbs})(?!\p{{L}})\s*)+"
    phrase = regex.sub(lead, "", phrase.strip())
    ends = rf"(?i)\s(?:{verbs}{'' if yes_or_no else '|có|là|được|đã|do|bị'})(?!\p{{L}}).*$"
    name = regex.sub(ends, "", phrase)
    name = regex.sub(
        r"(?i)\s+(?:không|chưa|ở|của|những|vào|là|từ|bằng|trong|thế|như|điều|dài|cao|rộng)\s*$",
        "",
        name.strip(),
    )
    years = [year for year in YEAR.findall(core) if year not in name]
    return " ".join([" ".join(name.split()), *years]).strip() or core


def _thai_topic(core: str) -> str:
    words = sorted(WORDS["th"]["question_words"], key=len, reverse=True)
    rest = regex.sub("|".join(map(regex.escape, words)), " ", core).strip()
    starts = [(rest.find(head), head) for head in WORDS["th"]["noun_heads"] if head in rest]
    if starts:
        start, head = min(starts)
        phrase = rest[start:]
        ends = [phrase.find(verb, len(head) + 2) for verb in WORDS["th"]["verbs"]]
        if ends := [end for end in ends if end > 0]:
            phrase = phrase[: min(ends)]
        years = [year for year in regex.findall(r"\d{4}", rest) if year not in phrase]
        return " ".join([regex.sub(r"\s+", " ", phrase).strip(), *years])
    return regex.sub(r"\s+", " ", rest).strip() or core
