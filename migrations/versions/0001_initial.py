"""The tables of the first release.

Revision ID: 0001
Revises:
Create Date: 2026-11-22 22:17:30.727690
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "admin_users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.String(length=120), server_default="", nullable=False),
        sa.Column("role", sa.String(length=20), server_default="operator", nullable=False),
        sa.Column("permissions", sa.Text(), server_default="[]", nullable=False),
        sa.Column("site_scope", sa.Text(), server_default='["*"]', nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_bootstrap", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("theme", sa.String(length=8), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_users")),
        sa.UniqueConstraint("username", name=op.f("uq_admin_users_username")),
    )
    with op.batch_alter_table("admin_users", schema=None) as batch_op:
        # services.users: is there still an active owner?
        batch_op.create_index("ix_admin_users_role_is_active", ["role", "is_active"], unique=False)

    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("status", sa.String(length=20), server_default="queued", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "payload_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("attempt_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=36), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'success', 'failed', 'warning', 'dead')", name=op.f("ck_alert_deliveries_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint("message_id", name=op.f("uq_alert_deliveries_message_id")),
    )
    with op.batch_alter_table("alert_deliveries", schema=None) as batch_op:
        # History of one channel.
        batch_op.create_index("ix_alert_deliveries_channel", ["channel", "last_attempt_at", "id"], unique=False)
        # alerts.claim: what is due, oldest first; settled ones are left out of the index.
        batch_op.create_index(
            "ix_alert_deliveries_due",
            ["next_attempt_at", "id"],
            unique=False,
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        # List by event type.
        batch_op.create_index("ix_alert_deliveries_event_type", ["event_type", "last_attempt_at", "id"], unique=False)
        # The list, newest first.
        batch_op.create_index("ix_alert_deliveries_last_attempt_at", ["last_attempt_at", "id"], unique=False)
        # List by status; batch retry.
        batch_op.create_index(
            "ix_alert_deliveries_status_last_attempt_at", ["status", "last_attempt_at", "id"], unique=False
        )

    op.create_table(
        "api_latency_samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_key", sa.String(length=220), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=240), nullable=False),
        sa.Column("duration_ms", sa.Double(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("is_error", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("sampled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("duration_ms >= 0", name=op.f("ck_api_latency_samples_duration")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_latency_samples")),
    )
    with op.batch_alter_table("api_latency_samples", schema=None) as batch_op:
        # Newest samples of one endpoint (percentiles) and its windows (burn rate).
        batch_op.create_index("ix_api_latency_endpoint_sampled_at", ["endpoint_key", "sampled_at"], unique=False)
        # Retention.
        batch_op.create_index("ix_api_latency_sampled_at", ["sampled_at"], unique=False)

    op.create_table(
        "audit_chain_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("last_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain_head")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("verified_from", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoints")),
    )
    with op.batch_alter_table("audit_checkpoints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_checkpoints_seq"), ["seq"], unique=False)

    op.create_table(
        "item_escalations",
        sa.Column("item_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_escalations")),
    )
    with op.batch_alter_table("item_escalations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_escalations_run_id"), ["run_id"], unique=False)
        # autopilot_plan: what people were told last.
        batch_op.create_index("ix_item_escalations_told_at", ["told_at", "item_id"], unique=False)

    op.create_table(
        "job_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_name", sa.String(length=80), nullable=False),
        sa.Column("trigger", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "detail_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column(
            "options_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("executed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("requested_by", sa.String(length=120), nullable=False),
        sa.Column(
            "actor_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("retry_of", sa.Integer(), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missed_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("catch_up", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("claimed_by", sa.String(length=120), nullable=True),
        sa.Column("claim_token", sa.String(length=36), nullable=True),
        sa.Column("lease_seconds", sa.Integer(), server_default=sa.text("(60)"), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cancelled_by", sa.String(length=120), nullable=True),
        sa.Column("progress_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column(
            "progress_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "log_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_id", sa.String(length=36), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "state <> 'finished' OR (status IS NOT NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL)",
            name=op.f("ck_job_runs_finished"),
        ),
        sa.CheckConstraint("state IN ('queued', 'running', 'finished')", name=op.f("ck_job_runs_state")),
        sa.CheckConstraint("status IN ('success', 'warning', 'critical')", name=op.f("ck_job_runs_status")),
        sa.ForeignKeyConstraint(
            ["retry_of"], ["job_runs.id"], name=op.f("fk_job_runs_retry_of_job_runs"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        # The list of all jobs, newest first, and the same by status.
        batch_op.create_index("ix_job_runs_finished_at", ["finished_at", "id"], unique=False)
        # Latest and history of one job.
        batch_op.create_index("ix_job_runs_job_name_finished_at", ["job_name", "finished_at", "id"], unique=False)
        # What waits or runs: hand-over to the queue, reaper, the jobs page. Small, whatever the history.
        batch_op.create_index(
            "ix_job_runs_open",
            ["state", "id"],
            unique=False,
            sqlite_where=sa.text("state <> 'finished'"),
            postgresql_where=sa.text("state <> 'finished'"),
        )
        batch_op.create_index(batch_op.f("ix_job_runs_retry_of"), ["retry_of"], unique=False)
        batch_op.create_index("ix_job_runs_status_finished_at", ["status", "finished_at", "id"], unique=False)
        # At most one running run per job, held by the database.
        batch_op.create_index(
            "uq_job_runs_running",
            ["job_name"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        # An instant of the schedule is served once, however many schedulers see it.
        batch_op.create_index("uq_job_runs_scheduled_for", ["job_name", "scheduled_for"], unique=True)

    op.create_table(
        "job_schedules",
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("job_name", sa.String(length=80), nullable=False),
        sa.Column("known_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missed_total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job_schedules")),
    )
    op.create_table(
        "policy_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column(
            "sent",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "policy_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "changes",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("shadow", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", sa.String(length=20), server_default="open", nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_by_user_id", sa.Integer(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_policy_proposals_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_proposals")),
    )
    with op.batch_alter_table("policy_proposals", schema=None) as batch_op:
        # policy_proposals.listed: those of one policy, newest first.
        batch_op.create_index("ix_policy_proposals_policy_key", ["policy_key", "id"], unique=False)
        # One open proposal per policy: two at once would be decided on the same ground and contradict each other.
        batch_op.create_index(
            "uq_policy_proposals_open",
            ["policy_key"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "preflight_snapshots",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overall_status", sa.String(length=10), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("warning_count", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('web', 'worker', 'scheduler', 'command')", name=op.f("ck_preflight_snapshots_kind")
        ),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_preflight_snapshots")),
    )
    with op.batch_alter_table("preflight_snapshots", schema=None) as batch_op:
        # Newest snapshots of the web processes (gate, runbook).
        batch_op.create_index("ix_preflight_snapshots_kind_computed_at", ["kind", "computed_at"], unique=False)

    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_key", sa.String(length=240), nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="Asia/Seoul", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
        sa.UniqueConstraint("name_key", name=op.f("uq_sites_name_key")),
    )
    op.create_table(
        "sla_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_key", sa.String(length=200), nullable=False),
        sa.Column(
            "policy_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policies")),
        sa.UniqueConstraint("policy_key", name=op.f("uq_sla_policies_policy_key")),
    )
    op.create_table(
        "tracker_commands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_commands")),
        sa.UniqueConstraint("token", name=op.f("uq_tracker_commands_token")),
    )
    with op.batch_alter_table("tracker_commands", schema=None) as batch_op:
        # kpi: work that was taken back is no finished work.
        batch_op.create_index(
            "ix_tracker_commands_undone",
            ["tracker", "at", "id", "undone_at"],
            unique=False,
            sqlite_where=sa.text("undone_at IS NOT NULL"),
            postgresql_where=sa.text("undone_at IS NOT NULL"),
        )

    op.create_table(
        "tracker_completions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("site_key", sa.String(length=120), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("force_used", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "readiness",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_completions")),
    )
    with op.batch_alter_table("tracker_completions", schema=None) as batch_op:
        # tracker_completion.history: newest first.
        batch_op.create_index("ix_tracker_completions_scope", ["tracker", "site_key", "id"], unique=False)

    op.create_table(
        "tracker_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("site_key", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=40), server_default="active", nullable=False),
        sa.Column("completion_note", sa.Text(), server_default="", nullable=False),
        sa.Column("force_used", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("completed_by", sa.String(length=80), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "readiness",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gate_generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gate_decision", sa.String(length=20), nullable=True),
        sa.Column("gate_run_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("updated_by", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'completed', 'completed_with_exceptions')", name=op.f("ck_tracker_runs_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_runs")),
        sa.UniqueConstraint("tracker", "site_key", name="uq_tracker_runs_scope"),
    )
    op.create_table(
        "admin_audit_logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_username", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("resource_type", sa.String(length=80), nullable=False),
        sa.Column("resource_id", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="success", nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=True),
        sa.Column("entry_hash", sa.String(length=64), nullable=True),
        sa.Column("detail_json", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_text", sa.String(length=40), nullable=False),
        sa.Column("keyed_hash", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.String(length=16), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_user_id"],
            ["admin_users.id"],
            name=op.f("fk_admin_audit_logs_actor_user_id_admin_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_audit_logs")),
    )
    with op.batch_alter_table("admin_audit_logs", schema=None) as batch_op:
        # List by action; counts of an action since an instant (security dashboard, report exports).
        batch_op.create_index("ix_admin_audit_logs_action", ["action", "seq"], unique=False)
        # List by actor.
        batch_op.create_index("ix_admin_audit_logs_actor_username", ["actor_username", "seq"], unique=False)
        # Window of a month or of the list's date filter: first and last place in it.
        batch_op.create_index("ix_admin_audit_logs_created_at", ["created_at", "seq"], unique=False)
        # Everything that one request did.
        batch_op.create_index("ix_admin_audit_logs_request_id", ["request_id"], unique=False)
        # History of one record, and of all records of a type.
        batch_op.create_index("ix_admin_audit_logs_resource", ["resource_type", "resource_id", "seq"], unique=False)
        # List of what did not succeed; the many successes are left out of the index.
        batch_op.create_index(
            "ix_admin_audit_logs_status",
            ["status", "seq"],
            unique=False,
            sqlite_where=sa.text("status <> 'success'"),
            postgresql_where=sa.text("status <> 'success'"),
        )
        # Order of the list and of verification; one row per place in the chain.
        batch_op.create_index("uq_admin_audit_logs_seq", ["seq"], unique=True)

    op.create_table(
        "admin_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=120), server_default="", nullable=False),
        sa.Column("token_hash", sa.String(length=128), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("site_scope", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=40), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["admin_users.id"], name=op.f("fk_admin_tokens_user_id_admin_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_admin_tokens_token_hash")),
    )
    with op.batch_alter_table("admin_tokens", schema=None) as batch_op:
        # services.tokens: quota of a user, list of a user's live tokens.
        batch_op.create_index("ix_admin_tokens_user_id_is_active", ["user_id", "is_active"], unique=False)

    op.create_table(
        "alert_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("worker", sa.String(length=120), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["alert_deliveries.id"],
            name=op.f("fk_alert_attempts_delivery_id_alert_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_attempts")),
    )
    with op.batch_alter_table("alert_attempts", schema=None) as batch_op:
        # Attempts of one delivery.
        batch_op.create_index("ix_alert_attempts_delivery_id", ["delivery_id", "id"], unique=False)

    op.create_table(
        "audit_rebaselines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_month", sa.String(length=7), nullable=True),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_username", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("rebaselined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("changed_count", sa.Integer(), nullable=False),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_user_id"],
            ["admin_users.id"],
            name=op.f("fk_audit_rebaselines_actor_user_id_admin_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_rebaselines")),
    )
    op.create_table(
        "backlog_samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_job", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("open_items", sa.Integer(), nullable=False),
        sa.Column("overdue_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unassigned_open_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("critical_open_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name=op.f("fk_backlog_samples_run_id_job_runs"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backlog_samples")),
    )
    with op.batch_alter_table("backlog_samples", schema=None) as batch_op:
        # kpi.history: the samples of a window, oldest first.
        batch_op.create_index("ix_backlog_samples_finished_at", ["tracker", "finished_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_backlog_samples_run_id"), ["run_id"], unique=False)

    op.create_table(
        "policy_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_key", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "policy_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "changes",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=20), server_default="update", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["policy_proposals.id"],
            name=op.f("fk_policy_revisions_proposal_id_policy_proposals"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_revisions")),
        sa.UniqueConstraint("policy_key", "revision", name="uq_policy_revisions_number"),
    )
    op.create_table(
        "run_facts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("job_name", sa.String(length=80), nullable=False),
        sa.Column("parent_run_id", sa.Integer(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("force", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("skipped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("skip_reason", sa.String(length=40), nullable=True),
        sa.Column("acted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("planned_auto_assign", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("planned_escalation", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("did_auto_assign", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("did_escalation", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("errors_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_items", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("overdue_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unassigned_open_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("critical_open_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_items_after", sa.Integer(), nullable=True),
        sa.Column("overdue_count_after", sa.Integer(), nullable=True),
        sa.Column("unassigned_open_count_after", sa.Integer(), nullable=True),
        sa.Column("critical_open_count_after", sa.Integer(), nullable=True),
        sa.Column("assigned_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("notified_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("suppressed_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("policy_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_run_id"], ["job_runs.id"], name=op.f("fk_run_facts_parent_run_id_job_runs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name=op.f("fk_run_facts_run_id_job_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_facts")),
    )
    with op.batch_alter_table("run_facts", schema=None) as batch_op:
        # autopilot_guard: the newest run that acted, real ones and all of them.
        batch_op.create_index(
            "ix_run_facts_acted",
            ["job_name", "finished_at", "run_id", "dry_run"],
            unique=False,
            sqlite_where=sa.text("acted = 1"),
            postgresql_where=sa.text("acted"),
        )
        # run_answers: the runs inside an autopilot run.
        batch_op.create_index(
            "ix_run_facts_parent_run_id",
            ["parent_run_id"],
            unique=False,
            sqlite_where=sa.text("parent_run_id IS NOT NULL"),
            postgresql_where=sa.text("parent_run_id IS NOT NULL"),
        )

    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_start", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["admin_users.id"], name=op.f("fk_saved_views_user_id_admin_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        # services.views: the menu of a list, own and shared ones.
        batch_op.create_index("ix_saved_views_list_name", ["list_name", "is_shared"], unique=False)
        # One start page per person; held by the database.
        batch_op.create_index(
            "uq_saved_views_start",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("is_start"),
            postgresql_where=sa.text("is_start"),
        )
        # One name per person and list.
        batch_op.create_index("uq_saved_views_user_id_list_name_name", ["user_id", "list_name", "name"], unique=True)

    op.create_table(
        "shadow_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live_skip_reason", sa.String(length=40), nullable=True),
        sa.Column("live_assign_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("live_notify_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shadow_skip_reason", sa.String(length=40), nullable=True),
        sa.Column("shadow_assign_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shadow_notify_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("agrees", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("acted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["policy_proposals.id"],
            name=op.f("fk_shadow_runs_proposal_id_policy_proposals"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name=op.f("fk_shadow_runs_run_id_job_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_runs")),
        sa.UniqueConstraint("proposal_id", "run_id", name="uq_shadow_runs_run"),
    )
    with op.batch_alter_table("shadow_runs", schema=None) as batch_op:
        # shadow.comparison: the runs of a proposal over time; the shadow's own cooldown.
        batch_op.create_index("ix_shadow_runs_at", ["proposal_id", "at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shadow_runs_run_id"), ["run_id"], unique=False)

    op.create_table(
        "tracker_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("site_key", sa.String(length=120), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("item_key", sa.String(length=120), nullable=False),
        sa.Column("item_name", sa.String(length=300), server_default="", nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule_status", sa.String(length=20), server_default="warning", nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("9"), nullable=False),
        sa.Column("plan_rank", sa.Integer(), nullable=True),
        sa.Column("owner_role", sa.String(length=120), server_default="", nullable=False),
        sa.Column("sla_hours", sa.Integer(), server_default=sa.text("(24)"), nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "texts",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("gate_generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gate_run_id", sa.Integer(), nullable=True),
        sa.Column("source_decision", sa.String(length=20), server_default="", nullable=False),
        sa.Column("status", sa.String(length=20), server_default="pending", nullable=False),
        sa.Column("completion_checked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("completion_note", sa.Text(), server_default="", nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unproven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("assignee", sa.String(length=120), nullable=True),
        sa.Column("assignee_user_id", sa.Integer(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignment_source", sa.String(length=20), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("updated_by", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name=op.f("ck_tracker_items_completed")),
        sa.CheckConstraint("(status = 'done') = completion_checked", name=op.f("ck_tracker_items_checked")),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'done', 'blocked')", name=op.f("ck_tracker_items_status")
        ),
        sa.ForeignKeyConstraint(
            ["assignee_user_id"],
            ["admin_users.id"],
            name=op.f("fk_tracker_items_assignee_user_id_admin_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_items")),
        sa.UniqueConstraint("tracker", "number", name="uq_tracker_items_number"),
        sa.UniqueConstraint("tracker", "site_key", "item_type", "item_key", name="uq_tracker_items_identity"),
    )
    with op.batch_alter_table("tracker_items", schema=None) as batch_op:
        # kpi: ages of open items, the median by its position.
        batch_op.create_index(
            "ix_tracker_items_age",
            ["tracker", "opened_at", "site_key", "status", "is_active"],
            unique=False,
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )
        # workload: who was assigned something longest ago.
        batch_op.create_index("ix_tracker_items_assigned", ["assignee_user_id", "assigned_at"], unique=False)
        # tracker_lists: the same for one assignee; load per assignee.
        batch_op.create_index(
            "ix_tracker_items_assignee",
            ["tracker", "assignee", "is_active", "priority", "due_at", "id", "status", "site_key"],
            unique=False,
        )
        # tracker_lists: the columns of the board and their counts; tracker.py: overview and readiness.
        batch_op.create_index(
            "ix_tracker_items_board",
            ["tracker", "is_active", "status", "priority", "due_at", "id", "site_key", "assignee"],
            unique=False,
        )
        # Critical and open: overview, readiness and the rows behind that number.
        batch_op.create_index(
            "ix_tracker_items_critical",
            ["tracker", "priority", "due_at", "id", "site_key", "status", "is_active", "required", "rule_status"],
            unique=False,
            sqlite_where=sa.text("is_active = 1 AND status <> 'done' AND required = 1 AND rule_status = 'fail'"),
            postgresql_where=sa.text("is_active AND status <> 'done' AND required AND rule_status = 'fail'"),
        )
        # tracker_lists.my_items: open items of one person across all trackers; workload: how many they have.
        batch_op.create_index(
            "ix_tracker_items_mine",
            ["assignee_user_id", "due_at", "id", "status", "is_active"],
            unique=False,
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )
        # Overdue and due soon: lists, overview, readiness, board summary; the tail lets kpi count and sla_rows decide
        # about all open items inside the index.
        batch_op.create_index(
            "ix_tracker_items_open_due",
            [
                "tracker",
                "due_at",
                "priority",
                "id",
                "site_key",
                "status",
                "is_active",
                "required",
                "rule_status",
                "assignee",
                "owner_role",
                "sla_hours",
            ],
            unique=False,
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )
        # tracker_lists: items API and table in the default order, any page; the tail keeps filters inside the index.
        batch_op.create_index(
            "ix_tracker_items_order",
            ["tracker", "is_active", "priority", "due_at", "id", "status", "site_key", "assignee"],
            unique=False,
        )
        # tracker_lists: the same for one site.
        batch_op.create_index(
            "ix_tracker_items_site",
            ["tracker", "site_key", "is_active", "priority", "due_at", "id", "status"],
            unique=False,
        )
        # Unassigned: overview, readiness, the claimable part of "my work".
        batch_op.create_index(
            "ix_tracker_items_unassigned",
            ["tracker", "priority", "due_at", "id", "status", "site_key"],
            unique=False,
            sqlite_where=sa.text("is_active = 1 AND assignee IS NULL"),
            postgresql_where=sa.text("is_active AND assignee IS NULL"),
        )

    op.create_table(
        "web_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.String(length=64), server_default="", nullable=False),
        sa.Column("user_agent", sa.String(length=300), server_default="", nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["admin_users.id"], name=op.f("fk_web_sessions_user_id_admin_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        # services.sessions: clean-up of ended sessions.
        batch_op.create_index("ix_web_sessions_expires_at", ["expires_at"], unique=False)
        # services.sessions: sessions of a person, sign-out everywhere.
        batch_op.create_index("ix_web_sessions_user_id_revoked_at", ["user_id", "revoked_at"], unique=False)

    op.create_table(
        "audit_rebaseline_rows",
        sa.Column("rebaseline_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("old_prev_hash", sa.String(length=64), nullable=True),
        sa.Column("old_entry_hash", sa.String(length=64), nullable=True),
        sa.Column("old_keyed_hash", sa.String(length=64), nullable=True),
        sa.Column("old_key_id", sa.String(length=16), nullable=True),
        sa.Column("old_created_text", sa.String(length=40), nullable=True),
        sa.Column("missing_before", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("new_prev_hash", sa.String(length=64), nullable=True),
        sa.Column("new_entry_hash", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["rebaseline_id"],
            ["audit_rebaselines.id"],
            name=op.f("fk_audit_rebaseline_rows_rebaseline_id_audit_rebaselines"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("rebaseline_id", "seq", name=op.f("pk_audit_rebaseline_rows")),
    )
    with op.batch_alter_table("audit_rebaseline_rows", schema=None) as batch_op:
        # What a row under a checkpoint was changed to.
        batch_op.create_index("ix_audit_rebaseline_rows_seq", ["seq", "rebaseline_id"], unique=False)

    op.create_table(
        "shadow_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("level", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("assignee", sa.String(length=120), nullable=True),
        sa.Column("live", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["tracker_items.id"],
            name=op.f("fk_shadow_decisions_item_id_tracker_items"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["policy_proposals.id"],
            name=op.f("fk_shadow_decisions_proposal_id_policy_proposals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_decisions")),
        sa.UniqueConstraint("proposal_id", "action", "item_id", "level", name="uq_shadow_decisions_item"),
    )
    with op.batch_alter_table("shadow_decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shadow_decisions_item_id"), ["item_id"], unique=False)

    op.create_table(
        "tracker_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("tracker", sa.String(length=40), nullable=False),
        sa.Column("site_key", sa.String(length=120), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "old",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "new",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("from_status", sa.String(length=20), nullable=True),
        sa.Column("to_status", sa.String(length=20), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("command_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["command_id"],
            ["tracker_commands.id"],
            name=op.f("fk_tracker_events_command_id_tracker_commands"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["tracker_items.id"], name=op.f("fk_tracker_events_item_id_tracker_items"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracker_events")),
    )
    with op.batch_alter_table("tracker_events", schema=None) as batch_op:
        # tracker.recent_events: the stream of a tracker, newest first.
        batch_op.create_index("ix_tracker_events_at", ["tracker", "at", "id"], unique=False)
        # tracker_undo: what one command did.
        batch_op.create_index(
            "ix_tracker_events_command_id",
            ["command_id"],
            unique=False,
            sqlite_where=sa.text("command_id IS NOT NULL"),
            postgresql_where=sa.text("command_id IS NOT NULL"),
        )
        # tracker.board_summary: work finished per day.
        batch_op.create_index(
            "ix_tracker_events_done",
            ["tracker", "at", "site_key"],
            unique=False,
            sqlite_where=sa.text("to_status = 'done'"),
            postgresql_where=sa.text("to_status = 'done'"),
        )
        # tracker_items.events: timeline of one item.
        batch_op.create_index("ix_tracker_events_item_id", ["item_id", "id"], unique=False)


def downgrade():
    with op.batch_alter_table("tracker_events", schema=None) as batch_op:
        batch_op.drop_index("ix_tracker_events_item_id")
        batch_op.drop_index(
            "ix_tracker_events_done",
            sqlite_where=sa.text("to_status = 'done'"),
            postgresql_where=sa.text("to_status = 'done'"),
        )
        batch_op.drop_index(
            "ix_tracker_events_command_id",
            sqlite_where=sa.text("command_id IS NOT NULL"),
            postgresql_where=sa.text("command_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_tracker_events_at")

    op.drop_table("tracker_events")
    with op.batch_alter_table("shadow_decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shadow_decisions_item_id"))

    op.drop_table("shadow_decisions")
    with op.batch_alter_table("audit_rebaseline_rows", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_rebaseline_rows_seq")

    op.drop_table("audit_rebaseline_rows")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_web_sessions_user_id_revoked_at")
        batch_op.drop_index("ix_web_sessions_expires_at")

    op.drop_table("web_sessions")
    with op.batch_alter_table("tracker_items", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_tracker_items_unassigned",
            sqlite_where=sa.text("is_active = 1 AND assignee IS NULL"),
            postgresql_where=sa.text("is_active AND assignee IS NULL"),
        )
        batch_op.drop_index("ix_tracker_items_site")
        batch_op.drop_index("ix_tracker_items_order")
        batch_op.drop_index(
            "ix_tracker_items_open_due",
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )
        batch_op.drop_index(
            "ix_tracker_items_mine",
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )
        batch_op.drop_index(
            "ix_tracker_items_critical",
            sqlite_where=sa.text("is_active = 1 AND status <> 'done' AND required = 1 AND rule_status = 'fail'"),
            postgresql_where=sa.text("is_active AND status <> 'done' AND required AND rule_status = 'fail'"),
        )
        batch_op.drop_index("ix_tracker_items_board")
        batch_op.drop_index("ix_tracker_items_assignee")
        batch_op.drop_index("ix_tracker_items_assigned")
        batch_op.drop_index(
            "ix_tracker_items_age",
            sqlite_where=sa.text("is_active = 1 AND status <> 'done'"),
            postgresql_where=sa.text("is_active AND status <> 'done'"),
        )

    op.drop_table("tracker_items")
    with op.batch_alter_table("shadow_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shadow_runs_run_id"))
        batch_op.drop_index("ix_shadow_runs_at")

    op.drop_table("shadow_runs")
    with op.batch_alter_table("saved_views", schema=None) as batch_op:
        batch_op.drop_index("uq_saved_views_user_id_list_name_name")
        batch_op.drop_index(
            "uq_saved_views_start", sqlite_where=sa.text("is_start"), postgresql_where=sa.text("is_start")
        )
        batch_op.drop_index("ix_saved_views_list_name")

    op.drop_table("saved_views")
    with op.batch_alter_table("run_facts", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_run_facts_parent_run_id",
            sqlite_where=sa.text("parent_run_id IS NOT NULL"),
            postgresql_where=sa.text("parent_run_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_run_facts_acted", sqlite_where=sa.text("acted = 1"), postgresql_where=sa.text("acted"))

    op.drop_table("run_facts")
    op.drop_table("policy_revisions")
    with op.batch_alter_table("backlog_samples", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_backlog_samples_run_id"))
        batch_op.drop_index("ix_backlog_samples_finished_at")

    op.drop_table("backlog_samples")
    op.drop_table("audit_rebaselines")
    with op.batch_alter_table("alert_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_attempts_delivery_id")

    op.drop_table("alert_attempts")
    with op.batch_alter_table("admin_tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_admin_tokens_user_id_is_active")

    op.drop_table("admin_tokens")
    with op.batch_alter_table("admin_audit_logs", schema=None) as batch_op:
        batch_op.drop_index("uq_admin_audit_logs_seq")
        batch_op.drop_index(
            "ix_admin_audit_logs_status",
            sqlite_where=sa.text("status <> 'success'"),
            postgresql_where=sa.text("status <> 'success'"),
        )
        batch_op.drop_index("ix_admin_audit_logs_resource")
        batch_op.drop_index("ix_admin_audit_logs_request_id")
        batch_op.drop_index("ix_admin_audit_logs_created_at")
        batch_op.drop_index("ix_admin_audit_logs_actor_username")
        batch_op.drop_index("ix_admin_audit_logs_action")

    op.drop_table("admin_audit_logs")
    op.drop_table("tracker_runs")
    with op.batch_alter_table("tracker_completions", schema=None) as batch_op:
        batch_op.drop_index("ix_tracker_completions_scope")

    op.drop_table("tracker_completions")
    with op.batch_alter_table("tracker_commands", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_tracker_commands_undone",
            sqlite_where=sa.text("undone_at IS NOT NULL"),
            postgresql_where=sa.text("undone_at IS NOT NULL"),
        )

    op.drop_table("tracker_commands")
    op.drop_table("sla_policies")
    op.drop_table("sites")
    with op.batch_alter_table("preflight_snapshots", schema=None) as batch_op:
        batch_op.drop_index("ix_preflight_snapshots_kind_computed_at")

    op.drop_table("preflight_snapshots")
    with op.batch_alter_table("policy_proposals", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_policy_proposals_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_policy_proposals_policy_key")

    op.drop_table("policy_proposals")
    op.drop_table("job_schedules")
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_index("uq_job_runs_scheduled_for")
        batch_op.drop_index(
            "uq_job_runs_running",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.drop_index("ix_job_runs_status_finished_at")
        batch_op.drop_index(batch_op.f("ix_job_runs_retry_of"))
        batch_op.drop_index(
            "ix_job_runs_open",
            sqlite_where=sa.text("state <> 'finished'"),
            postgresql_where=sa.text("state <> 'finished'"),
        )
        batch_op.drop_index("ix_job_runs_job_name_finished_at")
        batch_op.drop_index("ix_job_runs_finished_at")

    op.drop_table("job_runs")
    with op.batch_alter_table("item_escalations", schema=None) as batch_op:
        batch_op.drop_index("ix_item_escalations_told_at")
        batch_op.drop_index(batch_op.f("ix_item_escalations_run_id"))

    op.drop_table("item_escalations")
    with op.batch_alter_table("audit_checkpoints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_checkpoints_seq"))

    op.drop_table("audit_checkpoints")
    op.drop_table("audit_chain_head")
    with op.batch_alter_table("api_latency_samples", schema=None) as batch_op:
        batch_op.drop_index("ix_api_latency_sampled_at")
        batch_op.drop_index("ix_api_latency_endpoint_sampled_at")

    op.drop_table("api_latency_samples")
    with op.batch_alter_table("alert_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_deliveries_status_last_attempt_at")
        batch_op.drop_index("ix_alert_deliveries_last_attempt_at")
        batch_op.drop_index("ix_alert_deliveries_event_type")
        batch_op.drop_index(
            "ix_alert_deliveries_due",
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_alert_deliveries_channel")

    op.drop_table("alert_deliveries")
    with op.batch_alter_table("admin_users", schema=None) as batch_op:
        batch_op.drop_index("ix_admin_users_role_is_active")

    op.drop_table("admin_users")
