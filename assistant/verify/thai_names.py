"""Find names in Thai, which has no capital letters: known places, words in no dictionary, and names after titles."""

from __future__ import annotations

from functools import cache

import regex

from assistant.verify.phonetics import LATIN_WORD, latin_consonants, occurs, thai_consonants
from assistant.verify.places import entities_of, mentions, thai_names

_THAI_TITLES = regex.compile(
    r"(?:นางสาว|นาย|นาง|ดร\.|(?:รอง|ผู้ช่วย)?ศาสตราจารย์|ประธานาธิบดี|เอกอัครราชทูต|พลเอก|พลตรี|มร\.)\s?(?P<name>\p{Thai}{3,})"
)


@cache
def _thai_dictionary() -> frozenset[str]:
    from pythainlp.corpus import thai_words

    return frozenset(thai_words())


def thai_name_candidates(text: str) -> list[str]:
    """Return the Thai sequences that are surely names: known places and peoples, words in no dictionary."""
    from pythainlp.tokenize.newmm import segment

    candidates = []
    for run in regex.findall(r"\p{Thai}+", text):
        tokens = segment(run)
        boundaries = {0}
        position = 0
        for token in tokens:
            position += len(token)
            boundaries.add(position)
        taken: set[int] = set()
        for match in thai_names().finditer(run, overlapped=True):
            if match.start() in boundaries and match.end() in boundaries and match.start() not in taken:
                candidates.append(match.group())
                taken |= set(range(*match.span()))
        candidates += [match["name"] for match in _THAI_TITLES.finditer(run)]
        position = 0
        unknown = ""
        for token in [*tokens, ""]:
            known = token in _thai_dictionary() or position in taken or not token
            if not known or (unknown and 0 < len(token) <= 2 and not taken & {position}):
                unknown += token
            else:
                if len(latin := thai_consonants(unknown)) >= 3 and len(unknown) >= 4 and latin:
                    candidates.append(unknown)
                unknown = ""
            position += len(token)
    return candidates


def thai_name_borne(name: str, borne: str) -> bool:
    """Return whether `borne` (quotes and their documents' metadata, folded) has a Thai name, in any script."""
    if entities := entities_of(name):
        return mentions(borne, entities)
    if _without_tones(name) in _without_tones(borne):
        return True
    sounds = thai_consonants(name)
    if occurs(sounds, thai_consonants(borne)):
        return True
    latin = " ".join(match.group() for match in LATIN_WORD.finditer(borne))
    return occurs(sounds, latin_consonants(latin))


def _without_tones(text: str) -> str:
    return regex.sub(r"[\u0e47-\u0e4e\s]", "", text)
