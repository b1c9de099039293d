"""The table of settings; `console/core/config.py` reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["str", "bool", "int", "float", "list", "choice", "path", "url", "zone"]


@dataclass(frozen=True)
class Setting:
    """One variable of the environment.

    `minimum` raises a smaller value to itself (published rule), `maximum` refuses a larger one; `secret` values never
    appear in logs, pages or the preflight.
    """

    name: str
    kind: Kind
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    section: str = ""


def _section(name: str, *rows: tuple[Any, ...] | Setting) -> tuple[Setting, ...]:
    return tuple(replace(row if isinstance(row, Setting) else Setting(*row), section=name) for row in rows)


RUNTIME = _section(
    "Runtime",
    ("ENV", "str", "local", "Name of the environment; `prod` and `production` switch the strict defaults on"),
    ("HOST", "str", "127.0.0.1", "Address that `make run` listens on"),
    ("PORT", "int", 8001, "Port that `make run` listens on", 1, 65535),
    ("DATA_DIR", "path", "./data", "Folder of the database, the queue, keys and archives"),
    ("WEB_WORKERS", "int", 1, "Web processes of `make run`", 1, 64),
    ("WEB_THREADS", "int", 8, "Threads of each web process", 1, 256),
    ("DEMO", "bool", True, "Fill an empty database with the demo company at the first start"),
    ("PUBLIC_URL", "url", "", "Address under which people reach the console; Origin checks behind a proxy, and passkeys are bound to its host"),
    ("ALLOWED_HOSTS", "list", (), "Host names that are answered, `.example.com` with all below, `*` all; in production that of PUBLIC_URL unless set"),
    ("TRUSTED_PROXIES", "int", 0, "How many reverse proxies in front may be believed about address and scheme", 0, 8),
    ("MAX_BODY_BYTES", "int", 6 * 1024 * 1024, "Largest request body", 1024),
    ("REQUEST_HEADER_SECONDS", "int", 20, "Seconds within which the head of a request must be there, and an idle connection is kept", 1, 60),
    ("REQUEST_BODY_SECONDS", "int", 30, "Seconds within which the whole body of a request must be there; 408 beyond", 1, 600),
    ("LOG_LEVEL", "choice", "info", "Least level that is logged", None, None, ("debug", "info", "warning", "error")),
    ("METRICS_ENABLED", "bool", True, "Measure requests and answer `/metrics`"),
    Setting("METRICS_TOKEN", "str", "", "Bearer token for `/metrics`; without it a token with `security:read` is needed", secret=True),
    Setting("HEARTBEAT_URL", "url", "", "Address outside that the scheduler calls every minute while worker, scheduler and queue are well", secret=True),
    ("BUSINESS_TIME_ZONE", "zone", "Asia/Seoul", "Zone of working hours, days and weeks for people"),
    ("API_DOCS", "choice", "auto", "Who may read the API documents; auto is owner-only in production", None, None,
     ("auto", "public", "owner", "off")),
    Setting("SECRET_KEY", "str", "", "Signs cookies; made once in DATA_DIR when empty", secret=True),
)  # fmt: skip

STORES = _section(
    "Stores",
    Setting("DATABASE_URL", "url", "", "PostgreSQL address; empty is the SQLite file in DATA_DIR", secret=True),
    ("DATABASE_POOL_SIZE", "int", 10, "Connections that a process keeps open", 1, 200),
    Setting("REDIS_URL", "url", "", "Redis address; empty is the embedded one of `make run`", secret=True),
)

IDENTITY = _section(
    "Identity",
    Setting("ADMIN_TOKEN", "str", "", "Bootstrap token of the first owner", secret=True),
    Setting("ADMIN_PASSWORD", "str", "", "Password of the first owner; empty makes a one-time one", secret=True),
    ("ALLOW_INSECURE_LOCAL_AUTH", "bool", False, "Owner without a credential; only with ENV=local and a loopback peer"),
    Setting("PASSWORD_HASH_PROFILE", "choice", "standard", "Cost of password hashes; `cheapest` is for tests",
            choices=("standard", "cheapest")),
    ("ADMIN_TOKEN_REQUIRE_EXPIRY", "bool", True, "Tokens always expire"),
    ("ADMIN_TOKEN_MAX_TTL_DAYS", "int", 30, "Longest life of a token in days", 1),
    ("ADMIN_TOKEN_ROTATE_AFTER_DAYS", "int", 45, "Age in days at which a token stops working", 1),
    ("ADMIN_TOKEN_ROTATE_WARNING_DAYS", "int", 7, "Days before that age at which `must_rotate` shows; 0 never", 0),
    ("ADMIN_TOKEN_MAX_IDLE_DAYS", "int", 30, "Days without use after which a token stops working", 1),
    ("ADMIN_TOKEN_MAX_ACTIVE_PER_USER", "int", 5, "Live tokens of one user", 1),
    ("ADMIN_TOKEN_ENV_FALLBACK", "bool", False, "Go on accepting ADMIN_TOKEN itself although an owner can sign in (old automation)"),
    ("ADMIN_TOKEN_ROTATE_GRACE_SECONDS", "int", 0, "Seconds that a token goes on working after it was rotated", 0, 86400),
    ("ADMIN_TOKEN_ROTATE_KEEP_EXPIRY", "bool", False, "A rotated token keeps the old expiry (old clients) instead of a fresh life"),
    Setting("TOKEN_PEPPER", "str", "", "Key of stored token hashes; plain hashes stay valid and move on use", secret=True),
    ("SITE_SCOPE_EMPTY_MEANS_ALL", "bool", False, "An empty site list in a request means all sites (old clients) instead of none"),
    ("GRANT_CONTAINMENT", "bool", True, "Nobody grants roles, permissions or sites beyond their own; off only for old automation"),
    ("API_LOGIN_BEFORE_OWN_PASSWORD", "bool", False, "A one-time password is enough for a token (old clients); strict is to choose an own one first"),
    ("OWNER_SECOND_FACTOR_REQUIRED", "bool", False, "Owners go on only after they switched on a second factor, an app or a passkey"),
    ("PASSWORD_MIN_LENGTH", "int", 10, "Shortest password", 8, 64),
    ("SESSION_IDLE_MINUTES", "int", 480, "Minutes without a request after which a browser session ends", 5, 10080),
    ("SESSION_ABSOLUTE_HOURS", "int", 168, "Hours after which a browser session ends in any case", 1, 2160),
    ("SIGN_IN_WINDOW_SEC", "int", 300, "Window of failed sign-ins in seconds", 10, 86400),
    ("SIGN_IN_MAX_FAILURES", "int", 5, "Failed sign-ins per account and address in that window", 1),
    ("SIGN_IN_MAX_FAILURES_ADDRESS", "int", 30, "Failed sign-ins per address in that window", 1),
    ("SIGN_IN_MAX_FAILURES_ACCOUNT", "int", 60, "Failed sign-ins per account from everywhere in an hour", 1),
    Setting("HSTS", "choice", "auto", "Strict-Transport-Security; auto is on in production and on https",
            choices=("auto", "on", "off")),
    ("HSTS_SUBDOMAINS", "bool", False, "Strict-Transport-Security holds for all names below this one as well"),
    ("HSTS_PRELOAD", "bool", False, "Strict-Transport-Security asks browsers to build it in; together with HSTS_SUBDOMAINS only"),
)  # fmt: skip

RATE_LIMIT = _section(
    "Rate limits",
    ("API_RATE_LIMIT_ENABLED", "bool", True, "Limit requests per caller"),
    ("API_RATE_LIMIT_WINDOW_SEC", "int", 60, "Length of the window in seconds", 1),
    ("API_RATE_LIMIT_MAX_PUBLIC", "int", 120, "Requests without credential per window", 1),
    ("API_RATE_LIMIT_MAX_PUBLIC_HEAVY", "int", 60, "Downloads without credential per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH", "int", 300, "Reads per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH_HEAVY", "int", 40, "Heavy downloads per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH_ADMIN", "int", 180, "Requests below /api/admin per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH_WRITE", "int", 120, "Writes per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH_UPLOAD", "int", 40, "Uploads per window", 1),
    ("API_RATE_LIMIT_MAX_AUTH_FAILURES", "int", 20, "Refused tokens per address and window before 429", 1),
    (
        "API_RATE_LIMIT_IDENTITY",
        "choice",
        "verified",
        "Counted under: the verified caller, or any token text (old clients)",
        None,
        None,
        ("verified", "header"),
    ),
    (
        "API_UNKNOWN_FIELDS",
        "choice",
        "refuse",
        "Body fields that nobody knows, policy values of a wrong type: refused, or passed over (old clients)",
        None,
        None,
        ("refuse", "ignore"),
    ),
    ("PAGE_RATE_LIMIT_MAX", "int", 1200, "Requests to pages per person (or address) and window", 1),
    ("API_RATE_LIMIT_STORE", "choice", "auto", "Where the counters live", None, None, ("auto", "memory", "redis")),
    Setting("API_RATE_LIMIT_REDIS_URL", "url", "", "Redis of the counters; empty is REDIS_URL", secret=True),
    ("API_RATE_LIMIT_REDIS_KEY_PREFIX", "str", "kaos:ratelimit", "Start of every counter's key"),
)

AUDIT = _section(
    "Audit",
    Setting("AUDIT_ARCHIVE_SIGNING_KEY", "str", "", "HMAC key of archives; empty leaves them unsigned", secret=True),
    ("AUDIT_DENIED_MAX_PER_MINUTE", "int", 20, "Refused requests that reach the audit trail per minute; 0 none", 0),
    ("AUDIT_ARCHIVE_SIGNING_REQUIRED", "bool", False, "Missing signing key is a preflight error"),
    Setting("AUDIT_CHAIN_KEY", "str", "", "Key of the second hash; made once in DATA_DIR when empty", secret=True),
    Setting("AUDIT_CHAIN_KEY_PREVIOUS", "list", (), "Earlier chain keys; their rows still verify", secret=True),
    ("AUDIT_ARCHIVE_PATH", "path", "audit-archives", "Folder of monthly archives"),
    ("AUDIT_CHECKPOINT_PATH", "path", "audit-checkpoints", "Folder of signed checkpoints, kept outside the database"),
    ("AUDIT_CHECKPOINT_ENTRIES", "int", 500, "Entries after which the scheduler signs a checkpoint", 1, 100000),
    ("AUDIT_CHECKPOINT_MINUTES", "int", 5, "Minutes after which it signs one, if there is anything new", 1, 1440),
    ("AUDIT_CHECKPOINT_COPY_PATH", "path", "", "Folder for a copy of every checkpoint, best on another machine; empty for none"),
    Setting("AUDIT_CHECKPOINT_COPY_URLS", "str", "", "Webhooks that get a copy of every checkpoint, separated by comma, semicolon or newline",
            secret=True),
    ("AUDIT_CHECKPOINT_COPY_MAIL_TO", "str", "", "Mail addresses that get one, separated alike; the mail server is ALERT_SMTP_URL"),
    ("AUDIT_REBASELINE_CONFIRM", "choice", "auto", "A real rebaseline needs confirm=true or a reason; auto in production",
     None, None, ("auto", "always", "never")),
)  # fmt: skip

LATENCY = _section(
    "Latency",
    ("API_LATENCY_MONITOR_ENABLED", "bool", True, "Measure requests and send X-Request-Duration-Ms"),
    ("API_LATENCY_MONITOR_WINDOW", "int", 300, "Newest samples per endpoint that count for percentiles", 20),
    ("API_LATENCY_MIN_SAMPLES", "int", 8, "Samples needed for a verdict", 1),
    ("API_LATENCY_P95_WARNING_MS", "float", 450.0, "P95 in ms from which an endpoint is slow", 1),
    ("API_LATENCY_P95_CRITICAL_MS", "float", 900.0, "P95 in ms from which an endpoint is critical", 1),
    ("API_LATENCY_PERSIST_ENABLED", "bool", True, "Store samples in the database"),
    ("API_LATENCY_PERSIST_RETENTION_DAYS", "int", 30, "Days that samples are kept", 1),
    ("API_LATENCY_TREND_RETENTION_DAYS", "int", 90, "Days that hourly sums and burn alerts are kept", 31),
    ("API_LATENCY_PERSIST_PRUNE_INTERVAL", "int", 200, "Kept for old set-ups; retention is a job", 1),
    ("API_LATENCY_STALE_AFTER_MIN", "int", 120, "Minutes after which a silent endpoint counts as idle", 1),
    ("API_LATENCY_TARGETS", "list",
     ("GET /health", "GET /meta", "GET /api/inspections", "GET /api/work-orders", "GET /api/ops/dashboard/summary"),
     "Endpoints that are sampled, as METHOD /path or a route template"),
    ("API_BURN_RATE_SHORT_WINDOW_MIN", "int", 5, "Short window in minutes", 1),
    ("API_BURN_RATE_LONG_WINDOW_MIN", "int", 60, "Long window in minutes", 1),
    ("API_BURN_RATE_MIN_SAMPLES", "int", 8, "Samples a window needs", 1),
    ("API_BURN_RATE_WARNING", "float", 2.0, "Burn rate from which it is a warning", 0.1),
    ("API_BURN_RATE_CRITICAL", "float", 10.0, "Burn rate from which it is critical", 0.1),
    ("API_BURN_RATE_ERROR_SLO_PERCENT", "float", 99.0, "Requests without error, in percent", 0.1, 100),
    ("API_BURN_RATE_LATENCY_SLO_PERCENT", "float", 95.0, "Requests in time, in percent", 0.1, 100),
    ("API_BURN_RATE_SAMPLE_LIMIT", "int", 1500, "Kept for old set-ups; every sample of a window counts", 20),
)  # fmt: skip

JOBS = _section(
    "Jobs",
    ("JOB_LEASE_SECONDS", "int", 60, "Seconds without heartbeat after which a run counts as lost", 5, 3600),
    ("JOB_TIMEOUT_SECONDS", "int", 3600, "Longest time a run may take in a worker", 30, 86400),
    ("JOB_DETAIL_MAX_BYTES", "int", 1024 * 1024, "Largest stored result of a run; bigger parts are left out", 4096),
    ("JOB_RUNS_RETENTION_DAYS", "int", 400, "Days that finished runs are kept", 1),
    ("JOB_RUNS_SKIPPED_DAYS", "int", 7, "Days that runs which found nothing to do are kept", 1),
    ("JOB_RUNS_KEEP_PER_JOB", "int", 200, "Newest runs of each job that are kept whatever their age", 1),
)

PREFLIGHT = _section(
    "Preflight and documents",
    ("PREFLIGHT_REQUIRED_ENV", "list", ("DATABASE_URL",), "Variables that must be set"),
    ("PREFLIGHT_FAIL_ON_ERROR", "bool", False, "Refuse to start with a preflight error; true in production"),
    ("OPS_DAILY_CHECK_ARCHIVE_ENABLED", "bool", True, "Keep daily check results as files"),
    ("OPS_DAILY_CHECK_ARCHIVE_PATH", "path", "ops-daily-check-archives", "Folder of daily check results"),
    ("OPS_DAILY_CHECK_ARCHIVE_RETENTION_DAYS", "int", 60, "Days that daily check results are kept", 1),
    (
        "OPS_DAILY_CHECK_ALERT_LEVEL",
        "str",
        "critical",
        "Results of the daily check that are told: off, warning, critical or always",
    ),
    ("RUNBOOK_CRITICAL_REVIEW_LOOKBACK_DAYS", "int", 35, "Days of deploys that a monthly runbook review looks back", 7),
    ("RUNBOOK_CRITICAL_REVIEW_SAMPLE_LIMIT", "int", 8, "Deploys that a monthly runbook review lists", 1),
    ("OPS_QUALITY_REPORT_ARCHIVE_ENABLED", "bool", True, "Keep quality reports as files"),
    ("OPS_QUALITY_REPORT_ARCHIVE_PATH", "path", "ops-quality-reports", "Folder of quality reports"),
    ("OPS_QUALITY_REPORT_ARCHIVE_RETENTION_DAYS", "int", 180, "Days that quality reports are kept as files", 1),
    ("OPS_QUALITY_WEEKLY_STREAK_TARGET", "int", 4, "Weeks in a row with a quality report that the gate wants", 1),
    ("DEPLOY_CHECKLIST_VERSION", "str", "", "Version of the deploy checklist; empty: derived from its signature"),
    ("DEPLOY_UI_CORE_PATH", "str", "/overview", "Page whose frame a deploy smoke looks at"),
    (
        "DEPLOY_UI_CORE_MARKERS",
        "list",
        ("KA Facility OS", 'id="nav"', 'id="content"', 'href="/gate"'),
        "What the source of that page has to contain",
    ),
    ("DEPLOY_SMOKE_RECENT_HOURS", "int", 48, "Hours that a deploy smoke counts as recent in the runbook", 1),
    ("DEPLOY_SMOKE_ARCHIVE_ENABLED", "bool", True, "Keep deploy smoke records as files"),
    ("DEPLOY_SMOKE_ARCHIVE_PATH", "path", "deploy-smoke-archives", "Folder of deploy smoke records"),
    ("DEPLOY_SMOKE_ARCHIVE_RETENTION_DAYS", "int", 30, "Days that these files are kept; their records stay", 1),
    ("DEPLOY_SMOKE_REQUIRE_RUNBOOK_GATE", "bool", True, "A deploy smoke counts only with a passed runbook gate"),
    ("DR_REHEARSAL_ENABLED", "bool", True, "Recovery rehearsals are part of the programme"),
    ("DR_REHEARSAL_BACKUP_PATH", "path", "dr-rehearsal", "Folder of rehearsal backups, best on another disk"),
    (
        "DR_REHEARSAL_RETENTION_DAYS",
        "int",
        120,
        "Days that rehearsal backups are kept; the newest proven one always stays",
        1,
    ),
    (
        "DR_REHEARSAL_EVIDENCE_SAMPLE",
        "int",
        40,
        "Evidence files that each rehearsal takes along and opens again",
        0,
        10_000,
    ),
    Setting("DR_REHEARSAL_KEY", "str", "", "Key that seals backups; empty is DR_REHEARSAL_KEY_FILE", secret=True),
    (
        "DR_REHEARSAL_KEY_FILE",
        "path",
        "",
        "File of that key, outside the folder of the backups; empty makes one in DATA_DIR",
    ),
    ("ALERT_NOISE_REVIEW_WINDOW_DAYS", "int", 14, "Days over which alert noise is reviewed", 1),
    ("ALERT_NOISE_FALSE_POSITIVE_THRESHOLD_PERCENT", "float", 5.0, "False alarms that are tolerated", 0.1),
    ("ALERT_NOISE_FALSE_NEGATIVE_THRESHOLD_PERCENT", "float", 1.0, "Missed incidents that are tolerated", 0.1),
)

GATE = _section(
    "Governance gate",
    ("GOVERNANCE_GATE_ALLOW_WARNING", "bool", True, "GO is possible with warnings"),
    ("GOVERNANCE_GATE_MAX_SECURITY_RISK_LEVEL", "choice", "high", "Highest risk level that passes", None, None,
     ("low", "medium", "high", "critical")),
    ("GOVERNANCE_GATE_REQUIRE_PREFLIGHT_NO_ERROR", "bool", True, "Rule 1 is required"),
    ("GOVERNANCE_GATE_REQUIRE_RUNBOOK_NO_CRITICAL", "bool", True, "Rule 2 is required"),
    ("GOVERNANCE_GATE_REQUIRE_DAILY_CHECK_RECENT", "bool", False, "Rule 4 is required"),
    ("GOVERNANCE_GATE_DAILY_CHECK_MAX_AGE_HOURS", "int", 36, "Age of a daily check that still counts", 1),
    ("GOVERNANCE_GATE_REQUIRE_DR_RESTORE_VALID", "bool", False, "Rule 5 is required"),
    ("GOVERNANCE_GATE_DR_MAX_AGE_DAYS", "int", 35, "Age of a rehearsal that still counts", 1),
    ("GOVERNANCE_GATE_REQUIRE_DEPLOY_SMOKE_BINDING", "bool", False, "Rule 6 is required"),
    ("GOVERNANCE_GATE_DEPLOY_SMOKE_MAX_AGE_HOURS", "int", 72, "Age of a deploy smoke that still counts", 1),
    ("GOVERNANCE_GATE_REQUIRE_WEEKLY_STREAK", "bool", False, "Rule 7 is required"),
    ("GOVERNANCE_GATE_SECURITY_DASHBOARD_DAYS", "int", 30, "Days that the risk score looks back", 7, 180),
    ("GOVERNANCE_GATE_DR_WEIGHT", "float", 2.0, "Weight of rule 5", 1.0),
    ("GOVERNANCE_GATE_MIN_WEIGHTED_SCORE_PERCENT", "float", 75.0, "Least weighted score for GO", 0, 100),
)  # fmt: skip

TRACKER = _section(
    "Tracker",
    ("GOVERNANCE_REMEDIATION_SYNC_STALE_HOURS", "int", 26, "Hours without a sync after which the tracker reads as stale", 1),
    ("TRACKER_UNDO_SECONDS", "int", 60, "Seconds in which a change on the board can be taken back", 30, 86400),
    ("TRACKER_BULK_DIRECT_ROWS", "int", 200, "Rows up to which a bulk action runs at once; above it becomes a job", 1, 1000),
)  # fmt: skip

AUTOMATION = _section(
    "Remediation automation",
    ("GOVERNANCE_REMEDIATION_ESCALATION_ENABLED", "bool", True, "The escalation job may run; off makes its runs skip"),
    ("GOVERNANCE_REMEDIATION_ESCALATION_DUE_SOON_HOURS", "int", 12, "Hours before the deadline at which an item is escalated, until a policy says otherwise", 0),
    ("GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED", "bool", True, "Escalations send messages, unless a run says otherwise; off silences them whatever the policy says"),
    ("GOVERNANCE_REMEDIATION_AUTO_ASSIGN_ENABLED", "bool", True, "The assignment job may run; off makes its runs skip"),
    ("GOVERNANCE_REMEDIATION_AUTO_ASSIGN_MAX_ITEMS", "int", 30, "Items that one assignment run gives away, until a policy says otherwise", 1),
    ("GOVERNANCE_REMEDIATION_KPI_WINDOW_DAYS", "int", 14, "Days that the figures look back, until a policy says otherwise", 1),
    ("GOVERNANCE_REMEDIATION_KPI_DUE_SOON_HOURS", "int", 24, "Hours that count as due soon in the figures, until a policy says otherwise", 0),
    ("GOVERNANCE_REMEDIATION_AUTOPILOT_ENABLED", "bool", True, "The autopilot is on, until a policy says otherwise"),
    ("GOVERNANCE_REMEDIATION_AUTOPILOT_NOTIFY_ENABLED", "bool", True, "The autopilot sends messages, until a policy says otherwise"),
    ("GOVERNANCE_REMEDIATION_AUTOPILOT_UNASSIGNED_TRIGGER", "int", 1, "Unassigned items from which the autopilot assigns, until a policy says otherwise", 0),
    ("GOVERNANCE_REMEDIATION_AUTOPILOT_OVERDUE_TRIGGER", "int", 1, "Late items from which the autopilot escalates, until a policy says otherwise", 0),
    ("GOVERNANCE_REMEDIATION_AUTOPILOT_COOLDOWN_MINUTES", "int", 30, "Minutes between two runs of the autopilot that act, until a policy says otherwise", 0),
)  # fmt: skip

ALERTS = _section(
    "Alerts",
    Setting("ALERT_WEBHOOK_URLS", "str", "", "Webhooks, separated by comma, semicolon or newline", secret=True),
    Setting("ALERT_WEBHOOK_URL", "str", "", "One more webhook", secret=True),
    Setting("ALERT_SLACK_URLS", "str", "", "Incoming webhooks of Slack, separated alike", secret=True),
    Setting("ALERT_TEAMS_URLS", "str", "", "Workflow webhooks of Teams, separated alike", secret=True),
    ("ALERT_MAIL_TO", "str", "", "Mail addresses, separated alike"),
    ("ALERT_MAIL_FROM", "str", "facility-os@localhost", "Sender of mails"),
    Setting("ALERT_SMTP_URL", "url", "", "Mail server: smtp://, smtp+starttls:// or smtps://user:password@host:port",
            secret=True),
    Setting("ALERT_SIGNING_SECRET", "str", "", "Signs webhooks (Standard Webhooks); empty leaves them unsigned",
            secret=True),
    ("ALERT_WEBHOOK_TIMEOUT_SEC", "float", 5.0, "Seconds an attempt may take", 0.1, 120),
    ("ALERT_MAX_ATTEMPTS", "int", 10, "Attempts after which a delivery is given up", 1, 1000),
    ("ALERT_WEBHOOK_RETRIES", "int", 3, "Attempts of a trial of a channel, half a second, a second, two between them; below 1 is 1", 0, 10),
    ("ALERT_CHANNEL_GUARD_ENABLED", "bool", True, "A channel that fails again and again is left alone for a while"),
    ("ALERT_CHANNEL_GUARD_FAIL_THRESHOLD", "int", 3, "Failures in a row from which it is", 1),
    ("ALERT_CHANNEL_GUARD_COOLDOWN_MINUTES", "int", 30, "Minutes after the last failure for which it is", 1),
    ("ALERT_GUARD_RECOVER_MAX_TARGETS", "int", 30, "Channels that one recovery tries", 1, 500),
    ("ALERT_RETENTION_DAYS", "int", 90, "Days that deliveries are kept", 1, 3650),
    ("ALERT_RETENTION_MAX_DELETE", "int", 5000, "Deliveries that one run takes away", 1, 50_000),
    ("ALERT_RETENTION_ARCHIVE_ENABLED", "bool", True, "Deliveries are written to a file before they are taken away"),
    ("ALERT_RETENTION_ARCHIVE_PATH", "path", "alert-archives", "Folder of these files"),
    ("ALERT_RETENTION_ARCHIVE_RETENTION_DAYS", "int", 3650, "Days that these files are kept", 1),
    ("ALERT_MTTR_SLO_ENABLED", "bool", True, "The recovery of channels is held to an objective, until a policy says otherwise"),
    ("ALERT_MTTR_SLO_WINDOW_DAYS", "int", 30, "Days that it looks back, until a policy says otherwise", 1, 90),
    ("ALERT_MTTR_SLO_THRESHOLD_MINUTES", "int", 45, "Minutes that a recovery may take on average, until a policy says otherwise", 1, 10_080),
    ("ALERT_MTTR_SLO_MIN_INCIDENTS", "int", 5, "Incidents from which it is judged, until a policy says otherwise", 1, 100_000),
    ("ALERT_MTTR_SLO_AUTO_RECOVER_ENABLED", "bool", True, "A breach tries the channels, until a policy says otherwise"),
    ("ALERT_MTTR_SLO_RECOVER_STATE", "choice", "quarantined", "Which channels a breach tries, until a policy says otherwise", None, None,
     ("quarantined", "warning", "all")),
    ("ALERT_MTTR_SLO_RECOVER_MAX_TARGETS", "int", 30, "Channels that a breach tries, until a policy says otherwise", 1, 500),
    ("ALERT_MTTR_SLO_NOTIFY_ENABLED", "bool", True, "A breach sends a message, until a policy says otherwise"),
    ("ALERT_MTTR_SLO_NOTIFY_EVENT_TYPE", "str", "mttr_slo_breach", "Event type of that message, until a policy says otherwise"),
    ("ALERT_MTTR_SLO_NOTIFY_COOLDOWN_MINUTES", "int", 120, "Minutes between two such messages, until a policy says otherwise", 0, 10_080),
    ("ALERT_MTTR_SLO_TOP_CHANNELS", "int", 15, "Channels that it names, until a policy says otherwise", 1, 50),
    ("ALERT_PERSONAL_REPEAT_MINUTES", "int", 180, "Minutes within which nobody is told the same thing again, by whichever way", 1, 10_080),
    ("ALERT_ALLOW_PRIVATE_TARGETS", "bool", False, "Receivers inside the own network are allowed"),
)  # fmt: skip

PROGRAMME = _section(
    "Programme",
    ("W07_QUALITY_ALERT_ENABLED", "bool", True, "Send an alert when the weekly run of W07 finds the quality degraded"),
    ("W07_QUALITY_ALERT_COOLDOWN_MINUTES", "int", 180, "Minutes between two such alerts of a site", 0),
    ("W07_QUALITY_ALERT_MIN_WINDOW_DAYS", "int", 7, "Shortest window of the weekly run in days", 7, 90),
    ("W07_QUALITY_ALERT_ESCALATION_RATE_THRESHOLD", "float", 30.0, "Escalation rate in percent from which the quality is degraded", 0, 100),
    ("W07_QUALITY_ALERT_SUCCESS_RATE_THRESHOLD", "float", 95.0, "Share of arrived alerts in percent below which the quality is degraded", 0, 100),
    ("W07_WEEKLY_ARCHIVE_ENABLED", "bool", True, "Keep the weekly figures of W07 as files"),
    ("W07_WEEKLY_ARCHIVE_PATH", "path", "adoption-w07-archives", "Folder of the weekly figures of W07"),
    ("W07_WEEKLY_ARCHIVE_RETENTION_DAYS", "int", 730, "Days that weekly figures of W07 are kept as files", 1),
)  # fmt: skip

EVIDENCE = _section(
    "Evidence",
    ("EVIDENCE_STORAGE_BACKEND", "str", "fs", "Where evidence files live: `fs` (`filesystem`, `file`), anything else is the database"),
    ("EVIDENCE_STORAGE_PATH", "path", "evidence-objects", "Folder of evidence files; shared by all web processes and workers"),
    ("EVIDENCE_ALLOWED_CONTENT_TYPES", "list",
     ("application/pdf", "text/plain", "text/csv", "application/json", "image/png", "image/jpeg", "image/webp"),
     "Content types that are taken; `*` takes all"),
    ("EVIDENCE_PAGE_CONTENT_TYPES", "list",
     ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "application/vnd.openxmlformats-officedocument.presentationml.presentation",
      "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
      "application/x-hwp", "application/hwp+zip", "application/zip", "image/heic", "image/tiff"),
     "Content types that the pages take besides"),
    ("EVIDENCE_KEEP_PLACE", "bool", False, "Photos that come by the pages keep the place where they were taken"),
    ("SLA_POLICY_REQUIRES_PROPOSAL", "bool", False,
     "SLA policies are changed by proposals that a second person approves, and in no other way"),
    ("EVIDENCE_SCAN_MODE", "str", "basic", "`basic` scans uploads; `off`, `disabled` and `none` do not"),
    ("EVIDENCE_SCAN_BLOCK_SUSPICIOUS", "bool", False, "Refuse uploads that look suspicious (active PDF, script in HTML)"),
    ("CLAMD", "str", "", "Virus scanner besides the built-in checks: `host:port` or the path of a socket of clamd"),
    ("CLAMD_TIMEOUT_SEC", "float", 20.0, "Seconds the scanner may take; without an answer the file waits for a later scan", 0.1, 300),
    ("EVIDENCE_QUOTA_SITE_MB", "int", 20_480, "Megabytes of evidence of one site (the platform is one too); 0 is no limit", 0),
    ("EVIDENCE_QUOTA_USER_DAY_MB", "int", 1024, "Megabytes of evidence of one person within 24 hours; 0 is no limit", 0),
    ("EVIDENCE_INTEGRITY_SAMPLE_PER_TABLE", "int", 20, "Files of each module that the integrity batch reads, at most 200", 1),
    ("EVIDENCE_INTEGRITY_MAX_ISSUES", "int", 50, "Issues that the integrity batch lists, at most 500", 1),
    ("EVIDENCE_ORPHAN_KEEP_DAYS", "int", 30, "Days that files without a row are set aside before they are deleted", 1),
    ("W07_COMPLETION_PACKAGE_MAX_EVIDENCE_FILES", "int", 200, "Files that the completion package of a week holds at most", 1),
    ("W07_COMPLETION_PACKAGE_MAX_EVIDENCE_BYTES", "int", 52_428_800, "Bytes of files that it holds at most", 1_048_576),
)  # fmt: skip

SETTINGS: tuple[Setting, ...] = (
    *(RUNTIME + STORES + IDENTITY + RATE_LIMIT + AUDIT + LATENCY + JOBS + PREFLIGHT + GATE + TRACKER + AUTOMATION),
    *(ALERTS + EVIDENCE + PROGRAMME),
)
