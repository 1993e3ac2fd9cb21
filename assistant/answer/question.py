"""What a question may be, and the form in which it is asked."""

from __future__ import annotations

import re
import unicodedata

from store.errors import QuestionError

LONGEST_QUESTION = 20_000
"""Code points: ten pages. Whoever pastes more means to add a document."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_question(question: str) -> str:
    """`question` in NFC without control characters and the blanks around it.

    Raises QuestionError for one that is blank or longer than `LONGEST_QUESTION`.
    """
    cleaned = unicodedata.normalize("NFC", _CONTROLS.sub("", question[: LONGEST_QUESTION + 1])).strip()
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters and {LONGEST_QUESTION:,} is the most: ask a shorter one, "
            "or add the text as a document."
        )
    if not any(unicodedata.category(character)[0] in "LNSM" for character in cleaned):
        raise QuestionError("The question is empty: write what you want to know.")
    return cleaned
