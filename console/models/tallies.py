"""Numbers of items, kept by the database itself with every write, so that no page has to count the items.

Triggers keep them: no statement that changes an item can forget them, whoever sends it. The numbers of a scope are sums
over its rows. SQLite has one writer, so a change is added to the row of its scope. On PostgreSQL every change is a row
of its own, so that nobody waits for anybody, and every so often rows of the same scope are folded into one.
"""

from __future__ import annotations

from datetime import date
from typing import cast

from sqlalchemy import DDL, BigInteger, Index, Integer, String, Table, event, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base
from console.models.tracker import TrackerItem

_ZERO = text("0")


class TrackerTally(Base):
    """A part of the numbers of a tracker at a site (`site_key` as that of the items), to be added to the other parts.

    Rows without a day hold the numbers of the items; rows with one say how many open items have their deadline on that
    day (UTC), which makes the late ones a sum over days and a look at one day.
    """

    __tablename__ = "tracker_tallies"
    __table_args__ = (
        Index("ix_tracker_tallies_scope", "tracker", "due_on", "site_key"),
        {"info": {"follows": TrackerItem.__tablename__}},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    site_key: Mapped[str] = mapped_column(String(120))
    due_on: Mapped[date | None]
    pending: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    in_progress: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    blocked: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    done: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    closed: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    unassigned: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    unassigned_open: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    critical_open: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    missing_evidence: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    evidence_total: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    due_open: Mapped[int] = mapped_column(default=0, server_default=_ZERO)


def _one(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


_OPEN = "{r}is_active AND {r}status <> 'done'"
# What an item adds to each number, in SQL of both databases; `{r}` stands for the row ("NEW.", "OLD." or nothing).
COUNTERS: dict[str, str] = {
    **{
        status: _one(f"{{r}}is_active AND {{r}}status = '{status}'")
        for status in ("pending", "in_progress", "blocked", "done")
    },
    "closed": _one("NOT {r}is_active"),
    "unassigned": _one("{r}is_active AND {r}assignee IS NULL"),
    "unassigned_open": _one(f"{_OPEN} AND {{r}}assignee IS NULL"),
    "critical_open": _one(f"{_OPEN} AND {{r}}required AND {{r}}rule_status = 'fail'"),
    "missing_evidence": _one("{r}is_active AND {r}evidence_required AND {r}evidence_count = 0"),
    "evidence_total": "CASE WHEN {r}is_active THEN {r}evidence_count ELSE 0 END",
}
_DAYS = {"sqlite": "date({r}due_at)", "postgresql": "CAST({r}due_at AT TIME ZONE 'UTC' AS date)"}
# What the numbers are made of: a change of anything else needs no look at them.
_READ = (
    *("tracker", "site_key", "is_active", "status", "assignee", "required", "rule_status"),
    *("evidence_required", "evidence_count", "due_at"),
)


def due_day(dialect: str, row: str = "") -> str:
    """Return the SQL of the day under which an item counts as open with a deadline, NULL for any other item."""
    return f"CASE WHEN {_OPEN} THEN {_DAYS[dialect]} END".format(r=row)


def fill(dialect: str) -> tuple[str, ...]:
    """Return the statements that make all numbers anew from the items."""
    sums = ", ".join(f"sum({counter.format(r='')})" for counter in COUNTERS.values())
    days = f"SELECT tracker, site_key, {due_day(dialect)} AS due_on FROM tracker_items"
    return (
        "DELETE FROM tracker_tallies",
        (
            f"INSERT INTO tracker_tallies (tracker, site_key, {', '.join(COUNTERS)}) "
            f"SELECT tracker, site_key, {sums} FROM tracker_items GROUP BY tracker, site_key"
        ),
        (
            "INSERT INTO tracker_tallies (tracker, site_key, due_on, due_open) "
            f"SELECT tracker, site_key, due_on, count(*) FROM ({days}) AS days "
            "WHERE due_on IS NOT NULL GROUP BY tracker, site_key, due_on"
        ),
    )


def _changed(different: str) -> str:
    return " OR ".join(f"OLD.{name} {different} NEW.{name}" for name in _READ)


def _sqlite_triggers() -> tuple[str, ...]:
    def add(row: str, sign: str) -> str:
        scope = f"tracker = {row}tracker AND site_key = {row}site_key AND due_on"
        day = due_day("sqlite", row)
        missing = "NOT EXISTS (SELECT 1 FROM tracker_tallies WHERE"
        changes = ", ".join(f"{name} = {name} {sign} {part.format(r=row)}" for name, part in COUNTERS.items())
        return (
            f"INSERT INTO tracker_tallies (tracker, site_key) SELECT {row}tracker, {row}site_key "
            f"WHERE {missing} {scope} IS NULL); "
            f"UPDATE tracker_tallies SET {changes} WHERE {scope} IS NULL; "
            f"INSERT INTO tracker_tallies (tracker, site_key, due_on) SELECT {row}tracker, {row}site_key, {day} "
            f"WHERE {day} IS NOT NULL AND {missing} {scope} = {day}); "
            f"UPDATE tracker_tallies SET due_open = due_open {sign} 1 WHERE {scope} = {day}; "
            f"DELETE FROM tracker_tallies WHERE {scope} = {day} AND due_open = 0;"
        )

    def trigger(name: str, when: str, *parts: str) -> str:
        return f"CREATE TRIGGER tracker_items_tally_{name} AFTER {when} BEGIN {' '.join(parts)} END"

    less, more = add("OLD.", "-"), add("NEW.", "+")
    on_update = f"UPDATE OF {', '.join(_READ)} ON tracker_items WHEN {_changed('IS NOT')}"
    return (
        trigger("insert", "INSERT ON tracker_items", more),
        trigger("update", on_update, less, more),
        trigger("delete", "DELETE ON tracker_items", less),
    )


def _postgresql_triggers() -> tuple[str, ...]:
    def values(text: str, row: str = "") -> str:
        return ", ".join(text.format(part.format(r=row)) for part in COUNTERS.values())

    old, new = due_day("postgresql", "OLD."), due_day("postgresql", "NEW.")
    numbers = f"INSERT INTO tracker_tallies (tracker, site_key, {', '.join(COUNTERS)}) VALUES"
    days = "INSERT INTO tracker_tallies (tracker, site_key, due_on, due_open) VALUES"
    change = ", ".join(f"{part.format(r='NEW.')} - {part.format(r='OLD.')}" for part in COUNTERS.values())
    day_less = f"IF ({old}) IS NOT NULL THEN {days} (OLD.tracker, OLD.site_key, {old}, -1); END IF;"
    day_more = f"IF ({new}) IS NOT NULL THEN {days} (NEW.tracker, NEW.site_key, {new}, 1); END IF;"
    sums = ", ".join(f"sum({name})" for name in (*COUNTERS, "due_open"))
    some = " OR ".join(f"sum({name}) <> 0" for name in (*COUNTERS, "due_open"))
    return (
        f"""
CREATE FUNCTION tracker_items_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.tracker = NEW.tracker AND OLD.site_key = NEW.site_key THEN
    {numbers} (NEW.tracker, NEW.site_key, {change});
    IF ({old}) IS DISTINCT FROM ({new}) THEN
      {day_less}
      {day_more}
    END IF;
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    {numbers} (OLD.tracker, OLD.site_key, {values("- {}", "OLD.")});
    {day_less}
  END IF;
  IF TG_OP <> 'DELETE' THEN
    {numbers} (NEW.tracker, NEW.site_key, {values("{}", "NEW.")});
    {day_more}
  END IF;
  RETURN NULL;
END $$""",
        # At the end of a transaction, and once: a row that is gone was folded with the others. Rows that another
        # transaction is folding are left to it, nobody ever waits here.
        f"""
CREATE FUNCTION tracker_tallies_fold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM tracker_tallies WHERE id = NEW.id) THEN
    RETURN NULL;
  END IF;
  WITH alike AS MATERIALIZED (
    SELECT id FROM (
      SELECT id, count(*) OVER (PARTITION BY site_key, due_on) AS number FROM tracker_tallies
      WHERE tracker = NEW.tracker
    ) AS numbered WHERE number > 1
  ), taken AS MATERIALIZED (
    SELECT id FROM tracker_tallies WHERE id IN (SELECT id FROM alike) FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM tracker_tallies WHERE id IN (SELECT id FROM taken) RETURNING *
  )
  INSERT INTO tracker_tallies (tracker, site_key, due_on, {", ".join(COUNTERS)}, due_open)
  SELECT tracker, site_key, due_on, {sums} FROM gone GROUP BY tracker, site_key, due_on HAVING {some};
  RETURN NULL;
END $$""",
        (
            "CREATE TRIGGER tracker_items_tally_rows AFTER INSERT OR DELETE ON tracker_items "
            "FOR EACH ROW EXECUTE FUNCTION tracker_items_tally()"
        ),
        (
            "CREATE TRIGGER tracker_items_tally_update AFTER UPDATE ON tracker_items "
            f"FOR EACH ROW WHEN ({_changed('IS DISTINCT FROM')}) EXECUTE FUNCTION tracker_items_tally()"
        ),
        (
            "CREATE CONSTRAINT TRIGGER tracker_tallies_fold AFTER INSERT ON tracker_tallies "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((NEW.id & 63) = 0) "
            "EXECUTE FUNCTION tracker_tallies_fold()"
        ),
    )


def triggers(dialect: str) -> tuple[str, ...]:
    """Return the statements that make the triggers, and on PostgreSQL their functions."""
    return _sqlite_triggers() if dialect == "sqlite" else _postgresql_triggers()


def _listen() -> None:
    items, tallies = cast("Table", TrackerItem.__table__), cast("Table", TrackerTally.__table__)
    # Writing items writes numbers: their table is made before the items and dropped, or emptied, after them.
    items.add_is_dependent_on(tallies)
    for dialect in ("sqlite", "postgresql"):
        for statement in triggers(dialect):
            event.listen(items, "after_create", DDL(statement).execute_if(dialect=dialect))
    for function in ("tracker_items_tally", "tracker_tallies_fold"):
        drop = DDL(f"DROP FUNCTION IF EXISTS {function}")
        event.listen(tallies, "after_drop", drop.execute_if(dialect="postgresql"))


_listen()
