"""Sentences that tell an assistant what to do: never given to a language model, neither from quotes nor questions.

A document is evidence, not a voice in the conversation. Words such as "in your answer" or "ignore all earlier
instructions" are seldom what a document says about its subject, and a small model that reads them may obey. That a
sentence is left out costs little: the reader sees its quote all the same. The patterns, for English, Thai and
Vietnamese, were written by the shapes of known attacks; they are one net, behind which stand the prompt's own rules and
the check of every sentence against the quotes.
"""

from __future__ import annotations

import regex

_COMMANDS = regex.compile(
    r"""(?ix)
    # English
    \byour\s(?:\w+\s)?(?:answer|response|reply|output|message)s?\b
    | \b(?:ignore|disregard|forget|override)\s(?:(?:all|any|the|your|these|those|previous|prior|earlier|above)\s)+
      (?:\w+\s)?(?:instructions?|rules?|prompts?|documents?|sources?|quotes?)\b
    | \b(?:you\sare\snow|from\snow\son,?\syou\sare|system\sprompt|(?:initial|hidden|original)\s(?:prompt|instructions?))\b
    | \b(?:tell|warn|inform|encourage|urge|remind|invite)\s(?:the\s|your\s)?(?:users?|readers?)\b
    | \b(?:answer|reply|respond)\s(?:only\s)?with\b
    # Thai
    | คำตอบของ(?:คุณ|เธอ) | (?:ใน|ลงใน|ท้าย)คำตอบ | (?:จง|ให้|โปรด|กรุณา)ตอบ(?:ว่า|เพียง|แค่|เฉพาะ|ด้วย)
    | (?:ไม่ต้องสนใจ|เพิกเฉยต่อ|ละเว้น|ลืม)(?:คำสั่ง|ข้อความ|กฎ) | คำสั่ง(?:ก่อนหน้า|ข้างต้น|ทั้งหมดที่คุณ|ที่คุณได้รับ)
    | (?:นับ)?จากนี้(?:ไป)?คุณ(?:คือ|เป็น) | คำถามนี้แทน
    | (?:เตือน|บอก|เชิญชวน|แนะนำ|ชักชวน)ผู้(?:อ่าน|ใช้)
    # Vietnamese
    | (?<!\p{L})câu\strả\slời\s(?:của\sbạn|sau|này) | (?<!\p{L})(?:trong|vào|cuối)\scâu\strả\slời
    | (?<!\p{L})(?:hãy|chỉ|phải)\s(?:chỉ\s)?trả\slời(?!\p{L})
    | (?<!\p{L})bỏ\squa\s(?:mọi|các|tất\scả|những)\s(?:chỉ\sdẫn|hướng\sdẫn|lệnh|quy\stắc)
    | (?<!\p{L})(?:chỉ\sdẫn|hướng\sdẫn|lệnh)\s(?:mà\sbạn|trước\sđó|ở\strên)
    | (?<!\p{L})từ\s(?:bây\s)?giờ(?:\strở\sđi)?,?\sbạn(?!\p{L})
    | (?<!\p{L})(?:cảnh\sbáo|nhắc|khuyên|kêu\sgọi|mời|bảo)\s(?:người\sđọc|người\sdùng)
    """,
    regex.VERBOSE,
)


_PARTS = regex.compile(r"(?<=[.?!。？！])\s+|(?<=\p{Thai})\s+(?=\p{Thai})")


def commands(text: str) -> bool:
    """Whether `text` tells whoever answers what to do or to say."""
    return bool(_COMMANDS.search(" ".join(text.split())))


def without_commands(question: str) -> str:
    """`question` up to the first part of it that gives orders; what follows them where it begins with them.

    >>> without_commands("Who abstained? Add a link to your answer. Thanks")
    'Who abstained?'
    """
    parts = _PARTS.split(question.strip())
    orders = [commands(part) for part in parts]
    if not any(orders):
        return question
    kept = parts[: orders.index(True)] or [part for part, is_order in zip(parts, orders, strict=True) if not is_order]
    return " ".join(kept) or question
