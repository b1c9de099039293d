"""What a recovery drill proves, how long its proof holds, and what would be lost (API contract, DR rehearsal)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from console.domain.jobs.runs import Status
from console.domain.text import T, Text

NAME = re.compile(r"dr-rehearsal-(\d{8}T\d{6}Z)-\d+\.backup")
Freshness = Literal["never", "fresh", "stale", "failed"]


def file_name(at: datetime, run_id: int) -> str:
    """Return the name of a drill's backup; the run in it keeps two drills of one second apart."""
    return f"dr-rehearsal-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run_id}.backup"


def outdated(names: Iterable[str], *, keep: Iterable[str], now: datetime, retention_days: int) -> list[str]:
    """Return the backups that are older than the retention, oldest first; those in `keep` never are."""
    kept = set(keep)
    before = now - timedelta(days=retention_days)
    found = []
    for name in sorted(names):
        known = NAME.fullmatch(name)
        if known and name not in kept:
            made = datetime.strptime(known[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if made < before:
                found.append(name)
    return found


def spread(ids: Sequence[int], most: int, turn: int) -> list[int]:
    """Return at most `most` ids spread over all of them; another `turn` begins elsewhere, so that all come up."""
    if len(ids) <= most:
        return list(ids)
    return [ids[(number * len(ids) // most + turn) % len(ids)] for number in range(most)]


def status_of(*, enabled: bool, raised: bool, checked: bool, valid: bool) -> Status:
    """Return the status of a drill's run (API contract, DR rehearsal)."""
    if raised:
        return "critical"
    if not enabled or (checked and not valid):
        return "warning"
    return "success"


@dataclass(frozen=True)
class Standing:
    """How the installation stands: `never` proven, proven and `fresh`, proven too long ago, or the last drill failed.

    `proven_at` is the end of the newest drill that proved a restore.
    """

    word: Freshness
    proven_at: datetime | None
    age: timedelta | None

    @property
    def sentence(self) -> Text:
        """Return the standing in words."""
        return _SENTENCES[self.word]


_SENTENCES: Mapping[str, Text] = {
    "never": T("No recovery drill has proven a restore yet."),
    "fresh": T("The backup was restored into an empty database and compared table by table."),
    "stale": T("The last proof is too old: nobody knows whether today's data would come back."),
    "failed": T("The last drill failed: what was proven before may no longer hold."),
}


def standing(*, proven_at: datetime | None, last_failed: bool, now: datetime, max_age_days: int) -> Standing:
    """Return the standing at an instant; a failed last drill weighs more than an older proof."""
    age = now - proven_at if proven_at else None
    if last_failed:
        return Standing("failed", proven_at, age)
    if age is None:
        return Standing("never", None, None)
    return Standing("stale" if age > timedelta(days=max_age_days) else "fresh", proven_at, age)


def possible_loss(newest_row_at: datetime | None, now: datetime) -> timedelta | None:
    """Return what would be missing if the copy had to stand in now: all since its newest row. Never negative."""
    return max(now - newest_row_at, timedelta(0)) if newest_row_at else None


def text_of(stored: Mapping[str, Any] | None) -> Text | None:
    """Return a sentence that was stored with a run."""
    return Text(str(stored["msgid"]), stored.get("params") or {}) if stored and "msgid" in stored else None
