"""`flask audit verify`, `flask audit checkpoint`, `flask audit archive`: the trail from the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from console.cli.groups import Commands, sentence
from console.core.context import Context
from console.core.serialize import to_json
from console.domain.audit.archive import month_of
from console.domain.audit.chain import ChainReport
from console.domain.errors import DomainError
from console.services.alerts import checkpoint_copies
from console.services.audit import archive_files as audit_files
from console.services.audit import checkpoints as audit_checkpoints
from console.services.audit.archive import chain_facts
from console.services.audit.checkpoint_store import OlderCopy, RestoredPart, lost_chains, older_copy, restored_parts
from console.services.audit.rebaseline_records import ranges
from console.services.audit.verify import Progress, verify_all, verify_month
from console.web.extensions import runtime

EXIT_OK, EXIT_BROKEN, EXIT_UNDECIDED = 0, 1, 2

commands = Commands("audit", help="The audit trail: verify, sign, archive.")
commands.undecided = EXIT_UNDECIDED


@contextmanager
def _context() -> Iterator[Context]:
    """Return a reading context of the system; what cannot be decided ends with its own exit code."""
    try:
        with runtime().reading() as ctx:
            yield ctx
    except DomainError as error:
        click.echo(sentence(error), err=True)
        sys.exit(EXIT_UNDECIDED)


def _telling(*, quiet: bool) -> Progress | None:
    if quiet or not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        click.echo(f"\r{done} / {total}", nl=done == total, err=True)

    return tell


@commands.command("acknowledge")
@click.argument("chain")
@click.option("--reason", required=True, help="Why the log, or the file of its checkpoints, is gone.")
def acknowledge(chain: str, reason: str) -> None:
    """Acknowledge that a log of which checkpoints remain, or its newest part, is gone; it stays on record."""
    with _context() as ctx:
        seq = audit_checkpoints.acknowledge(ctx, chain, reason=reason)
        part = next((part for part in reversed(restored_parts(ctx)) if part.seq == seq), None)
    click.echo(_restored(part) if part else f"Acknowledged: the log {chain} up to entry {seq} is gone")


@commands.command("verify")
@click.option("--month", help="Only this UTC month, as YYYY-MM.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def verify(*, month: str | None, as_json: bool) -> None:
    """Verify the chain: exit code 0 whole, 1 broken (the first broken row is named), 2 undecided."""
    with _context() as ctx:
        tell = _telling(quiet=as_json)
        wanted = month_of(month) if month else None
        report = verify_month(ctx, wanted, progress=tell).report if wanted else verify_all(ctx, progress=tell)
        rewritten = ranges(ctx)
        lost = [] if wanted else lost_chains(ctx)
        older = None if report.chain_ok else older_copy(ctx)
        parts = restored_parts(ctx)
    if as_json:
        click.echo(to_json({**chain_facts(report), "rebaselined_ranges": rewritten}))
    else:
        click.echo(_told(report))
        for item in rewritten:
            click.echo(
                f"WARNING: {item.changed_count} rows ({item.first_seq} to {item.last_seq}) were written anew by "
                f"{item.actor_username} on {item.rebaselined_at:%Y-%m-%d %H:%M} UTC: {item.reason or 'no reason'}"
            )
        for part in parts:
            click.echo(_restored(part))
    if older is not None:
        click.echo(_steps(older), err=True)
    for one in lost:
        click.echo(f"MISSING: the log {one.chain}, signed up to entry {one.seq}", err=True)
    sys.exit(EXIT_OK if report.chain_ok else EXIT_BROKEN)


def _restored(part: RestoredPart) -> str:
    return (
        f"WARNING: an older backup was restored: the entries {part.after_seq + 1} to {part.seq} that were signed "
        f"before are gone, and a new part follows entry {part.after_seq}. Acknowledged by {part.actor_username} on "
        f"{part.acknowledged_at:%Y-%m-%d %H:%M} UTC: {part.reason}. Checkpoint left behind: {part.left_signature}"
    )


def _steps(older: OlderCopy) -> str:
    return (
        f"OLDER COPY: the checkpoint files of the log {older.chain} are newer than this database. They were signed up "
        f"to entry {older.seq}; the database agrees with them up to entry {older.after_seq}.\n"
        "Either an older backup was restored, or the newest entries were deleted.\n"
        "  1. If a newer backup exists, restore that one instead.\n"
        "  2. If nobody restored a backup, keep database and files as they are and look for who changed them.\n"
        "  3. If the restore was meant, start a new part of the log that stays linked to the old checkpoint:\n"
        f'     flask audit acknowledge {older.chain} --reason "why the backup was restored"'
    )


def _told(report: ChainReport) -> str:
    if report.chain_ok:
        return f"OK: {report.checked_count} entries verified, head {report.last_entry_hash or 'empty'}"
    lines = [f"BROKEN: {report.issue_count} issues in {report.checked_count} entries"]
    lines += [f"  row id {issue.id}, sequence {issue.seq}: {issue.reason}" for issue in report.issues[:10]]
    return "\n".join(lines)


@commands.command("checkpoint")
@click.option("--full", is_flag=True, help="Verify from the first entry on instead of from the last checkpoint.")
def checkpoint(*, full: bool) -> None:
    """Verify and sign where the chain stands: exit code 0 signed, 1 broken and not signed."""
    with _context() as ctx:
        found = checkpoint_copies.sign(ctx, full=full, progress=_telling(quiet=False))
    click.echo(to_json(found))
    sys.exit(EXIT_OK if found.chain_ok else EXIT_BROKEN)


@commands.command("archive")
@click.option("--month", help="UTC month as YYYY-MM; by default the last whole one.")
@click.option("--max-entries", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--output-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the file.")
@click.option("--write-file", is_flag=True, help="Keep the archive as a file as well.")
@click.option("--include-unfinished", is_flag=True, help="Also a month that has not ended.")
def archive(
    *, month: str | None, max_entries: int, output_dir: Path | None, write_file: bool, include_unfinished: bool
) -> None:
    """Print the archive of a month as one line of JSON: exit code 0, or 1 when its chain is broken."""
    with _context() as ctx:
        kept = audit_files.keep_month(
            ctx,
            month=month,
            max_entries=max_entries,
            folder=output_dir,
            write_file=write_file,
            include_unfinished=include_unfinished,
        )
    line = kept.archive.as_answer().decode()
    if kept.output_file:
        # Published form: the printed archive names its file, the file itself does not.
        line = f"{line[:-1]}, {to_json({'output_file': kept.output_file})[1:]}"
    click.echo(line)
    sys.exit(EXIT_OK if kept.archive.chain_ok else EXIT_BROKEN)
