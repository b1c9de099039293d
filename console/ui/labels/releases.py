"""Words for the checklist of a release and for what was found about it."""

from __future__ import annotations

from console.domain.text import N_

PHASES = {
    "pre_deploy": N_("Before the release"),
    "post_deploy": N_("After the release"),
    "rollback_ready": N_("Ready to roll back"),
}
# What to type for a step, or for all steps of a phase; `{url}` stands for the address of the installation.
COMMANDS = {
    "pre_01_backup": "flask backup FOLDER",
    "pre_02_release_note": "flask db current",
    "rollback_02_checklist": "sha256sum {path}",
}
PHASE_COMMANDS = {"post_deploy": "python -m console.deploy verify --base-url {url} --deploy-id NAME --rollback-ready"}
CHECKS = {
    "health": N_("Health"),
    "meta": N_("Environment and database"),
    "ui_main_shell": N_("Frame of the console"),
    "ui_main_shell_binding": N_("Frame of the console"),
    "auth_me": N_("Sign-in of the token"),
    "runbook_checks": N_("Runbook"),
    "runbook_gate": N_("Runbook gate"),
    "security_posture": N_("Security settings"),
    "rollback_ready": N_("Readiness to roll back"),
    "rollback_guide_binding": N_("Rollback guide"),
    "checklist_version_binding": N_("Version of the checklist"),
    "artifact_archive": N_("File of the record"),
    "recorded_late": N_("Time of the record"),
}
FILES = {
    "kept": (N_("The file is there, and its content is the recorded one."), "ok"),
    "changed": (N_("The file is there, but its content is another one."), "late"),
    "gone": (N_("The file is gone."), "late"),
    "pruned": (N_("The file was removed after the days that files are kept."), "plain"),
    "not_kept": (N_("No file was kept."), "plain"),
}
