"""What the evidence panel of an item shows: its files, what the reader may do, where the forms go."""

from __future__ import annotations

from flask_babel import gettext as _

from console.blueprints.tracker.urls import TrackerUrls
from console.core.context import Context
from console.services.evidence import evidence
from console.services.evidence.evidence import EvidenceView
from console.services.tracker.rows import ItemView
from console.ui.evidence import Panel, lines_of, taken
from console.web.request import current_actor


def panel_of(ctx: Context, place: TrackerUrls, item: ItemView) -> Panel:
    """Return the panel of an item."""
    actor, programme = current_actor(), place.programme
    may_change = item.is_active and (place.may_write or item.owned_by(actor))

    def remove_url(file: EvidenceView) -> str | None:
        removable = may_change and evidence.may_remove(actor, programme, file.uploaded_by)
        return place.url("evidence_remove", evidence_id=file.id) if removable else None

    return Panel(
        key=str(item.id),
        title=_("Attached evidence"),
        files=lines_of(
            ctx,
            evidence.listed(ctx, programme, item.id),
            url=lambda evidence_id: place.url("evidence_file", evidence_id=evidence_id),
            picture=lambda evidence_id: place.url("evidence_thumbnail", evidence_id=evidence_id),
            remove_url=remove_url,
        ),
        upload_url=place.url("attach", item_id=item.id) if may_change else None,
        taken=taken(ctx),
        missing=_needed() if item.evidence_required and not item.evidence_count else None,
    )


def _needed() -> str:
    return _("This item needs evidence before the tracker can be closed.")
