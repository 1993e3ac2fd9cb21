"""Write superscripts and subscripts as Unicode characters, so that a raised digit never joins the number before it."""

from __future__ import annotations

_RAISED = dict(zip("0123456789+-−=()nia", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱᵃ", strict=True)) | dict(
    zip("bcdefghjklmoprstuvwxyz", "ᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)
)
_LOWERED = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True)) | dict(
    zip("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
_ORDINALS = frozenset(("st", "nd", "rd", "th", "e", "er", "re", "è", "º", "ª", "o", "a", "os", "as", "tm", "®", "™"))
_DIGITS = str.maketrans(
    {f"{chr(zero + value)}": str(value) for zero in (0x0660, 0x06F0, 0x0E50) for value in range(10)}
)


def raised(text: str) -> str:
    """Return `text` as superscript characters; in brackets if Unicode lacks one: ``[*]`` or ``^(xyz)``."""
    return _moved(text, _RAISED, "^")


def lowered(text: str) -> str:
    """Return `text` as subscript characters, or as ``_(xyz)`` if Unicode lacks one."""
    return _moved(text, _LOWERED, "_")


def shifted(text: str, script: str | None) -> str:
    """Return `text` in the script that a file sets: ``superscript`` or ``sup``, ``subscript`` or ``sub``, or plain."""
    if not script or not script.startswith(("sup", "sub")):
        return text
    return raised(text) if script.startswith("sup") else lowered(text)


def _moved(text: str, characters: dict[str, str], mark: str) -> str:
    core = text.strip()
    if not core or core.lower() in _ORDINALS:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    plain = core.translate(_DIGITS)
    if all(character in characters for character in plain):
        moved = "".join(characters[character] for character in plain)
    elif not any(character.isalnum() for character in core):
        moved = core  # an asterisk, a dagger, a degree sign: nothing that would join
    elif core[:1] in "[(":
        moved = core
    else:
        moved = f"{mark}({core})"
    return before + moved + after
