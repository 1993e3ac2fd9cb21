"""Complete a follow-up question from earlier turns by rules: no model, no library, microseconds.

Three kinds of questions depend on what was said before. Each is completed in its own way:

- a *swap* names one thing and leaves the rest to the previous question ("còn năm 2023?"): the thing replaces the
  matching part of that question;
- *anaphora* points back by a pronoun or a demonstrative ("where was it held?"): the name replaces it, or is put in
  front;
- an *ellipsis* leaves its subject out ("and how many came?"): the topic is put in front.

Any other question stands alone and is returned unchanged, so that a change of subject carries nothing along.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import regex

from assistant.answer.dialogue.question_names import TAIL, YEAR, names_in, words_of
from assistant.answer.dialogue.substitution import in_its_place, in_row
from assistant.types import Message
from assistant.verify.language_rules import DEFAULT, LanguageRules, all_rules, rules_of_text

_TITLED = regex.compile(
    r"(?:Mr|Mrs|Ms|Dr|Prof|Amb|President|Minister|Professor|Ambassador|Chủ tịch|Ông|Bà|ông|bà)\.?\s+"
    r"(?P<name>\p{Lu}[\p{L}\p{M}'’\-]*(?:\s+\p{Lu}[\p{L}\p{M}'’\-]*){0,3})"
)
Completion = Callable[[str, str | None, str], str]
"""Takes a question, the standalone question before it and that one's answer."""
SUBJECT_LETTERS = 14
"""In languages without blanks between words, a question with this many letters of content names a subject."""
_MARKERS = regex.compile(r"\[\d+\]")


def standalone(question: str, history: Sequence[Message]) -> str:
    """Return `question` completed from `history` (oldest first); unchanged if it stands alone."""
    return standalone_questions((*history, Message("user", question)))[-1]


def standalone_questions(history: Sequence[Message], completed: Completion | None = None) -> list[str]:
    """Return each question of `history` (oldest first), completed from what was said before it: by `complete`, or
    by another way to do so.
    """
    completed = completed or complete
    found: list[str] = []
    answer = ""
    for message in history:
        if message.role == "user":
            found.append(completed(message.text, found[-1] if found else None, answer))
        else:
            answer = message.text
    return found


def complete(question: str, before: str | None, answer: str = "") -> str:
    """Return `question` completed from the standalone question `before` it and that one's `answer`."""
    text = unicodedata.normalize("NFC", question).strip()
    if not before or not text:
        return question.strip()
    before = unicodedata.normalize("NFC", before).strip()
    language = _language_of(text, before)
    bare, connected = _without_connective(text, language)
    if (thing := _swapped_thing(bare, connected, language, before)) is not None:
        return in_its_place(thing, before)
    if (pointed := _anaphor(bare, language)) is not None:
        return _point_back(bare, pointed, before, unicodedata.normalize("NFC", answer))
    if _lacks_subject(bare, connected, language, before):
        return f"{topic_of(before)}: {bare}"
    return question.strip()


def _language_of(text: str, before: str) -> LanguageRules:
    """Return the data of a follow-up's language; a very short one is recognized by how it asks about another thing."""
    language = rules_of_text(text, before)
    for each in (language, *all_rules().values()):
        if each.pattern("swap").match(_without_connective(text, each)[0].strip(TAIL)):
            return each
    return language


def swapped_thing(question: str, before: str) -> str | None:
    """Return the thing that a follow-up names, if it leaves the rest to the question `before` it; otherwise None."""
    text = unicodedata.normalize("NFC", question).strip()
    language = _language_of(text, before)
    return _swapped_thing(*_without_connective(text, language), language, before)


def names_subject(question: str) -> bool:
    """Return whether a question says what it is about, so that later ones can depend on it."""
    language = rules_of_text(question)
    if not language.is_spaced:
        return _letters_of_content(question, language) >= SUBJECT_LETTERS
    return bool(names_in(question))


def _without_connective(text: str, language: LanguageRules) -> tuple[str, bool]:
    """Return the question without "and", "còn", "แล้ว" in front, and whether it had one."""
    found = regex.match(rf"(?i)(?:{language.any_of(language.words('connectives')).pattern}[,\s]*)+", text)
    kept = language.words("not_connectives")
    if not found or found.end() == len(text) or (kept and language.any_of(kept).match(text)):
        return text, False
    return text[found.end() :].lstrip(), True


def _swapped_thing(bare: str, connected: bool, language: LanguageRules, before: str) -> str | None:
    """Return the thing that a question such as "what about X?" names; None for other questions.

    "The other ones" names nothing by itself, and "the second" only if the first was asked about.
    """
    core = bare.strip(TAIL)
    found = language.pattern("swap").match(core)
    if not found and not (connected and len(words_of(core)) <= 7):
        return None
    thing: str = (found["x"] if found else core).strip()
    if not thing or language.any_of(language.words("question_words", "auxiliaries")).search(thing):
        return None
    if language.is_spaced and not _names_a_thing(thing, language):
        return thing if in_row(thing, before) is not None else None
    return thing if connected or not _anaphor(thing, language) else None


def _names_a_thing(thing: str, language: LanguageRules) -> bool:
    """Return whether words say more than a position in a series, and more than "the other ones"."""
    rest = language.pattern("ordinals").sub(" ", thing)
    return not {*words_of(rest)} <= {*language.words("function_words")}


def _anaphor(text: str, language: LanguageRules) -> str | None:
    """Return the word or phrase that refers to something outside the question, or None."""
    if language.language == DEFAULT:
        return _english_anaphor(text, language)
    hidden = language.any_of(language.words("not_anaphora")).sub(lambda match: " " * len(match.group()), text)
    found = language.pattern("pointing").search(hidden) or language.any_of(language.words("anaphora")).search(hidden)
    return found.group() if found else None


def _english_anaphor(text: str, english: LanguageRules) -> str | None:
    if found := regex.search(
        rf"(?i)\b(?:this|that|these|those)\s+(?:{'|'.join(english.words('nouns_pointed_at'))})s?\b", text
    ):
        return str(found.group())
    if regex.search(r"(?i)\b(?:is|was|isn't)\s+it\s+(?:true|possible|raining|safe|legal|ok|better|worth)\b", text):
        return None
    if regex.search(r"(?i)\bit\s+takes?\s+to\b|\bdoes\s+it\s+take\s+to\b|\bwhat\s+time\s+is\s+it\b", text):
        return None
    names = [text.find(name) for name in names_in(text)]
    pronouns = "|".join(english.words("persons", "things"))
    for found in regex.finditer(rf"(?i)\b(?:{pronouns})\b", text):
        if not any(0 <= start < found.start() for start in names):
            return str(found.group())
    tail = regex.search(r"(?i)\b(?:there|then|that|this|those|these)\s*[?.!]*$", text)
    lead = regex.search(r"(?i)\b(?:is|was|were|are|did|does)\s+(?:that|this|those|these)\b(?!\s+\p{L}+\s+of\b)", text)
    either = tail or lead
    return str(either.group()) if either else None


def _point_back(bare: str, pointed: str, before: str, answer: str) -> str:
    """Return the question with `pointed` replaced by the name it stands for, or with the topic in front."""
    word = pointed.lower()
    names = names_in(before)
    asked_who = any(each.pattern("asks_who").search(before) for each in all_rules().values())
    person = any(word in each.words("persons") for each in all_rules().values())
    thing = any(word in each.words("things") for each in all_rules().values())
    referent = names[0] if names else None
    if asked_who and person and (named := _person_in(answer, before)):
        referent = named
    elif rules_of_text(before).language != DEFAULT:
        referent = referent if person and asked_who else topic_of(before)
    demonstrative = word.split()[0] in {"this", "that", "these", "those"}
    if referent is None or not (person or thing or (demonstrative and " " in word)):
        return f"{topic_of(before)}: {bare}"
    possessive = word in {"its", "their", "theirs", "his", "hers"} or (
        word == "her" and regex.search(r"(?i)\bher\s+\p{L}", bare) is not None
    )
    placed = f"{referent}'s" if possessive else referent
    return regex.sub(rf"(?i)(?<!\p{{L}}){regex.escape(pointed)}(?!\p{{L}})", lambda _: placed, bare, count=1)


def _person_in(answer: str, before: str) -> str | None:
    """Return the first name of an answer that its question didn't have; names with titles first."""
    for said in answer.split("\n\n"):  # The first paragraph has the words that answer best.
        text = regex.sub(r"^(?:According to|Theo)\s+[^,:]+[,:]", "", _MARKERS.sub("", said)).strip()
        if titled := _TITLED.search(text):
            return str(titled["name"])
        for name in names_in(text, initial=True):
            if name not in before and len(name.split()) >= 2:
                return name
    return None


def _lacks_subject(bare: str, connected: bool, language: LanguageRules, before: str) -> bool:
    """Return whether a question doesn't name anything that it could be about."""
    if not language.is_spaced:
        most = 8 if connected else 3
        return _letters_of_content(bare, language) <= most and not regex.search(r"\p{Lu}\p{L}{2}|\d{4}", bare)
    if names_in(bare):
        return False
    known = {*language.words("function_words", "generic_words", "question_words")}
    content = [word for word in words_of(bare) if word not in known and not any(c.isdigit() for c in word)]
    asks = language.any_of(language.words("question_words")).search(bare) or bare.endswith("?")
    if not content:
        return bool(asks) or connected
    if connected and len(content) <= (2 if language.language == DEFAULT else 3):
        return True
    shared = sum(word in words_of(before) for word in content)
    definite = regex.search(r"(?i)\bthe\s+\p{L}+", bare)
    return bool(definite) and len(content) <= 2 and shared == len(content)


def _letters_of_content(text: str, language: LanguageRules) -> int:
    """Return how many letters remain of a question without its function, question and relational words."""
    # "น้ำมัน" (oil) is a word of its own, though its end reads "it".
    whole = [word for word in language.words("not_anaphora") if word in text and not word.endswith("นี้")]
    for word in whole:
        text = text.replace(word, " ")
    rest = language.any_of(language.words("question_words", "function_words", "generic_words")).sub("", text)
    return len(regex.findall(r"\p{L}", "".join((rest, *whole))))


def topic_of(question: str) -> str:
    """Return what a question is about: its names, or what remains without the words that only ask."""
    core = question.strip(TAIL)
    if regex.search(r"^[^:]{3,80}: ", core):
        return core.split(": ", 1)[0]
    language = rules_of_text(core)
    if language.language == DEFAULT and (names := names_in(core)):
        years = [year for year in YEAR.findall(core) if not any(year in name for name in names)]
        return " ".join([", ".join(dict.fromkeys(names)), *years])
    rest = language.cues("interrogatives").sub(" ", core)
    rest = language.any_of(language.words("question_words")).sub(" ", rest)
    left = rest.split()
    while len(left) > 1 and left[0].lower() in language.words("auxiliaries"):
        left = left[1:]
    return " ".join(left) or core
