"""The requests of each caller, counted for all servers of a library together, by the clock of their database."""

from __future__ import annotations

import hashlib
import math
import random

import sqlalchemy as sa
from sqlalchemy import Double
from sqlalchemy.dialects.postgresql import insert

from assistant.server.api.rate_limits import WINDOW, Allowance
from store.catalog.engine import Database
from store.catalog.serving_tables import requests

_SWEPT = 0.01
"""Share of requests that also delete what is over."""
_R = requests.c
_NOW = sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), Double)


class SharedRequestCounts:
    """Counts requests in windows that begin with a caller's first."""

    def __init__(self, per_minute: int, database: Database) -> None:
        self.per_minute = per_minute
        self._database = database

    def take(self, caller: str) -> Allowance:
        """Count one request of `caller`. Raises LibraryError."""
        first = insert(requests).values(caller=hashlib.sha256(caller.encode()).digest(), began=_NOW, made=1)
        is_over = first.excluded.began - _R.began >= WINDOW
        counted = first.on_conflict_do_update(
            index_elements=[_R.caller],
            set_={
                "began": sa.case((is_over, first.excluded.began), else_=_R.began),
                "made": sa.case((is_over, 1), else_=sa.func.least(_R.made + 1, self.per_minute + 1)),
            },
        ).returning(_R.made, _R.began + WINDOW - _NOW)
        with self._database.writing(alone=False) as connection:
            made, seconds = connection.execute(counted).one()
            if random.random() < _SWEPT:  # noqa: S311 - no secret
                connection.execute(sa.delete(requests).where(_R.began < _NOW - 10 * WINDOW))
        return Allowance(self.per_minute - made, max(1, math.ceil(seconds)))
