"""List the models: the assistant as configured, its two modes by name, and the embedding model."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from assistant.server.api.openai.errors import OpenAIRoute, unknown_model
from assistant.server.api.openai.replies import ERRORS
from assistant.server.auth.route_guard import require
from assistant.server.dependencies import Caller
from assistant.server.services import Services
from assistant.types import AskOptions, Mode

DEFAULT = "attest"
MODES: dict[str, Mode | None] = {DEFAULT: None, "attest-quotes": "quotes", "attest-written": "written"}
EMBEDDING = "attest-embedding"
"""Stands for any embedding model of the library."""


class Model(BaseModel):
    """A model as OpenAI's API lists it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["attest"] = "attest"


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: tuple[Model, ...]


def models_router(services: Services) -> APIRouter:
    """Return the routes under ``/v1/models``."""
    router = APIRouter(route_class=OpenAIRoute, dependencies=[require("ask")])
    written = services.settings.written_mode
    names = (*(name for name, mode in MODES.items() if written or mode != "written"), EMBEDDING)

    @router.get("/models", responses=ERRORS)
    async def models(caller: Caller) -> ModelList:
        """List the models."""
        return ModelList(data=tuple(Model(id=name) for name in names))

    @router.get("/models/{model}", responses=ERRORS)
    async def model(model: str, caller: Caller) -> Model:
        """Describe one model."""
        if model not in names:
            raise unknown_model(model)
        return Model(id=model)

    return router


def options_for(model: str, options: AskOptions) -> AskOptions:
    """Return the options for a question to `model`. Raises ModelNotFoundError."""
    if model not in MODES:
        raise unknown_model(model)
    return replace(options, mode=options.mode or MODES[model])
