"""What errors say, in the interface's language.

Errors are raised in English, far from any page, and logs and commands show them so. Here a sentence is known again by
its English template among the page's words, ``said.*``, and said by the same template of another language.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.server.strings import DEFAULT, Strings, strings

SAID = "said."
"""What their keys begin with."""
_OTHER = "said.other"


def said(sentence: str, words: Strings) -> str:
    """`sentence` in the language of `words`; one that has no template there is shown as it is, and called English."""
    if words.language == DEFAULT or not sentence:
        return sentence
    for key, pattern in _templates():
        found = pattern.fullmatch(sentence)
        if found:
            return words(key, **found.groupdict()) if found.groupdict() else words(key)
    return words(_OTHER, sentence=sentence)


@cache
def _templates() -> tuple[tuple[str, re.Pattern[str]], ...]:
    templates = ((key, value) for key, value in strings(DEFAULT).words.items() if key.startswith(SAID))
    return tuple((key, _pattern(value)) for key, value in templates if key != _OTHER)


def _pattern(template: str) -> re.Pattern[str]:
    literals = re.split(r"{(\w+)}", template)
    parts = [f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(literals)]
    return re.compile("".join(parts), re.DOTALL)
