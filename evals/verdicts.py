"""Whether expectations were met, and why not. Always made from results, never saved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether one expectation was met, and if not, why, in a sentence."""

    expectation: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TurnVerdict:
    """All verdicts on one turn."""

    turn: int
    """Counted from 0."""
    verdicts: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return all(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """All verdicts on one case, asked once."""

    key: str
    repeat: int
    turns: tuple[TurnVerdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation of every turn was met."""
        return all(turn.passed for turn in self.turns)

    @property
    def failures(self) -> tuple[tuple[int, CheckResult], ...]:
        """(turn, verdict) of what was not met."""
        return tuple((turn.turn, verdict) for turn in self.turns for verdict in turn.verdicts if not verdict.passed)
