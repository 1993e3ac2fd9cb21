"""Check optional installations."""

from __future__ import annotations

from importlib.util import find_spec


def is_torch_installed() -> bool:
    """Return whether torch and transformers are installed."""
    return all(find_spec(name) for name in ("torch", "transformers"))


def missing_torch(what: str) -> str | None:
    """Return a sentence that says how to install what `what` needs; None if it is installed."""
    if is_torch_installed():
        return None
    return f'{what} needs torch and transformers, which aren\'t installed: run `pip install "attest[torch]"`.'
