"""The languages of a data set's questions, for formats that don't name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from store.text.language import UNKNOWN, detect_language

LEAST_SHARE = 0.1
"""Of the questions in a file, for a language to count as one that the file is in."""


def question_languages(questions: Iterable[str]) -> dict[str, str | None]:
    """Return the language of each question, by its words. What few questions seem to be in is a mistake.

    A single short question may be all names; a file of one language says what they are in.
    """
    texts = dict.fromkeys(questions)
    detected = {text: detect_language(text) for text in texts}
    counts = Counter(language for language in detected.values() if language != UNKNOWN)
    if not counts:
        return dict.fromkeys(detected)
    main = counts.most_common(1)[0][0]
    real = {tag for tag, count in counts.items() if count >= LEAST_SHARE * len(detected)}
    return {text: language if language in real else main for text, language in detected.items()}
