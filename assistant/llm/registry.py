"""List the available language models, and find the one that the settings choose.

``auto``, the default, takes the settings' endpoint, or else the installed small model. The setting `model` names one
explicitly: a model at `base_url` if that is set, or else a GGUF file, or else a transformers model.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.llm.base import model_error
from assistant.llm.install import SMALL, find_installed, models_folder
from store.errors import LanguageModelError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from store.settings import Settings

Kind = Literal["endpoint", "gguf", "transformers"]


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A language model that could be used."""

    kind: Kind
    name: str
    """What its kind loads: a name at the endpoint, a file, a folder or a name on the hub."""
    where: str
    """The address or the folder, for users."""
    problem: LanguageModelError | None = None
    """Why it can't be used now; None if it can."""

    def load(self, settings: Settings) -> LLM:
        """Return the model as a LlamaIndex `LLM`; large ones load at their first use."""
        if self.kind == "endpoint":
            from assistant.llm.endpoint import endpoint

            key = settings.api_key.get_secret_value() if settings.api_key else None
            return endpoint(settings.base_url or "", self.name, key)
        if self.kind == "gguf":
            from assistant.llm.gguf import GgufLLM

            return GgufLLM(path=self.name)
        from assistant.llm.causal import CausalLLM

        return CausalLLM(name=self.name)


def find_models(settings: Settings) -> list[FoundModel]:
    """Return all available models; the first is the default."""
    found: list[FoundModel] = []
    if settings.base_url:
        found += _at_endpoint(settings)
    elif settings.model:
        found.append(_named(settings.model))
    found += [each for each in _in_folders(settings) if each.name not in {other.name for other in found}]
    return found


def choose(settings: Settings) -> FoundModel | None:
    """Return the model that the settings name, or the first available one; None if there is none.

    Raises:
        LanguageModelError: the settings name a model that can't be used.
    """
    found = find_models(settings)
    if not found:
        return None
    if found[0].problem and (settings.model or settings.base_url):
        raise found[0].problem
    return next((each for each in found if not each.problem), None)


def is_there(settings: Settings) -> bool:
    """Return whether there seems to be a model, or an endpoint is set, without contacting anything.

    Never if the settings want quotes alone: then no model is given anything to read.
    """
    return settings.mode != "quotes" and bool(
        settings.base_url or settings.model or any(not each.problem for each in _in_folders(settings))
    )


def load_model(settings: Settings) -> LLM | None:
    """Return the chosen model, ready to use; None in quotes mode, and if there is none.

    Raises:
        LanguageModelError: the settings name a model that can't be used.
    """
    if settings.mode == "quotes":
        return None
    chosen = choose(settings)
    return chosen.load(settings) if chosen else None


def served_models(base_url: str, api_key: str | None = None, *, timeout: float = 3.0) -> tuple[str, ...]:
    """Return the names of the models that an endpoint serves.

    Raises:
        LanguageModelError: it can't be reached, or isn't an endpoint; the message says what to check.
    """
    url = base_url.rstrip("/") + "/models"
    if not url.startswith(("http://", "https://")):
        raise model_error("model_address", address=base_url)
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {api_key}"} if api_key else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:  # noqa: S310 - http(s) only, as checked
            listed = json.load(reply)["data"]
        return tuple(str(each["id"]) for each in listed)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise model_error("model_key_at", address=base_url) from error
        raise model_error("model_status_at", address=base_url, status=error.code) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise model_error("model_unreachable_at", address=base_url) from error


def _at_endpoint(settings: Settings) -> list[FoundModel]:
    url = settings.base_url or ""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    try:
        served = served_models(url, key)
    except LanguageModelError as error:
        return [FoundModel("endpoint", settings.model or "", url, error)]
    if settings.model:
        # Some servers accept any name, or more than they list.
        return [FoundModel("endpoint", settings.model, url)]
    if not served:
        return [FoundModel("endpoint", "", url, model_error("model_none_at", address=url))]
    return [FoundModel("endpoint", name, url) for name in served]


def _named(model: str) -> FoundModel:
    path = Path(model).expanduser()
    if path.suffix.lower() == ".gguf":
        problem = None if path.is_file() else model_error("model_missing", path=path)
        return FoundModel("gguf", str(path), str(path.parent), problem or _missing_runtime())
    if path.is_dir():
        problem = None if (path / "config.json").is_file() else model_error("model_not_loaded", name=path)
        return FoundModel("transformers", str(path), str(path.parent), problem)
    return FoundModel("transformers", model, "the Hugging Face hub")


def _in_folders(settings: Settings) -> list[FoundModel]:
    paths = []
    if installed := find_installed(SMALL):
        paths.append(installed)
    for folder in (settings.home / "models", models_folder()):
        if folder.is_dir():
            paths += sorted(folder.glob("*.gguf"))
    missing = _missing_runtime()
    return [FoundModel("gguf", str(path), str(path.parent), missing) for path in dict.fromkeys(paths)]


def _missing_runtime() -> LanguageModelError | None:
    from importlib.util import find_spec

    if find_spec("xllamacpp"):
        return None
    return model_error("model_runtime")
