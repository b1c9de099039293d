"""Numbers of items that triggers keep with every write, and tables that are vacuumed before they are a fifth dead.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-29 18:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _one(condition):
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


_OPEN = "{r}is_active AND {r}status <> 'done'"
# What an item adds to each number, in SQL of both databases; `{r}` stands for the row ("NEW.", "OLD." or nothing).
_COUNTERS = {
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


def _due_day(dialect, row=""):
    return f"CASE WHEN {_OPEN} THEN {_DAYS[dialect]} END".format(r=row)


def _fill(dialect):
    sums = ", ".join(f"sum({counter.format(r='')})" for counter in _COUNTERS.values())
    days = f"SELECT tracker, site_key, {_due_day(dialect)} AS due_on FROM tracker_items"
    return (
        "DELETE FROM tracker_tallies",
        (
            f"INSERT INTO tracker_tallies (tracker, site_key, {', '.join(_COUNTERS)}) "
            f"SELECT tracker, site_key, {sums} FROM tracker_items GROUP BY tracker, site_key"
        ),
        (
            "INSERT INTO tracker_tallies (tracker, site_key, due_on, due_open) "
            f"SELECT tracker, site_key, due_on, count(*) FROM ({days}) AS days "
            "WHERE due_on IS NOT NULL GROUP BY tracker, site_key, due_on"
        ),
    )


def _changed(different):
    return " OR ".join(f"OLD.{name} {different} NEW.{name}" for name in _READ)


def _sqlite_triggers():
    def add(row, sign):
        scope = f"tracker = {row}tracker AND site_key = {row}site_key AND due_on"
        day = _due_day("sqlite", row)
        missing = "NOT EXISTS (SELECT 1 FROM tracker_tallies WHERE"
        changes = ", ".join(f"{name} = {name} {sign} {part.format(r=row)}" for name, part in _COUNTERS.items())
        return (
            f"INSERT INTO tracker_tallies (tracker, site_key) SELECT {row}tracker, {row}site_key "
            f"WHERE {missing} {scope} IS NULL); "
            f"UPDATE tracker_tallies SET {changes} WHERE {scope} IS NULL; "
            f"INSERT INTO tracker_tallies (tracker, site_key, due_on) SELECT {row}tracker, {row}site_key, {day} "
            f"WHERE {day} IS NOT NULL AND {missing} {scope} = {day}); "
            f"UPDATE tracker_tallies SET due_open = due_open {sign} 1 WHERE {scope} = {day}; "
            f"DELETE FROM tracker_tallies WHERE {scope} = {day} AND due_open = 0;"
        )

    def trigger(name, when, *parts):
        return f"CREATE TRIGGER tracker_items_tally_{name} AFTER {when} BEGIN {' '.join(parts)} END"

    less, more = add("OLD.", "-"), add("NEW.", "+")
    on_update = f"UPDATE OF {', '.join(_READ)} ON tracker_items WHEN {_changed('IS NOT')}"
    return (
        trigger("insert", "INSERT ON tracker_items", more),
        trigger("update", on_update, less, more),
        trigger("delete", "DELETE ON tracker_items", less),
    )


def _postgresql_triggers():
    def values(text, row=""):
        return ", ".join(text.format(part.format(r=row)) for part in _COUNTERS.values())

    old, new = _due_day("postgresql", "OLD."), _due_day("postgresql", "NEW.")
    numbers = f"INSERT INTO tracker_tallies (tracker, site_key, {', '.join(_COUNTERS)}) VALUES"
    days = "INSERT INTO tracker_tallies (tracker, site_key, due_on, due_open) VALUES"
    change = ", ".join(f"{part.format(r='NEW.')} - {part.format(r='OLD.')}" for part in _COUNTERS.values())
    day_less = f"IF ({old}) IS NOT NULL THEN {days} (OLD.tracker, OLD.site_key, {old}, -1); END IF;"
    day_more = f"IF ({new}) IS NOT NULL THEN {days} (NEW.tracker, NEW.site_key, {new}, 1); END IF;"
    sums = ", ".join(f"sum({name})" for name in (*_COUNTERS, "due_open"))
    some = " OR ".join(f"sum({name}) <> 0" for name in (*_COUNTERS, "due_open"))
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
  INSERT INTO tracker_tallies (tracker, site_key, due_on, {", ".join(_COUNTERS)}, due_open)
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


def _triggers(dialect):
    return _sqlite_triggers() if dialect == "sqlite" else _postgresql_triggers()


# PostgreSQL waits until a fifth of a table is dead. Counting inside an index gets slow long before: it looks at every
# row that changed since the last VACUUM. The first change all day, to the others rows are only added.
_VACUUM = {
    **dict.fromkeys(
        ("tracker_items", "tracker_runs", "job_runs", "admin_tokens", "web_sessions"),
        ("autovacuum_vacuum_scale_factor", "autovacuum_analyze_scale_factor"),
    ),
    **dict.fromkeys(("tracker_events", "admin_audit_logs"), ("autovacuum_vacuum_insert_scale_factor",)),
}


def _number(name):
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def upgrade():
    dialect = op.get_bind().dialect.name
    op.create_table(
        "tracker_tallies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tracker", sa.String(40), nullable=False),
        sa.Column("site_key", sa.String(120), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        *(_number(name) for name in (*_COUNTERS, "due_open")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_tallies")),
    )
    op.create_index("ix_tracker_tallies_scope", "tracker_tallies", ["tracker", "due_on", "site_key"])
    # The triggers first: from then on nobody writes an item until the numbers are there.
    for statement in (*_triggers(dialect), *_fill(dialect)):
        op.execute(statement)
    if dialect == "postgresql":
        for table, settings in _VACUUM.items():
            op.execute(f"ALTER TABLE {table} SET ({', '.join(f'{name} = 0.01' for name in settings)})")


def downgrade():
    postgresql = op.get_bind().dialect.name == "postgresql"
    kinds = ("rows", "update") if postgresql else ("insert", "update", "delete")
    for kind in kinds:
        op.execute(f"DROP TRIGGER tracker_items_tally_{kind}" + (" ON tracker_items" if postgresql else ""))
    op.drop_table("tracker_tallies")
    if postgresql:
        for function in ("tracker_items_tally", "tracker_tallies_fold"):
            op.execute(f"DROP FUNCTION {function}")
        for table, settings in _VACUUM.items():
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(settings)})")
