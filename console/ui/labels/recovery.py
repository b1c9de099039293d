"""How recovery drills speak on pages: message ids for the words of their API."""

from __future__ import annotations

from console.domain.text import N_

# How the installation stands: the word of the verdict and its tone.
STANDING = {
    "fresh": (N_("Recoverable"), "ok"),
    "stale": (N_("Proof too old"), "soon"),
    "failed": (N_("Drill failed"), "late"),
    "never": (N_("Never proven"), "wait"),
}
# What one drill says of its own copy.
RESULT = {True: (N_("Recoverable"), "ok"), False: (N_("Not proven"), "late")}
TABLES = {
    "same": (N_("Same"), "ok"),
    "content": (N_("Content differs"), "late"),
    "rows": (N_("Rows differ"), "late"),
    "missing": (N_("Missing in the copy"), "late"),
    "unexpected": (N_("Only in the copy"), "late"),
}
METHODS = {
    "sqlite_backup": N_("Copy by SQLite itself"),
    "pg_dump": N_("pg_dump of PostgreSQL"),
    "table_dump": N_("Table by table, without the programs of PostgreSQL"),
}
FILES = {
    "kept": N_("In place"),
    "changed": N_("Has another size than recorded"),
    "gone": N_("No longer there"),
    "none": N_("None was written"),
}
# Why a drill failed, in a few words for the list.
CAUSES = {
    "disk_full": N_("disk full"),
    "not_written": N_("could not be written"),
    "truncated": N_("cut off in the middle"),
    "changed": N_("changed afterwards"),
    "swapped": N_("backup of another run"),
    "not_recorded": N_("not the recorded file"),
    "wrong_key": N_("another key"),
    "no_key": N_("no usable key"),
    "no_backup": N_("no backup"),
    "privilege": N_("privilege missing"),
    "differs": N_("copy differs"),
    "evidence": N_("evidence cannot be opened"),
    "database": N_("database error"),
    "failed": N_("did not work"),
    "worker_lost": N_("worker disappeared"),
    "store_lost": N_("database went away"),
    "work_failed": N_("program error"),
    "cancelled": N_("stopped on request"),
    "refused": N_("refused"),
}
