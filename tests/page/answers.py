"""Provide hand-made answers of every kind, in three languages, over the documents of `tests.page.scripted`."""

from __future__ import annotations

from typing import Any

from assistant.types import Answer, AnswerSpan, Evidence, Section, ShortAnswer, Source
from tests.page.scripted import FORUM, RIVER, STATEMENT

TEXTS = {"statement": STATEMENT, "forum": FORUM, "river": RIVER}
SOURCES = {
    "statement": ("Statement on rivers", "River Council", "2021-05-02", "en"),
    "forum": ("การประชุมว่าด้วยแม่น้ำ", "สำนักข่าวสายน้ำ", "2021-03", "th"),
    "river": ("Thông cáo về dòng sông", "Quỹ Dòng Sông", "2019", "vi"),
}


def source(name: str) -> Source:
    """The document of that name as answers name it."""
    title, speaker, published, language = SOURCES[name]
    return Source(
        id=name, title=title, speaker=speaker, published=published, language=language,
        uri=f"/documents/{name}.txt", sha256="0",
    )  # fmt: skip


def evidence(key: int, name: str, words: str) -> Evidence:
    """The line of a document that holds `words`."""
    text = TEXTS[name]
    start = text.rfind("\n", 0, text.index(words)) + 1
    end = text.index("\n", start)
    return Evidence(
        key=key, document=source(name), passage_id=f"{name}:0", start=start, end=end, quote=text[start:end],
        language=SOURCES[name][3], score=1.0,
    )  # fmt: skip


def span(item: Evidence, words: str) -> AnswerSpan:
    """The words of a quote that answer."""
    start = item.start + item.quote.index(words)
    return AnswerSpan(key=item.key, start=start, end=start + len(words), text=words)


def answer(question: str, language: str = "en", **more: Any) -> Answer:
    """An answer with usual values for what `more` doesn't give."""
    given: dict[str, Any] = {
        "question": question,
        "standalone_question": question,
        "language": language,
        "answered": True,
        "confidence": 0.93,
        "mode": "quotes",
        "text": "",
        "timings_ms": {"total": 6.0},
    }
    return Answer(**(given | more))


BELLS = evidence(1, "statement", "34 villages")
KEEP = evidence(2, "statement", "keep a warning bell")
FLOODS = evidence(3, "statement", "twelve million")
CHIANG_MAI = evidence(1, "forum", "เชียงใหม่")
CAN_THO = evidence(1, "river", "Cần Thơ")
FUND = evidence(2, "river", "34 làng")

SHORT = answer(
    "And how many of them?", standalone_question="How many villages have warning bells?",
    short_answer=ShortAnswer(spans=(span(BELLS, "34 villages"),), confidence=0.9), evidence=(BELLS, KEEP, FLOODS),
    text="34 villages. River Council: “The first …” [1]",
)  # fmt: skip
THAI = answer(
    "การประชุมจัดขึ้นที่ไหน", "th", short_answer=ShortAnswer(spans=(span(CHIANG_MAI, "เชียงใหม่"),), confidence=0.9),
    evidence=(CHIANG_MAI,),
)  # fmt: skip
VIETNAMESE = answer(
    "Hội nghị đầu tiên được tổ chức ở đâu, năm nào?", "vi", evidence=(CAN_THO, FUND),
    short_answer=ShortAnswer(spans=(span(CAN_THO, "Cần Thơ"), span(CAN_THO, "năm 2019")), confidence=0.9),
)  # fmt: skip
QUOTED = answer(
    "What do the documents say about bells?",
    evidence=(KEEP.model_copy(update={"key": 1}), BELLS.model_copy(update={"key": 2})),
    text=f"River Council: “{KEEP.quote}” [1]\nRiver Council: “{BELLS.quote}” [2]",
)  # fmt: skip
LIST = answer("What did the council ask for?", kind="list", evidence=(BELLS, KEEP, FLOODS), total=7)
COMPARISON = answer(
    "Compare the council and the fund on villages", kind="comparison", evidence=(BELLS, FUND, FLOODS),
    sections=(Section(title="River Council", keys=(1,)), Section(title="Quỹ Dòng Sông", keys=(2,)),
              Section(title="สำนักข่าวสายน้ำ")),
)  # fmt: skip
OVERVIEW = answer(
    "What is the statement about?", kind="overview", evidence=(BELLS, KEEP, FLOODS),
    sections=(Section(title="Bells", keys=(1, 2)), Section(title="Floods", keys=(3,))),
)  # fmt: skip
LIBRARY = answer(
    "Which documents are there?", kind="library", text="There are 4 documents.", total=4,
    documents=(source("statement"), source("forum"), source("river")),
)  # fmt: skip
TALK = answer("Thanks!", kind="talk", text="You're welcome. Ask me about your documents.")
NOT_SAID = answer(
    "Who rang the first bell?", answered=False, abstain_reason="not_said", confidence=0.2,
    text="The documents don't say who rang it.", evidence=(BELLS, KEEP),
)  # fmt: skip
ALL = {
    "short": SHORT, "thai": THAI, "vietnamese": VIETNAMESE, "quoted": QUOTED, "list": LIST, "comparison": COMPARISON,
    "overview": OVERVIEW, "library": LIBRARY, "talk": TALK, "not_said": NOT_SAID,
}  # fmt: skip
