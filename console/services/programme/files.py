"""The public files and answers of the programme, made once for each edition and kept: whoever asks again is told so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from cachetools import LRUCache

from console.core.context import Context
from console.core.serialize import BOM, csv_line, to_json
from console.domain.errors import NotFound
from console.domain.programme.documents import Document
from console.domain.programme.layouts import LAYOUTS
from console.domain.text import N_
from console.services.programme import calendars, publish
from console.services.programme.editions import Edition, edition

JSON, CSV, ICS = "application/json", "text/csv; charset=utf-8", "text/calendar; charset=utf-8"
TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"
STEM = "ka-facility-os-adoption"
# Every file of fifteen weeks in both languages fits.
MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Published:
    """An answer that is the same for everybody: its bytes, what they are, and their hash.

    `filename` is the name to save it under, `plain` the one for programs that know nothing but ASCII.
    """

    body: bytes
    mimetype: str
    digest: str
    filename: str | None = None
    plain: str = ""


_kept: LRUCache[Any, tuple[Edition, Published]] = LRUCache(MOST_BYTES, getsizeof=lambda kept: len(kept[1].body))
_lock = Lock()


def _once(
    found: Edition, key: tuple[Any, ...], make: Callable[[], tuple[bytes, str, str | None]], plain: str = ""
) -> Published:
    whole = (id(found), *key)
    with _lock:
        kept = _kept.get(whole)
    # The edition is kept with its answers, so that no other one can have its place.
    if kept is not None and kept[0] is found:
        return kept[1]
    body, mimetype, filename = make()
    made = Published(body, mimetype, blake2b(body, digest_size=16).hexdigest(), filename, plain)
    with _lock:
        _kept[whole] = (found, made)
    return made


def page(found: Edition, key: tuple[Any, ...], make: Callable[[], str]) -> Published:
    """Return a page of the programme; `key` names everything that it depends on beside the edition."""
    return _once(found, ("page", *key), lambda: (make().encode(), HTML, None))


def _json(found: Edition, key: tuple[Any, ...], make: Callable[[], Any]) -> Published:
    return _once(found, key, lambda: (to_json(make()).encode(), JSON, None))


def _csv(
    found: Edition,
    key: tuple[Any, ...],
    make: Callable[[], Iterable[Sequence[Any]]],
    name: str,
    bom: bool,
    plain: str = "",
) -> Published:
    def lines() -> tuple[bytes, str, str | None]:
        text = "".join(csv_line(row) for row in make())
        return (BOM + text if bom else text).encode(), CSV, name

    return _once(found, (*key, bom), lines, plain)


def document_of(found: Edition, code: str) -> Document:
    """Return the document of a week that publishes one; raises NotFound."""
    document = found.packs.get(code)
    if document is None or not document["layout"]:
        raise NotFound(N_("Not Found"))
    return document


def plan(ctx: Context, language: str) -> Published:
    """Return the whole programme; its next review follows the UTC date."""
    found, today = edition(ctx), ctx.now().date()
    return _json(found, ("plan", language, today), lambda: publish.plan(found, language, today))


def campaign(ctx: Context, language: str) -> Published:
    """Return the campaign kit."""
    found = edition(ctx)
    return _json(found, ("campaign", language), lambda: publish.campaign(found, language))


def plan_csv(ctx: Context, language: str, bom: bool) -> Published:
    """Return the calendar of the weeks as CSV."""
    found = edition(ctx)
    name = f"{STEM}-plan-{_span(found)}{_tail(language)}.csv"
    return _csv(found, ("plan.csv", language), lambda: publish.plan_rows(found, language), name, bom)


def plan_ics(ctx: Context, language: str) -> Published:
    """Return the calendar of the weeks for calendar programs."""
    found = edition(ctx)
    name = f"{STEM}-plan-{_span(found)}{_tail(language)}.ics"
    return _once(found, ("plan.ics", language), lambda: (calendars.plan(found, language), ICS, name))


def _span(found: Edition) -> str:
    return f"{found.monday.isoformat()}-{found.end.isoformat()}"


def _tail(language: str) -> str:
    return "" if language == "en" else f"-{language}"


def _names(document: Document, language: str, rest: str) -> tuple[str, str]:
    """Return the name of a file of a week, its title for those who read Korean, and the published one."""
    plain = f"{STEM}-{document['code']}-{document['slug']}{rest}"
    return (plain if language == "en" else f"{document['title'][language]}{rest}"), plain


def pack(ctx: Context, code: str, language: str) -> Published:
    """Return a week; raises NotFound."""
    found = edition(ctx)
    document = document_of(found, code)
    return _json(found, ("pack", code, language), lambda: publish.pack(found, document, language))


def pack_csv(ctx: Context, code: str, file: str, language: str, bom: bool) -> Published:
    """Return the lists of a week as CSV; `checklist` serves every week, other names only those that publish them."""
    found = edition(ctx)
    document = document_of(found, code)
    own = LAYOUTS[document["layout"]].file
    if file not in ("checklist", own):
        raise NotFound(N_("Not Found"))
    name, plain = _names(document, language, f"-{own}.csv")
    key = ("pack.csv", code, language)
    return _csv(found, key, lambda: publish.csv_rows(found, document, language), name, bom, plain)


def pack_ics(ctx: Context, code: str, language: str) -> Published:
    """Return the events of a week for calendar programs, in the zone of the business."""
    found, zone = edition(ctx), str(ctx.config["BUSINESS_TIME_ZONE"])
    document = document_of(found, code)
    name, plain = _names(document, language, ".ics")
    key = ("pack.ics", code, language, zone)
    return _once(found, key, lambda: (calendars.week(found, document, language, ZoneInfo(zone)), ICS, name), plain)


def listed(ctx: Context, code: str, word: str, language: str) -> Published:
    """Return a list of a week that has an address of its own; raises NotFound."""
    found = edition(ctx)
    document = document_of(found, code)
    if publish.listed(found, document, word, language) is None:
        raise NotFound(N_("Not Found"))
    return _json(found, ("extra", code, word, language), lambda: publish.listed(found, document, word, language))


def samples(ctx: Context, code: str, language: str) -> Published:
    """Return the list of sample files of a week; raises NotFound."""
    found = edition(ctx)
    document = document_of(found, code)
    if not document.get("samples"):
        raise NotFound(N_("Not Found"))
    return _json(found, ("samples", code, language), lambda: publish.samples(document, language))


def sample(ctx: Context, code: str, sample_id: str, language: str) -> Published:
    """Return one sample file; its id is compared in lower case. Raises NotFound."""
    found = edition(ctx)
    wanted = sample_id.strip().lower()
    chosen = [one for one in document_of(found, code).get("samples", ()) if one["sample_id"] == wanted]
    if not chosen:
        raise NotFound(N_("Not Found"))
    (one,) = chosen
    key = ("sample", code, wanted, language)
    return _once(found, key, lambda: (one["text"][language].encode(), TEXT, one["file_name"]))


def mistakes_of(found: Edition, code: str) -> Document:
    """Return the document of a week that lists common mistakes; raises NotFound."""
    document = document_of(found, code)
    if "common_mistakes" not in document["lists"]:
        raise NotFound(N_("Not Found"))
    return document


def mistakes(ctx: Context, code: str, language: str, *, site: str | None, days: int) -> Published:
    """Return the common mistakes of a week, without figures of any site; raises NotFound."""
    found = edition(ctx)
    document = mistakes_of(found, code)
    body = to_json(publish.mistakes(found, document, language, site=site, days=days)).encode()
    # Not kept: whoever asks may write any site into the address.
    return Published(body, JSON, blake2b(body, digest_size=16).hexdigest())


def post_mvp(ctx: Context, language: str) -> Published:
    """Return what follows after the programme."""
    found = edition(ctx)
    return _json(found, ("post-mvp", language), lambda: publish.post_mvp(found, language))


def post_mvp_part(ctx: Context, name: str, language: str) -> Published:
    """Return one list of what follows after the programme."""
    found = edition(ctx)
    return _json(found, ("post-mvp", name, language), lambda: publish.post_mvp_part(found, name, language))


def backlog_csv(ctx: Context, language: str, bom: bool) -> Published:
    """Return the backlog of what follows after the programme as CSV."""
    found = edition(ctx)
    name = f"ka-facility-os-post-mvp-backlog-{_post_mvp_span(found)}{_tail(language)}.csv"
    return _csv(found, ("backlog.csv", language), lambda: publish.backlog_rows(found, language), name, bom)


def releases_ics(ctx: Context, language: str) -> Published:
    """Return the releases after the programme for calendar programs."""
    found = edition(ctx)
    name = f"ka-facility-os-post-mvp-releases-{_post_mvp_span(found)}{_tail(language)}.ics"
    return _once(found, ("releases.ics", language), lambda: (calendars.releases(found, language), ICS, name))


def _post_mvp_span(found: Edition) -> str:
    return f"{found.post_mvp['start_date']}-{found.post_mvp['end_date']}"
