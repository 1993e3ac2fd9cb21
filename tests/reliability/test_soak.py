"""Many chats at once lose nothing and mix nothing up: a short run of `tests.reliability.soak`, which has the details."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.soak import soak


@pytest.mark.hard
def test_chats_at_once_get_their_own_answers_and_memory_stays(tmp_path: Path) -> None:
    result = soak(tmp_path / "home", passages=2_000, chats=20, seconds=60)
    assert result.failed == []
    assert result.asked == result.answered > 50
    assert result.mixed == 0
    assert result.growth < 60, result.megabytes
