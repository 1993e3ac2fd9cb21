"""Names of a claim that its quotes don't bear, in Latin letters and in Thai, matched across scripts with care.

A name is accused only where it is surely one and surely absent: not in the words quoted, nor in what is known of
the document (title, speaker), nor there under a name in another language, nor by the sound of its consonants.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import regex

from assistant.verify.places import entities_of, mentions, thai_names
from assistant.verify.text import has_thai

_TITLE_WORDS = (
    "mr mrs ms dr prof professor president minister ambassador amb secretary director chairman chairwoman chair king "
    "queen prince princess sir lady general vice deputy premier chancellor senator judge"
).split()  # noqa: SIM905
_COMMON = frozenset(
    (
        "the a an this that these those it its they their he she his her we our you your i in on at to for from by with "
        "about into over under between among during after before since until of and or but nor so yet as if when while "
        "where which who whom whose what why how not no yes all any some many most more few several both each every "
        "other another such same one two three four five six seven eight nine ten first second third there here also "
        "however therefore thus moreover furthermore additionally finally then according despite although because "
        "participants people countries states members experts scholars representatives supporters opponents critics "
        "only even still just nearly almost approximately around currently today later earlier meanwhile overall "
        "là của và ở tại trong ngoài trên dưới vào từ đến cho với về bởi do để thì mà đã đang sẽ được bị có không "
        "theo ông bà anh chị năm ngày tháng các những một hai ba bốn sáu bảy tám chín mười gần hơn khoảng tuy nhưng "
        "nếu khi này đó họ nó cũng chỉ mỗi mọi tất cả ngoài ra người nước hội kỳ lần thứ chủ đề sự việc cuộc diễn đàn "
        "quốc gia đại diện đại biểu trọng tâm mục tiêu thông cáo văn bản sau trước vì nên bên phía số"
    ).split()
)
_GENERIC = frozenset(
    (
        "council committee commission assembly forum conference summit meeting session workshop seminar ministry "
        "minister office agency department bureau institute university college school academy center centre association "
        "organization organisation organizations union federation alliance foundation fund bank company group party "
        "government state states parliament court president secretary director chair chairman chairperson professor "
        "ambassador representative delegation embassy human rights right global world international universal "
        "national regional general high level special working security development cooperation equality peace "
        "declaration charter covenant convention treaty agreement protocol resolution program programme plan action "
        "agenda initiative civilization governance review periodic statement letter report article chapter section "
        "paper white information foreign affairs affair public civil political economic social cultural law laws "
        "commissioner commissioners vice deputy member members country countries republic people peoples kingdom "
        "south north east west western eastern southern northern global-south day year theme event side-event "
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december "
        "hội đồng nghị diễn đàn ủy ban liên hợp bộ ngoại giao chủ tịch tổng thống thủ tướng quốc gia nhân quyền quyền "
        "con người toàn cầu thế giới quốc tế tuyên ngôn hiến chương công ước nghị quyết chương trình kế hoạch sáng "
        "kiến phát triển văn minh an ninh hợp tác nam bắc đông tây văn phòng thông tin cao cấp đại hội vụ viện cơ "
        "thứ hai ba tư năm sáu bảy chủ nhật điều khoản đại sứ phổ quát định rà soát cao ủy"
    ).split()
)
_WORD = r"(?:\p{Lu}\.(?=\s?\p{Lu})|(?:Mr|Mrs|Ms|Dr|Prof|Amb|St)\.|\p{Lu}[\p{Latin}\p{M}]*(?:['.\-&/][\p{Latin}\p{N}\p{M}]+)*)"
_RUN = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}])(?:{_WORD}|\p{{Lu}}[\p{{Latin}}\p{{N}}]+)(?:(?:\s+(?:of|on|and|for|de|la|von|van|bin|al)(?:\s+the)?)?\s+{_WORD})*"
)
_LATIN_WORD = regex.compile(r"[\p{Latin}][\p{Latin}\p{M}\p{N}]*(?:['\-][\p{Latin}\p{N}\p{M}]+)*")
_VIETNAMESE_SYLLABLE = regex.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?[aeiouy]{1,3}(?:ch|ng|nh|[cmnpt])?", regex.IGNORECASE
)
_SENTENCE_START = regex.compile(r"(?:^|[.!?:;]\s+|[\"'(]\s*)$")


def unsupported_name(claim: str, quotes: Sequence[str], context: str = "") -> str | None:
    """The first name of `claim` that no quote bears, or None.

    Args:
        claim: A folded sentence without markers.
        quotes: The folded words that it rests on.
        context: What else may bear a name: titles and speakers of the quoted documents, folded.
    """
    borne = " \n ".join([*quotes, context])
    for name in latin_names(claim):
        if not _latin_name_borne(name, quotes, borne):
            return name
    if has_thai(claim):
        for name in thai_name_candidates(claim):
            if not _thai_name_borne(name, borne):
                return name
    return None


def latin_names(text: str) -> list[str]:
    """Runs of capitalized words that are names, in order; a sentence's first word only where it surely is one."""
    names = []
    for match in _RUN.finditer(text):
        words = match.group().split()
        first = match.start()
        if _SENTENCE_START.search(text[:first]):
            while words and _plain(words[0]) in _COMMON:
                words = words[1:]
            rest = match.group().split()
            alone = len(rest) == 1
            if alone and words and not entities_of(words[0]) and not _is_acronym(words[0]):
                words = []
        while words and _plain(words[-1]) in {"of", "on", "the", "and", "for", "de", "la"}:
            words = words[:-1]
        words = [word for word in words]
        if words and not all(_plain(word) in _COMMON for word in words):
            names.append(" ".join(words).strip(".,'"))
    return names


def _is_acronym(word: str) -> bool:
    return len(word) >= 2 and word.isupper()


def _plain(word: str) -> str:
    return word.lower().strip(".,'").removesuffix("'s")


@cache
def _bare(text: str) -> str:
    """Lower case without accents, so that "Türk" is "Turk"; Vietnamese đ is d."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def _latin_words(text: str) -> frozenset[str]:
    words = set()
    for match in _LATIN_WORD.finditer(text):
        word = match.group().lower().removesuffix("'s")
        words |= {word, _bare(word), *regex.split("['-]", word), word.rstrip("s")}
    return frozenset(words)


def _latin_name_borne(name: str, quotes: Sequence[str], borne: str) -> bool:
    known = _latin_words(borne)
    missing = [word for word in regex.split(r"\s+", name) if not _word_borne(word, known)]
    missing = [word for word in missing if _plain(word) not in {*_COMMON, *_TITLE_WORDS}]
    if not missing:
        return True
    if (entities := entities_of(name)) or (entities := entities_of(" ".join(missing))):
        return mentions(borne, entities)
    specific = []
    for word in missing:
        entities = entities_of(word)
        if entities and mentions(borne, entities):
            continue
        if entities and len(missing) == 1:
            return False
        specific.append(word)
    specific = [word for word in specific if not (_is_acronym(word.rstrip("s")) and _abbreviates(word.rstrip("s"), quotes))]
    if not specific:
        return True
    generic = [word for word in specific if _plain(word) in _GENERIC]
    same_language = _shares_language(name, quotes)
    if len(generic) == len(specific):
        # "the Council" is no name by itself; "Ministry of Defense" is one, if its quote is in the same language.
        return not (same_language and len(generic) >= 2 and len(name.split()) >= 2)
    specific = [word for word in specific if word not in generic]
    if same_language:
        return False
    return _borne_across(" ".join(specific), quotes, borne)


def _abbreviates(acronym: str, quotes: Sequence[str]) -> bool:
    """Whether the words of a quote begin with the letters of an acronym, or no quote could tell."""
    told = False
    for quote in quotes:
        words = regex.findall(r"\p{Latin}+", quote)
        if len(words) < 3:
            continue
        told = True
        initials = "".join(word[0] for word in words).lower()
        capitals = "".join(word[0] for word in words if word[0].isupper()).lower()
        if acronym.lower() in initials or acronym.lower() in capitals:
            return True
    return not told


def _word_borne(word: str, known: frozenset[str]) -> bool:
    plain = _plain(word)
    if plain in known or plain.rstrip("s") in known or (_bare(plain) in known and not _looks_vietnamese(word)):
        return True
    parts = [part for part in regex.split(r"[-/&.]", plain) if part]
    return len(parts) > 1 and all(part in known for part in parts)


def _looks_vietnamese(word: str) -> bool:
    return all(_VIETNAMESE_SYLLABLE.fullmatch(_bare(part)) is not None for part in regex.split("[- ]", word) if part)


def _shares_language(name: str, quotes: Sequence[str]) -> bool:
    """Whether any quote is in the language of `name`, as far as letters tell: Vietnamese, or otherwise Latin."""
    vietnamese = regex.compile(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", regex.IGNORECASE)
    marked = bool(vietnamese.search(name))
    for quote in quotes:
        letters = len(regex.findall(r"\p{L}", quote))
        latin = len(regex.findall(r"\p{Latin}", quote))
        if latin * 2 > letters and (len(vietnamese.findall(quote)) * 20 > latin) == marked:
            return True
    return False


def _borne_across(name: str, quotes: Sequence[str], borne: str) -> bool:
    """Whether quotes in another language may bear `name`: by sound in Thai, by spelling in Latin letters."""
    scripts_unknown = False
    for quote in quotes:
        if has_thai(quote):
            sounds = thai_consonants(quote)
            wanted = latin_consonants(name)
            if len(wanted) < 3 or occurs(wanted, sounds):
                return True
        elif regex.search(r"\p{Latin}", quote):
            if _looks_vietnamese(name):
                return True
            others = [other for other in latin_names(quote) if _looks_vietnamese(other) and not entities_of(other)]
            if others:
                return True
        else:
            scripts_unknown = True
    return scripts_unknown


# Thai ---------------------------------------------------------------------------------------------------------

_THAI_TITLES = regex.compile(
    r"(?:นางสาว|นาย|นาง|ดร\.|(?:รอง|ผู้ช่วย)?ศาสตราจารย์|ประธานาธิบดี|เอกอัครราชทูต|พลเอก|พลตรี|มร\.)\s?(?P<name>\p{Thai}{3,})"
)
_THAI_PLACE_NOUNS = ("แม่น้ำ", "จังหวัด", "อำเภอ", "เมือง", "กรุง", "ประเทศ", "เกาะ", "มหาวิทยาลัย", "เทือกเขา", "มณฑล", "แคว้น", "นคร")
_THAI_AFTER_NOUNS = ("ต่าง", "ต่างๆ", "กำลังพัฒนา", "พัฒนา", "สมาชิก", "หลวง", "เพื่อนบ้าน", "ใหญ่", "เหล่านี้", "นั้น", "ที่", "ใด", "หนึ่ง", "อื่น", "ของ", "เดียว")


@cache
def _thai_dictionary() -> frozenset[str]:
    from pythainlp.corpus import thai_words

    return frozenset(thai_words())


def thai_name_candidates(text: str) -> list[str]:
    """Thai stretches that are surely names: known places and peoples, and words that no dictionary has."""
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
        for match in thai_names().finditer(run):
            if match.start() in boundaries and match.end() in boundaries:
                candidates.append(match.group())
                taken |= set(range(*match.span()))
        for match in _THAI_TITLES.finditer(text):
            candidates.append(match["name"])
        candidates += _after_place_nouns(tokens, taken)
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


def _after_place_nouns(tokens: list[str], taken: set[int]) -> list[str]:
    """What follows "river", "province" and the like, together with that noun, unless a place is known there."""
    found = []
    position = 0
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        position += len(token)
        noun = next((noun for noun in _THAI_PLACE_NOUNS if token.startswith(noun)), None)
        if noun and token != noun and len(token) - len(noun) >= 3 and position - 1 not in taken:
            found.append(token)
        elif noun == token and len(following) >= 3 and position not in taken and following not in _THAI_AFTER_NOUNS:
            found.append(token + following)
    return found


def _thai_name_borne(name: str, borne: str) -> bool:
    noun = next((noun for noun in _THAI_PLACE_NOUNS if name.startswith(noun) and name != noun), None)
    if noun:
        # A noun with what follows it is surely a name only where the quotes have the noun with another.
        return name in borne or noun not in borne or name.removeprefix(noun) in borne
    if entities := entities_of(name):
        return mentions(borne, entities)
    if _without_tones(name) in _without_tones(borne):
        return True
    sounds = thai_consonants(name)
    if occurs(sounds, thai_consonants(borne)):
        return True
    latin = " ".join(match.group() for match in _LATIN_WORD.finditer(borne))
    return occurs(sounds, latin_consonants(latin))


def _without_tones(text: str) -> str:
    return regex.sub(r"[\u0e47-\u0e4e\s]", "", text)


_THAI_CLASSES = {
    **dict.fromkeys("กขฃคฅฆ", "k"),
    **dict.fromkeys("จฉชซฌศษส", "s"),
    **dict.fromkeys("ดตถทธฎฏฐฑฒ", "t"),
    **dict.fromkeys("นณ", "n"),
    **dict.fromkeys("บปผพภ", "p"),
    **dict.fromkeys("วฝฟ", "w"),
    **dict.fromkeys("รลฬ", "l"),
    **dict.fromkeys("มํ", "m"),
}


def thai_consonants(text: str) -> str:
    """The consonants of a Thai text by class of sound, silenced ones left out; other letters and vowels too.

    >>> thai_consonants("มิเชล บาเชเลต์")
    'mslpsl'
    """
    text = regex.sub(r"\p{Thai}[ิุ]?\u0e4c", "", text)
    text = text.replace("ง", "nk").replace("ญ", "n")
    return "".join(_THAI_CLASSES.get(c, c if c in "nk" else "") for c in text)


_LATIN_CLASSES = {
    **dict.fromkeys("cgkq", "k"),
    **dict.fromkeys("jszx", "s"),
    **dict.fromkeys("dt", "t"),
    **dict.fromkeys("bp", "p"),
    **dict.fromkeys("rl", "l"),
    **dict.fromkeys("fvw", "w"),
    "n": "n",
    "m": "m",
}


def latin_consonants(text: str) -> str:
    """The consonants of words in Latin letters by the same classes as `thai_consonants`.

    >>> latin_consonants("Michelle Bachelet")
    'mslpslt'
    """
    plain = _bare(text)
    for spelling, sound in (("sch", "s"), ("tch", "s"), ("ch", "s"), ("sh", "s"), ("zh", "s"), ("ph", "f")):
        plain = plain.replace(spelling, sound)
    plain = regex.sub(r"c(?=[eiy])", "s", plain)
    plain = regex.sub(r"g(?=[eiy])", "s", plain)
    # Thai writes an "r" that closes a syllable with the mark of silence, if at all.
    plain = regex.sub(r"r(?=[bcdfgjklmnpqstvwxz]|\b)", "", plain)
    plain = regex.sub(r"(\p{L})\1+", r"\1", plain)
    return "".join(_LATIN_CLASSES.get(c, "") for c in plain)


def occurs(wanted: str, sounds: str) -> bool:
    """Whether `wanted` occurs in `sounds` with at most one letter in five wrong, missing or added."""
    if not wanted:
        return True
    allowed = len(wanted) // 5
    # Sellers' algorithm: the edit distance of `wanted` to any stretch of `sounds`.
    row = list(range(len(wanted) + 1))
    for sound in sounds:
        previous, row[0] = row[0], 0
        for at, letter in enumerate(wanted, 1):
            previous, row[at] = row[at], min(previous + (letter != sound), row[at] + 1, row[at - 1] + 1)
        if row[-1] <= allowed:
            return True
    return row[-1] <= allowed
