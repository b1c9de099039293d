"""Archives: files that runs of jobs leave behind, kept in a folder and, with their hash, beside their run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

# What a look at a file finds. With the copy in the database a missing or changed file can be put right.
INTACT, CHANGED, MISSING, UNREADABLE, UNFILED = "intact", "changed", "missing", "unreadable", "unfiled"
STATES = (INTACT, CHANGED, MISSING, UNREADABLE, UNFILED)
# What of it is a fault; a file that was never to be in a folder has none there.
FAULTS = (CHANGED, MISSING, UNREADABLE)


@dataclass(frozen=True)
class ArchiveKind:
    """A kind of archive: its `key` in the registry and the settings that say where it is kept and for how long.

    The settings are `<settings>_ARCHIVE_ENABLED`, `_ARCHIVE_PATH` and `_ARCHIVE_RETENTION_DAYS`; `prefix` begins the
    names of its files, and `suffixes` end them.
    """

    key: str
    settings: str
    prefix: str
    suffixes: tuple[str, ...]

    @property
    def enabled(self) -> str:
        """Return the name of the setting that says whether files are kept in the folder."""
        return f"{self.settings}_ARCHIVE_ENABLED"

    @property
    def path(self) -> str:
        """Return the name of the setting of the folder."""
        return f"{self.settings}_ARCHIVE_PATH"

    @property
    def retention(self) -> str:
        """Return the name of the setting of the days that archives are kept."""
        return f"{self.settings}_ARCHIVE_RETENTION_DAYS"

    def owns(self, name: str) -> bool:
        """Return whether a file of this name is one of its archives."""
        return name.startswith(self.prefix) and PurePath(name).suffix in self.suffixes


QUALITY_REPORT = ArchiveKind("quality_report", "OPS_QUALITY_REPORT", "ops-quality-report-", (".json", ".csv", ".pdf"))
DAILY_CHECK = ArchiveKind("daily_check", "OPS_DAILY_CHECK", "ops-daily-check-", (".json", ".csv"))
ALERT_RETENTION = ArchiveKind("alert_retention", "ALERT_RETENTION", "alert-deliveries-", (".csv",))
W07_WEEKLY = ArchiveKind("w07_weekly", "W07_WEEKLY", "w07-sla-quality-weekly-", (".csv",))
KINDS = {kind.key: kind for kind in (QUALITY_REPORT, DAILY_CHECK, ALERT_RETENTION, W07_WEEKLY)}


def judge(found: str | None, sha256: str) -> str:
    """Return what became of a file: `found` is the SHA-256 of what is there now, None when there is nothing."""
    if found is None:
        return MISSING
    return INTACT if found == sha256 else CHANGED
