"""``/api/health``: report health to monitoring."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from assistant.server.api.native.errors import Problem
from assistant.server.auth.route_guard import PUBLIC, CheckedRoute
from assistant.server.services import Services


class Health(BaseModel):
    """How the server is."""

    status: Literal["live", "ready"]


def health_router(services: Services) -> APIRouter:
    """Return the routes that strangers may use: they reveal nothing about the library's content."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[PUBLIC], tags=["health"])

    @router.get("/health/live")
    async def live() -> Health:
        """Tell that the server answers."""
        return Health(status="live")

    @router.get("/health/ready", responses={503: {"model": Problem, "description": "Questions can't be answered now."}})
    def ready() -> Health:
        """Tell that questions can be answered: the library can be read, and its model is there."""
        services.assistant.library.prepare()
        services.assistant.library.statistics()
        return Health(status="ready")

    return router
