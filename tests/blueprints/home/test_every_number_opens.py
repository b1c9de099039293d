"""Every figure of every page leads to a list that has exactly as many rows; a name stands for one number."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from console.core.i18n import LOCALES, translate
from console.services.common.figures import Figure, collected
from console.services.handover import changes, shifts
from console.services.home.figures import REGISTER, TODAY
from tests.factories import make_site
from tests.factories.facility import add_delivery, add_inspection
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_order

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE, OTHER = "본관", "별관"
FIGURE = re.compile(r"<a\b[^>]*\bdata-figure=[^>]*>")
TOTAL = re.compile(r'data-total="(\d+)"')
# Pages that show figures; each is looked at as it is and for one site.
PAGES = ("/overview", "/work-orders", "/inspections", "/handover", "/handover/1")
READERS = (
    ("owner", ("*",)), ("manager", ("*",)), ("operator", (SITE,)), ("auditor", ("*",)), ("manager", (SITE, OTHER)),
)  # fmt: skip


def company(session, clock, make_ctx):
    """Two sites with something of every kind."""
    now = clock.now()
    for number, site in enumerate((SITE, SITE, OTHER)):
        if number != 1:
            make_site(session, site, now=now)
        values = {"site": site, "created_at": now - 3 * DAY}
        add_order(session, now, title="late", due_at=now - HOUR, is_escalated=True, **values)
        add_order(session, now, title="soon", due_at=now + 3 * HOUR, assignee="lee", **values)
        add_order(session, now, title="day", due_at=now + 20 * HOUR, source="inspection", **values)
        add_order(session, now, title="new", due_at=now + 9 * DAY, site=site, assignee="lee")
        add_order(session, now, title="waits", status="acked", acknowledged_at=now, waiting_reason="parts", **values)
        add_order(session, now, title="done", status="completed", completed_at=now, **values)
        add_order(session, now, title="done before", status="completed", completed_at=now - 10 * DAY, **values)
        add_item(session, now, number + 1, site=site, due_at=now - HOUR)
        add_item(session, now, number + 11, site=site, due_at=now + HOUR)
        add_item(session, now, number + 21, tracker="w02", site=site, due_at=now - HOUR)
        add_inspection(session, now, site=site)
        add_inspection(session, now - 2 * DAY, site=site)
        add_inspection(session, now, site=site, risk_level="warning", risk_flags=[])
        add_inspection(session, now, site=site, risk_level="normal", risk_flags=[])
        add_delivery(session, now - DAY, site, site=site, status="success")
        add_delivery(session, now - DAY, site, site=site, status="dead")
        add_delivery(session, now - 8 * DAY, site, site=site)
    night, day = (make_ctx("operator", (SITE,), username=name) for name in ("kang", "lee"))
    first = changes.give(night, SITE, 0)
    for line in shifts.lines_of(day, first.id):
        changes.confirm(day, first.id, line.id)
    clock.advance(3 * HOUR)
    changes.accept(day, first.id)
    add_order(session, clock.now(), title="newest", due_at=clock.now() + 9 * DAY)
    changes.give(night, SITE, first.id)
    session.commit()


def shown(page):
    """Return the figures of a page: key, what it says, and where it leads."""
    for tag in FIGURE.findall(page):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        yield found["data-figure"], int(found["data-count"]), html.unescape(found["href"])


@pytest.mark.parametrize(("role", "sites"), READERS)
def test_every_figure_has_as_many_rows_as_it_says(browser_client, session, clock, make_ctx, role, sites):
    company(session, clock, make_ctx)
    reader = browser_client(role, sites, username="reader")
    seen, wrong, said = set(), [], {}
    for address in PAGES:
        for query in ("", f"?site={SITE}&next=1"):
            page = reader.get(address + query, follow_redirects=True)
            assert page.status_code == 200, (address + query, page.status_code)
            for key, count, url in shown(page.text):
                rows = reader.get(url)
                total = TOTAL.search(rows.text)
                seen.add(key)
                if rows.status_code != 200 or total is None or int(total[1]) != count:
                    wrong.append(f"{address}{query}: {key} says {count}, {url} has {total and total[1]}")
                if said.setdefault((key, url), count) != count:
                    wrong.append(f"{key} says {count} at {address}, and {said[key, url]} elsewhere")

    assert wrong == []
    assert seen <= set(REGISTER)
    # Of those who see everything, every figure of the register stood somewhere.
    if role == "owner":
        assert seen == set(REGISTER)


def test_no_two_figures_have_a_name_or_a_meaning_in_common():
    for locale in LOCALES:
        for part in ("name", "definition"):
            words = [translate(locale, getattr(one, part)) for one in REGISTER.values()]
            assert len(words) == len(set(words)), (locale, part)


def test_two_figures_of_one_name_are_refused():
    one = Figure("a", "Late", "…", "late.page", lambda *_args: 0, ())
    for other in (Figure("a", "Soon", "…", "x", one.count, ()), Figure("b", "Late", "…", "x", one.count, ())):
        with pytest.raises(ValueError, match="two figures"):
            collected([one], [other])


def test_every_figure_of_the_day_is_in_the_register_and_has_a_page(app):
    assert {one.key for one in TODAY} <= set(REGISTER)
    for one in REGISTER.values():
        assert one.endpoint in app.view_functions, one.key
        assert one.read
