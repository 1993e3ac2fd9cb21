"""Folds earlier turns into a follow-up question by rules: no model, no library, microseconds.

Three kinds of questions lean on what was said before, and each is completed in its own way:

- a *swap* names one thing and leaves the rest to the question before ("còn năm 2023?"): the thing takes the
  place of its like in that question;
- *anaphora* points back by a pronoun or a demonstrative ("where was it held?"): the name pointed at takes its
  place, or is put in front;
- an *ellipsis* leaves its subject out ("and how many came?"): the topic is put in front.

Anything else stands alone and is returned as it is, so that a change of subject drags nothing along.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

from assistant.answer.topics import (
    TAIL,
    WORDS,
    YEAR,
    language_of,
    names_in,
    topic_of,
    vietnamese_topic,
    words_for,
    words_of,
)
from assistant.types import Message

_TITLED = regex.compile(
    r"(?:Mr|Mrs|Ms|Dr|Prof|Amb|President|Minister|Professor|Ambassador|Chủ tịch|Ông|Bà|ông|bà)\.?\s+"
    r"(?P<name>\p{Lu}[\p{L}\p{M}'’\-]*(?:\s+\p{Lu}[\p{L}\p{M}'’\-]*){0,3})"
)
_MARKERS = regex.compile(r"\[\d+\]")


def standalone(question: str, history: Sequence[Message]) -> str:
    """Return `question` with what it takes from `history` (oldest first) said in it; as it is if it stands alone."""
    standing: str | None = None
    answer = ""
    for message in history:
        if message.role == "user":
            standing = complete(message.text, standing, answer)
        else:
            answer = message.text
    return complete(question, standing, answer)


def complete(question: str, before: str | None, answer: str = "") -> str:
    """`question` completed from the standalone question `before` it and that one's `answer`."""
    text = unicodedata.normalize("NFC", question).strip()
    if not before or not text:
        return question.strip()
    before = unicodedata.normalize("NFC", before).strip()
    language = language_of(text)
    bare, connected = _without_connective(text, language)
    if (thing := _swapped_thing(bare, connected, language)) is not None:
        return _swap(thing, before)
    if (pointed := _anaphor(bare, language)) is not None:
        return _point_back(bare, pointed, before, unicodedata.normalize("NFC", answer))
    if _lacks_subject(bare, connected, language, before):
        return f"{topic_of(before, bare)}: {bare}"
    return question.strip()


def _has_any(text: str, words: tuple[str, ...] | list[str], language: str) -> bool:
    if language == "th":
        return any(word in text for word in words)
    return bool(regex.search(rf"(?i)(?<!\p{{L}})(?:{'|'.join(map(regex.escape, words))})(?!\p{{L}})", text))


def _without_connective(text: str, language: str) -> tuple[str, bool]:
    """The question without "and", "còn", "แล้ว" in front, and whether there was one."""
    boundary = "" if language == "th" else r"(?!\p{L})"
    words = sorted(words_for(language)["connectives"], key=len, reverse=True)
    found = regex.match(rf"(?i)(?:(?:{'|'.join(map(regex.escape, words))}){boundary}[,\s]*)+", text)
    if not found or found.end() == len(text):
        return text, False
    return text[found.end() :].lstrip(), True


def _swapped_thing(bare: str, connected: bool, language: str) -> str | None:
    """What a question such as "what about X?" names, or None where the question is of another kind."""
    core = bare.strip(TAIL)
    if language == "th":
        found = regex.match(r"(?P<x>.+?)\s*(?:ล่ะ|เล่า|ละ)(?:คะ|ครับ|ค่ะ)?$", core)
    elif language == "vi":
        found = regex.match(r"(?i)(?P<x>.+?)\s+(?:thì sao|thì thế nào|thì)$", core)
    else:
        found = regex.match(r"(?i)(?:what|how)\s+about\s+(?P<x>.+)$", core)
    if not found and connected and len(words_of(core)) <= 7:
        found = regex.match(r"(?P<x>.+)$", core)
    if not found:
        return None
    thing: str = found["x"].strip()
    lexicon = words_for(language)
    verbs = ("is", "are", "was", "were", "did", "does", "do", "can", "will", "has", "had") if language == "en" else ()
    if not thing or _has_any(thing, [*lexicon["question_words"], *verbs], language):
        return None
    if connected or not _anaphor(thing, language):
        return None if _is_clause(thing, language, bool(found.re.groups and core != thing)) else thing
    return None


def _is_clause(thing: str, language: str, marked: bool) -> bool:
    """Whether an unmarked remainder is a statement rather than the name of a thing."""
    if marked:
        return False
    if language == "th":
        return len(thing) > 40
    if language == "vi":
        return bool(_has_any(thing, ["có", "đã", "được", "không"], language))
    return False


def _swap(thing: str, before: str) -> str:
    """`before` with its like replaced by `thing`: year by year, name by name, else the last object."""
    if (year := YEAR.search(thing)) and (old := YEAR.search(before)):
        if len(words_of(thing)) <= 3:
            return before[: old.start()] + year.group() + before[old.end() :]
        return f"{thing}: {before}"
    if year and len(words_of(thing)) <= 3:
        return f"{before.rstrip(TAIL)} {thing}?"
    lead = regex.match(r"(?i)(?:in|at|for|on|from|by|with|of|ở|tại|trong|ใน|ที่)\s+(?=\S)", thing)
    core = thing[lead.end() :] if lead else thing
    names = names_in(before)
    is_name = bool(names_in(f"x {core}"))
    if is_name and names:
        old_name = names[-1] if lead else names[0]
        return before.replace(old_name, core, 1)
    tail = regex.search(
        r"(?i)(?<=\s)(?:about|of|for|on|in|at|to|from|with|by|về|của|ở|tại|trong|cho)\s+(?P<x>[^?]+?)\s*\??$",
        before,
    )
    if tail and not regex.search(r"\p{Thai}", before):
        return f"{before[: tail.start('x')]}{core}?"
    return f"{core}: {before}"


def _anaphor(text: str, language: str) -> str | None:
    """The word or phrase that points outside the question, or None."""
    if language == "th":
        hidden = text
        for word in WORDS["th"]["not_anaphora"]:
            hidden = hidden.replace(word, " " * len(word))
        for head in WORDS["th"]["noun_heads"]:
            for word in ("ดังกล่าว", "นั้น", "นี้", "ครั้งนั้น", "ครั้งนี้"):
                if head + word in hidden:
                    return head + word
        return next((word for word in WORDS["th"]["anaphora"] if word in hidden), None)
    if language == "vi":
        demonstrative = regex.search(
            r"(?i)(?:(?:những|các|cuộc|sự|bức|buổi|bản)\s+)?(?:\p{L}+\s+){1,2}(?:này|đó|ấy|trên)(?!\p{L})",
            text,
        )
        found = regex.search(rf"(?i)(?<!\p{{L}})(?:{'|'.join(WORDS['vi']['anaphora'])})(?!\p{{L}})(?!\s+tên)", text)
        either = found or demonstrative
        return either.group() if either else None
    return _english_anaphor(text)


def _english_anaphor(text: str) -> str | None:
    if found := regex.search(
        rf"(?i)\b(?:this|that|these|those)\s+(?:{'|'.join(WORDS['en']['nouns_pointed_at'])})s?\b", text
    ):
        return str(found.group())
    if regex.search(r"(?i)\b(?:is|was|isn't)\s+it\s+(?:true|possible|raining|safe|legal|ok|better|worth)\b", text):
        return None
    if regex.search(r"(?i)\bit\s+takes?\s+to\b|\bdoes\s+it\s+take\s+to\b|\bwhat\s+time\s+is\s+it\b", text):
        return None
    names = [text.find(name) for name in names_in(text)]
    pronouns = "|".join((*WORDS["en"]["persons"], *WORDS["en"]["things"]))
    for found in regex.finditer(rf"(?i)\b(?:{pronouns})\b", text):
        if not any(0 <= start < found.start() for start in names):
            return str(found.group())
    tail = regex.search(r"(?i)\b(?:there|then|that|this|those|these)\s*[?.!]*$", text)
    lead = regex.search(r"(?i)\b(?:is|was|were|are|did|does)\s+(?:that|this|those|these)\b(?!\s+\p{L}+\s+of\b)", text)
    either = tail or lead
    return str(either.group()) if either else None


def _point_back(bare: str, pointed: str, before: str, answer: str) -> str:
    """Puts the name that `pointed` stands for in its place, or the topic in front of the question."""
    word = pointed.lower()
    names = names_in(before)
    asked_who = bool(regex.match(r"(?i)\W*(?:and\s+)?who\b|.*(?<!\p{L})ai(?!\p{L})|.*ใคร", before))
    person = word in WORDS["en"]["persons"] or word in WORDS["vi"]["persons"]
    referent = names[0] if names else None
    if asked_who and (person or word in WORDS["en"]["things"]) and (named := _person_in(answer, before)):
        referent = named
    if not regex.search(r"\p{Thai}", before) and language_of(before) == "vi":
        referent = referent if person and asked_who else vietnamese_topic(before.strip(TAIL))
    replaceable = (
        person
        or word in WORDS["en"]["things"]
        or (word.split()[0] in {"this", "that", "these", "those"} and " " in word)
    )
    if referent is None or not replaceable:
        return f"{topic_of(before, bare)}: {bare}"
    possessive = word in {"its", "their", "theirs", "his", "hers"} or (
        word == "her" and regex.search(r"(?i)\bher\s+\p{L}", bare) is not None
    )
    placed = f"{referent}'s" if possessive else referent
    if word.split()[0] in {"this", "that", "these", "those"} or (
        word in {"it", "they", "them"} and _takes_article(referent)
    ):
        placed = f"the {placed}" if not regex.match(r"(?i)the\b", placed) and _takes_article(referent) else placed
    return regex.sub(rf"(?i)(?<!\p{{L}}){regex.escape(pointed)}(?!\p{{L}})", lambda _: placed, bare, count=1)


def _takes_article(name: str) -> bool:
    nouns = WORDS["en"]["nouns_with_article"]
    return any(word in nouns for word in words_of(name))


def _person_in(answer: str, before: str) -> str | None:
    """The first name of an answer that its question didn't hold: titled ones first."""
    text = regex.sub(r"^(?:According to|Theo)\s+[^,:]+[,:]", "", _MARKERS.sub("", answer)).strip()
    if titled := _TITLED.search(text):
        return str(titled["name"])
    for name in names_in(text, initial=True):
        if name not in before and len(name.split()) >= 2:
            return name
    return None


def _lacks_subject(bare: str, connected: bool, language: str, before: str) -> bool:
    """Whether a question names nothing of its own to be asked about."""
    if language == "th":
        return _thai_content(bare) <= (8 if connected else 3) and not regex.search(r"\p{Lu}\p{L}{2}|\d{4}", bare)
    if names_in(bare):
        return False
    lexicon = words_for(language)
    known = {*lexicon["function_words"], *lexicon["generic_words"], *lexicon["question_words"]}
    content = [word for word in words_of(bare) if word not in known and not any(c.isdigit() for c in word)]
    asks = _has_any(bare, lexicon["question_words"], language) or bare.endswith("?")
    if not content:
        return asks or connected
    shared = sum(word in words_of(before) for word in content)
    if language == "vi":
        return connected and len(content) <= 3
    definite = bool(regex.search(r"(?i)\bthe\s+\p{L}+", bare))
    return (connected and len(content) <= 2) or (definite and len(content) <= 2 and shared == len(content))


def _thai_content(text: str) -> int:
    """How many letters remain of a Thai question after its function, question and relational words."""
    words = sorted(
        (*WORDS["th"]["question_words"], *WORDS["th"]["function_words"], *WORDS["th"]["generic_words"]),
        key=len,
        reverse=True,
    )
    # "น้ำมัน" (oil) is a thing of its own, though its end reads "it".
    whole = [word for word in WORDS["th"]["not_anaphora"] if word in text and not word.endswith("นี้")]
    for word in whole:
        text = text.replace(word, " ")
    rest = regex.sub("|".join(map(regex.escape, words)), "", text)
    return len(regex.findall(r"[\p{L}]", "".join((rest, *whole))))
