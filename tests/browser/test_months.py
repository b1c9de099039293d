"""The monthly reports in a real browser: months, a draft with its photos, closing it, and its paper."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import SYSTEM, unit_of_work
from console.core.database import make_engine
from console.domain.reports import monthly
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.work_orders import evidence
from tests.browser.steps import open_page
from tests.factories.inspections import add_inspection
from tests.factories.work_orders import add_asset, add_order
from tests.support.files import photo

SITE = "본관"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WIDTHS = [(1440, "ko", "light"), (1440, "en", "dark"), (390, "en", "dark"), (390, "ko", "light")]
TITLES = ("지하 배수펌프 2호기 정지", "변전실 수배전반 접속부 과열", "303동 승강기 3호기 문닫힘 불량")


@pytest.fixture
def last_month(site, _as_made):
    """Let the site have a month that is over: a dozen orders, some with photos, and inspections."""
    engine = make_engine(site.database)
    config = site.app.extensions["console_config"]
    now = datetime.now(UTC)
    period = monthly.before(monthly.month_of(None, ZoneInfo("Asia/Seoul"), now))
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=FixedClock(now), config=config) as ctx:
        session = ctx.session
        pump = add_asset(session, period.start, "P-2", site=SITE, name="배수펌프 2호기")
        made = []
        for number, trade in enumerate(("mechanical", "electric", "elevator", "fire", "building") * 3):
            at = period.start + number * 1.9 * DAY
            done = {"status": "completed", "completed_at": at + (5 + number) * HOUR} if number % 5 != 4 else {}
            title = TITLES[number % 3] if done else f"관리동 외벽 균열 보수 {number}"
            more = {"asset_id": pump.id, "priority": "high"} if trade == "mechanical" else {}
            row = add_order(
                session, at, site=SITE, trade=trade, title=title, resolution_notes="부품 교체, 시운전 2시간",
                due_at=at + 12 * HOUR, **more, **done,
            )  # fmt: skip
            made.append(row.id)
        for number in range(12):
            level = "warning" if number % 5 == 0 else "normal"
            add_inspection(session, period.start + number * DAY, site=SITE, risk_level=level)
    for order in made[:3]:
        for phase in ("before", "after"):
            with unit_of_work(
                sessionmaker(engine), actor=SYSTEM, clock=FixedClock(now), config=config, write=False
            ) as ctx:
                upload = Upload(io.BytesIO(photo()), "사진.jpg", "image/jpeg")
                subjects.attach(ctx, evidence.FILES, order, upload, part=phase)
    engine.dispose()
    return period.label


@pytest.mark.parametrize(("width", "lang", "theme"), WIDTHS)
def test_list_and_month_fit_and_are_accessible(page_as, axe, last_month, width, lang, theme):
    page = page_as("manager", width=width, lang=lang, theme=theme)
    for address in (f"/reports/monthly?site={SITE}", f"/reports/monthly/{last_month}?site={SITE}"):
        open_page(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe(page) == []


def test_whoever_stays_for_unsaved_sentences_can_close_the_month_afterwards(page_as, last_month):
    page = page_as("manager")
    open_page(page, f"/reports/monthly/{last_month}?site={SITE}")
    page.locator("textarea[name=sentence_ko]").first.fill("저장하지 않은 문장")
    page.get_by_role("button", name="확정하기…").click()
    button = page.get_by_role("dialog").get_by_role("button", name="확정하기", exact=True)
    page.once("dialog", lambda asked: asked.dismiss())
    button.click()
    expect(button).not_to_have_class(re.compile("is-busy"))
    page.once("dialog", lambda asked: asked.accept())
    button.click()

    expect(page.locator(".page-status")).to_contain_text("1판")


def test_a_month_is_written_closed_and_printed(page_as, last_month):
    page = page_as("manager")
    open_page(page, f"/reports/monthly/{last_month}?site={SITE}")
    expect(page.locator("img.paper-photo").first).to_be_visible()
    assert page.locator("img.paper-photo").first.evaluate("image => image.naturalWidth") == 480

    page.locator("textarea[name=sentence_ko]").first.fill("배수펌프를 고쳤습니다.")
    page.get_by_role("button", name="문장 저장").click()
    expect(page.locator(".paper-points")).to_contain_text("배수펌프를 고쳤습니다.")
    # It asks first, and Escape leads back to the button.
    page.get_by_role("button", name="확정하기…").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="확정하기…")).to_be_focused()
    page.get_by_role("button", name="확정하기…").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="확정하기", exact=True).press("Enter")
    expect(page.locator(".page-status")).to_contain_text("1판")
    expect(page.locator("textarea[name=sentence_ko]")).to_have_count(0)
    expect(page.locator(".paper-foot")).to_contain_text("확정본 1판 · sha256")

    page.get_by_role("link", name="인쇄").click()
    expect(page.locator(".paper-boxes")).to_be_visible()
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
