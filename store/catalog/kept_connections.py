"""Keep connections between uses: one that the server has closed is replaced, and causes no error.

SQLAlchemy's own check asks the server before each use, which takes as long as a short query. A server that stops says
so on each of its connections, so this module can see it without asking.
"""

from __future__ import annotations

import selectors
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

IDLE_SECONDS = 30.0
"""A connection unused for this long is checked, because a server that lost power says nothing."""


def refuse_lost_connections(engine: Engine) -> None:
    """Make an engine's pool replace connections that the server has closed."""

    def given_back(_driver: object, record: Any) -> None:  # noqa: ANN401 - of SQLAlchemy's event
        record.info["idle since"] = time.monotonic()

    def taken(driver: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401
        idle = time.monotonic() - record.info.get("idle since", time.monotonic())
        if (idle > IDLE_SECONDS or _has_news(driver)) and not _answers(engine, driver):
            raise sa.exc.InvalidatePoolError

    sa.event.listen(engine, "checkin", given_back)
    sa.event.listen(engine, "checkout", taken)


def _has_news(driver: Any) -> bool:  # noqa: ANN401 - psycopg is an extra
    """Return whether the server has sent an unrequested message, as it does when it stops."""
    if driver.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(driver, selectors.EVENT_READ)
        return bool(selector.select(0))


def _answers(engine: Engine, driver: Any) -> bool:  # noqa: ANN401
    lost: type[Exception] = engine.dialect.loaded_dbapi.OperationalError
    try:
        return bool(engine.dialect.do_ping(driver))
    except lost:
        return False
