"""What alerts are about, in words for people: one list for channels, people and the deliveries of both."""

from __future__ import annotations

from collections.abc import Mapping

from console.domain.alerts.alerts import (
    ADDRESS_CODE,
    ADDRESS_TRIAL,
    ASSIGNED,
    BURNS,
    CHECKPOINT_SIGNED,
    ESCALATED,
    HANDOVER_LATE,
    MONTH_CHANGED,
    ORDER_ASSIGNED,
    RULE_FAILS,
    SLA_ESCALATED,
    W07_DEGRADED,
)
from console.domain.alerts.slo import BREACHED
from console.domain.jobs import names as job_names
from console.domain.text import N_

# What a channel may choose.
OF_CHANNELS: Mapping[str, str] = {
    ASSIGNED: N_("Items assigned"),
    HANDOVER_LATE: N_("Handover not confirmed in time"),
    ESCALATED: N_("Items due soon or late"),
    RULE_FAILS: N_("Rules that fail now"),
    BURNS: N_("Error budget burns"),
    job_names.DAILY_CHECK: N_("Daily check"),
    SLA_ESCALATED: N_("Work orders escalated"),
    BREACHED: N_("Channels recover too slowly"),
    W07_DEGRADED: N_("Quality of the week below its limits"),
    MONTH_CHANGED: N_("A closed month was changed"),
}
# Trials go to the channel that they try, and copies of checkpoints to receivers of their own.
PROBES: Mapping[str, str] = {
    "alert_channel_recovery_probe": N_("Trial of a channel"),
    "alert_guard_recover": N_("Trial of a channel in trouble"),
}
WORDS: Mapping[str, str] = {
    CHECKPOINT_SIGNED: N_("Audit log signed"),
    **OF_CHANNELS,
    **PROBES,
    ORDER_ASSIGNED: N_("Work orders assigned"),
    ADDRESS_CODE: N_("Code of an address"),
    ADDRESS_TRIAL: N_("Trial of an address"),
}
