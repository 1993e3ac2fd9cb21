"""Marks of editors in Markdown -> the text as edited: CriticMarkup, comments and links of note-taking programs.

What stands in code stays as it is.
"""

from __future__ import annotations

import regex

_LONGEST = 5_000
_EDITS = regex.compile(
    r"(?P<code>^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=fence)|\Z)|(?<!`)(?P<ticks>`+)(?!`)[^`\n]{1,2000}(?P=ticks)(?!`))"
    rf"|\{{--.{{0,{_LONGEST}}}?--\}}"
    rf"|\{{>>.{{0,{_LONGEST}}}?<<\}}"
    r"|(?<!%)%%(?!%)[^%]{0,2000}%%(?!%)"
    rf"|\{{~~.{{0,{_LONGEST}}}?~>(?P<new>.{{0,{_LONGEST}}}?)~~\}}"
    rf"|\{{\+\+(?P<added>.{{0,{_LONGEST}}}?)\+\+\}}"
    rf"|\{{==(?P<marked>.{{0,{_LONGEST}}}?)==\}}"
    r"|(?<![=\w])==(?P<highlighted>[^\s=](?:[^=\n]{0,300}[^\s=])?)==(?![=\w])"
    r"|(?<![!\[])\[\[(?:[^\[\]|\n]{1,200}\|)?(?P<linked>[^\[\]|\n]{1,200})\]\](?!\()",
    regex.S | regex.M,
)
_SHOWN = ("new", "added", "marked", "highlighted", "linked")


def as_edited(source: str) -> str:
    """Return a source with its deletions carried out and its insertions taken in.

    >>> as_edited("It costs {~~350~>420~~} baht{>>really?<<}.")
    'It costs 420 baht.'
    """
    return _EDITS.sub(_shown, source) if any(mark in source for mark in ("{", "%%", "==", "[[")) else source


def _shown(match: regex.Match[str]) -> str:
    if match["code"] is not None:
        return match[0]
    return next((match[name] for name in _SHOWN if match[name] is not None), "")
