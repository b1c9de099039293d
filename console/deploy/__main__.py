"""Commands for whoever releases: `python -m console.deploy verify --base-url … --token …`."""

from __future__ import annotations

import json
import ssl
import sys
from hashlib import sha256
from pathlib import Path

import click

from console.adapters.installation import Installation
from console.core.config import APP_ROOT
from console.deploy.verify import Release, Seen, Walk
from console.domain.releases.checklist import ROLLBACK_GUIDE
from console.domain.releases.walk import Expected

PASSED = "DEPLOY_AND_SMOKE_OK"
TOKEN_VARIABLE = "KA_DEPLOY_TOKEN"
LONGEST_NAME, LONGEST_NOTES = 200, 4000


@click.group()
def deploy() -> None:
    """Look at a release."""


@deploy.command()
@click.option("--base-url", required=True, help="Address of the installation, as in https://console.example.")
@click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    required=True,
    help=f"Token with admins:manage; better in {TOKEN_VARIABLE}, where no list of processes shows it.",
)
@click.option("--deploy-id", default="", help="Name of the release, as in its note.")
@click.option("--environment", help="What /meta has to say; left out: anything.")
@click.option("--rollback-ready", is_flag=True, help="You have the command ready that brings the old version back.")
@click.option(
    "--rollback-guide",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=APP_ROOT / ROLLBACK_GUIDE,
    help="The guide of this release; left out: the one of this checkout.",
)
@click.option("--expected-rate-limit", help="Where rate limits have to be counted: redis or memory.")
@click.option("--require-audit-chain", is_flag=True, help="A broken audit chain fails the runbook step too.")
@click.option("--notes", default="", help="A sentence for the record.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Certificate authority of your own.")
@click.option("--timeout", type=click.FloatRange(0.1, 300), default=15.0, help="Seconds for one answer.")
@click.option("--deadline", type=click.FloatRange(0.1, 3600), default=180.0, help="Seconds for everything.")
@click.option("--allow-plain-http", is_flag=True, help="Send the token unencrypted over the network.")
@click.option("--json", "as_json", is_flag=True, help="Print what was seen as one line of JSON.")
def verify(
    *,
    base_url: str,
    token: str,
    deploy_id: str,
    environment: str | None,
    rollback_ready: bool,
    rollback_guide: Path,
    expected_rate_limit: str | None,
    require_audit_chain: bool,
    notes: str,
    ca_file: str | None,
    timeout: float,
    deadline: float,
    allow_plain_http: bool,
    as_json: bool,
) -> None:
    """Walk the checklist against a running installation and record the smoke test.

    Prints DEPLOY_AND_SMOKE_OK and ends with 0, or names the first step that failed and ends with its exit code.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file) if ca_file else None
        server = Installation(
            base_url, token.strip(), timeout=timeout, deadline=deadline, plain=allow_plain_http, context=context
        )
    except (ValueError, ssl.SSLError) as error:
        raise click.UsageError(str(error)) from None
    release = Release(
        deploy_id=deploy_id[:LONGEST_NAME],
        base_url=base_url[:500],
        guide_sha256=sha256(rollback_guide.read_bytes()).hexdigest(),
        rollback_ready=rollback_ready,
        notes=notes[:LONGEST_NOTES],
    )
    expected = Expected(expected_rate_limit, require_audit_chain, environment)
    walked = Walk(server, release, expected, _silent if as_json else _tell)
    code = walked.go()
    if as_json:
        steps = [vars(step) for step in walked.steps]
        click.echo(json.dumps({"exit_code": code, "run_id": walked.run_id, "steps": steps}, ensure_ascii=False))
    if failure := walked.first_failure:
        click.echo(f"FAILED {failure.id}: {failure.message}", err=True)
    elif not as_json:
        click.echo(PASSED)
    sys.exit(code)


def _tell(seen: Seen) -> None:
    click.echo(f"{seen.status:<8} {seen.id}: {seen.message}")


def _silent(_seen: Seen) -> None:
    """Say nothing: the line of JSON says it all."""


if __name__ == "__main__":
    deploy(prog_name="python -m console.deploy")
