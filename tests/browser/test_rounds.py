"""A round on the phone: in a basement without a signal, with a tab that closes and a session that ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select, update
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.requests import NewInspection, NewTemplate, PointAnswer
from console.models.evidence import EvidenceFile
from console.models.identity import User, WebSession
from console.models.inspections import Inspection, InspectionResult, InspectionSignature
from console.models.work_orders import WorkOrder
from console.services.identity.passwords import make_hash
from console.services.inspections import create, templates
from tests.browser.seed import SITES, _writing
from tests.browser.steps import WIDTHS, only_problems
from tests.support.files import png

PASSWORD = "a long enough sentence"
SITE = SITES[0]
POINTS = (
    Point("temp", "권선 온도", section="변압기 2호 · TR-02", unit="°C", maps_to="winding_temp_c"),
    Point(
        "ins",
        "절연저항 R–E",
        section="변압기 2호 · TR-02",
        guide="1,000 V로 1분.",
        unit="MΩ",
        limits=Limits(danger_low=1, warn_low=5),
    ),
    Point("leak", "누수·소음·냄새", kind="choice", section="공통", choices=(("없음", "normal"), ("있음", "danger"))),
    Point("memo", "특이 사항", kind="text", section="공통", optional=True),
)


@pytest.fixture(scope="module")
def base(site):
    engine = make_engine(site.database)
    yield sessionmaker(engine)
    engine.dispose()


@pytest.fixture
def template(site, base) -> int:
    """A template with a year of rounds behind it; return its id."""
    now = datetime.now(UTC)
    config = site.app.extensions["console_config"]
    with base() as session:
        ctx = _writing(session, config, now, role="manager", user_id=site.company.ids["manager"], username="kim")
        made = templates.publish(ctx, NewTemplate("power", "변전실 월간 점검", "변전실", "monthly", POINTS))
        for month in range(12, 0, -1):
            given = (Answer("temp", 70.0 + month), Answer("ins", 11.8 + month / 10), Answer("leak", text="없음"))
            create.create(
                ctx,
                NewInspection(
                    SITE,
                    "변전실",
                    "monthly",
                    "이정비",
                    now - timedelta(days=30 * month),
                    template_id=made.id,
                    answers=tuple(map(PointAnswer, given)),
                ),
            )
        ctx.commit()
        return made.id


@pytest.fixture
def counted(base):
    """Return how many rounds were sent from phones."""

    def count() -> int:
        with base() as session:
            asked = select(func.count()).select_from(Inspection).where(Inspection.round_key.is_not(None))
            return session.scalar(asked) or 0

    return count


@pytest.fixture
def password(base, site):
    with base() as session:
        for user in session.scalars(select(User)):
            user.password_hash = make_hash(site.app.extensions["console_config"], PASSWORD)
        session.commit()
    return PASSWORD


def begin(page: Page, template: int) -> None:
    page.goto(f"/inspections/rounds?site={SITE}")
    page.locator(f"a[href*='/inspections/rounds/{template}?']").click()
    ready(page)


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-round=ready]", state="attached")


def fill(page: Page, value: str) -> None:
    page.locator(".round-screen:visible .round-field input").fill(value)


def onward(page: Page) -> None:
    page.locator("[data-next]").click()


def walk(page: Page, value: str = "0.4") -> None:
    """Answer every point, up to the end."""
    fill(page, "78")
    onward(page)
    fill(page, value)
    onward(page)
    if page.locator("[data-ask]:visible").count():
        onward(page)
    page.locator(".round-screen:visible .round-choice").first.click()
    onward(page)
    onward(page)
    expect(page.locator("[data-screen=finish]")).to_be_visible()


def sign(page: Page) -> None:
    pad = page.locator("[data-sign]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 60 + 12 * step, box["y"] + 40 + (20 if step % 2 else -10))
    page.mouse.up()
    expect(page.locator("[name=signed]")).to_be_checked()


def send(page: Page) -> None:
    page.locator("[data-send]").click()


@WIDTHS
def test_a_round_is_done_point_by_point_and_its_finding_becomes_an_order(page_as, axe, base, template, width, lang):
    page = page_as("operator", width=width, lang=lang)
    begin(page, template)
    assert axe(page) == []
    fill(page, "78")
    expect(page.locator("[data-verdict]:visible")).to_contain_text("정상" if lang == "ko" else "Normal")
    onward(page)
    fill(page, "0,4")
    expect(page.locator("[data-verdict]:visible")).to_contain_text("위험" if lang == "ko" else "Danger")
    expect(page.locator("[name=order-ins]")).to_be_checked()
    assert axe(page) == []
    onward(page)
    # A thirtieth of the last value: asked about once.
    expect(page.locator("[data-ask]:visible")).to_contain_text("11.9")
    onward(page)
    page.locator(".round-choice").first.click()
    onward(page)
    onward(page)
    sign(page)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    send(page)
    page.wait_for_url(re.compile(r"/inspections/\d+$"))

    with base() as session:
        stored = session.scalars(select(Inspection).order_by(Inspection.id.desc())).first()
        order = session.scalars(select(WorkOrder).where(WorkOrder.inspection_id == stored.id)).one()
        drawn = session.get(InspectionSignature, stored.id)
        assert (stored.risk_level, stored.signed_by, stored.inspector) == ("danger", "이정비", "이정비")
        assert (order.title, order.priority, order.source) == (
            "절연저항 R–E 0.4 MΩ (변압기 2호 · TR-02)",
            "critical",
            "inspection",
        )
        assert order.description == "11.9 → 0.4 MΩ ≤ 1 MΩ"
        assert drawn.drawing.startswith("M")


def test_every_target_of_a_round_fits_a_thumb(page_as, template):
    page = page_as("operator", width=390)
    begin(page, template)
    seen = page.evaluate(
        """() => [...document.querySelectorAll('form :is(button, a, .round-field, .round-choice, .round-check)')]
             .filter((one) => one.checkVisibility())
             .map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"""
    )
    assert seen
    assert [words for words, height in seen if height < 48] == []


def test_a_round_goes_on_after_the_tab_was_closed_without_a_signal(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    address = page.url
    page.reload()
    ready(page)
    page.context.set_offline(True)
    fill(page, "78")
    onward(page)
    fill(page, "3.9")
    expect(page.locator("[data-kept]")).to_contain_text("Offline")
    page.wait_for_timeout(300)
    page.close()

    again = page.context.new_page()
    again.goto(address)
    ready(again)
    expect(again.locator(".round-screen:visible .round-field input")).to_have_value("3.9")
    onward(again)
    again.locator(".round-choice").first.click()
    onward(again)
    onward(again)
    expect(again.locator("[data-offline]")).to_be_visible()
    again.locator("[name=signed]").check()
    send(again)
    expect(again.locator("[data-queue] li")).to_contain_text("waits for the signal")
    assert counted() == 0

    # The list of what is kept opens without a signal as well.
    again.goto("/inspections/rounds")
    expect(again.locator("[data-queue] li")).to_contain_text("변전실 월간 점검")
    again.context.set_offline(False)
    expect(again.locator("[data-queue] li")).to_contain_text("Sent", timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


def test_an_answer_that_was_lost_on_the_way_makes_no_second_round(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    walk(page, "11")
    lost = []

    def lose(route):
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/inspections/rounds/*", lose)
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    page.locator("[data-queue] button").click()
    page.wait_for_function("() => document.querySelector('[data-queue] li').dataset.why === 'waiting'")
    page.locator("[data-queue] button").click()
    page.wait_for_url(re.compile(r"/inspections/\d+$"))

    assert lost == [201, 201]
    assert counted() == 1
    vars(page)["problems"].clear()


def test_a_session_that_ended_loses_nothing(page_as, base, counted, password, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    walk(page, "11")
    with base() as session:
        session.execute(update(WebSession).values(revoked_at=datetime.now(UTC), revoked_reason="test"))
        session.commit()
    send(page)

    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-queue] li")).to_contain_text("Sign in, and it is sent")
    assert counted() == 0
    page.locator("[data-queue] button").click()
    dialog.locator("input[name=password]").fill(password)
    dialog.locator("input[name=password]").press("Enter")
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    assert counted() == 1
    only_problems(page, 401)


def test_the_worker_leads_to_the_sign_in_while_there_is_a_signal(page_as, base, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    address = page.url
    page.reload()
    ready(page)
    with base() as session:
        session.execute(update(WebSession).values(revoked_at=datetime.now(UTC), revoked_reason="test"))
        session.commit()
    page.goto(address)

    page.wait_for_url("**/sign-in?next=*")
    expect(page.locator("input[name=password]")).to_be_visible()


def test_nobody_is_shown_what_was_kept_after_a_sign_out(page_as, site, template):
    page = page_as("operator", lang="en")
    begin(page, template)
    fill(page, "78")
    expect(page.locator("[data-kept]")).to_contain_text("Kept")
    page.goto(f"/inspections/rounds?site={SITE}")
    expect(page.locator("[data-queue] li")).to_contain_text("Not finished: 1 of 4")
    page.locator(".topbar .menu summary").last.click()
    page.locator("[data-forget-drafts] button").click()
    page.wait_for_url("**/sign-in*")
    page.context.set_offline(True)
    page.goto("/inspections/rounds")

    expect(page.locator("[data-shell-words]")).to_contain_text("Nobody is signed in")
    expect(page.locator("[data-kept-here]")).to_be_hidden()
    page.context.set_offline(False)
    page.context.add_cookies([{**site.cookie("operator"), "url": site.address}])
    page.goto(f"/inspections/rounds?site={SITE}")
    expect(page.locator("[data-queue] li")).to_contain_text("Not finished: 1 of 4")
    vars(page)["problems"].clear()


def test_another_person_on_the_same_phone_neither_sees_nor_sends_it(page_as, site, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    page.context.set_offline(True)
    walk(page, "11")
    send(page)
    expect(page.locator("[data-queue] li")).to_be_visible()
    page.context.add_cookies([{**site.cookie("manager"), "url": site.address}])
    page.context.set_offline(False)
    other = page.context.new_page()
    other.goto(f"/inspections/rounds?site={SITE}")
    other.wait_for_selector("html[data-round=ready]", state="attached")
    expect(other.locator("[data-kept-here]")).to_be_hidden()
    page.wait_for_timeout(500)
    assert counted() == 0

    begin(other, template)
    expect(other.locator(".round-field input:visible")).to_have_value("")
    other.context.add_cookies([{**site.cookie("operator"), "url": site.address}])
    other.goto(f"/inspections/rounds?site={SITE}")
    expect(other.locator("[data-queue] li")).to_contain_text("Sent", timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


def test_a_second_tab_does_not_take_back_what_the_first_one_finished(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    fill(page, "78")
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    expect(other.locator(".round-field input:visible")).to_have_value("78")
    walk(page, "11")
    page.context.set_offline(True)
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    fill(other, "79")
    expect(other.locator("[data-kept]")).to_contain_text("another tab")
    page.context.set_offline(False)
    page.wait_for_url(re.compile(r"/inspections/\d+$"), timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("<b>1</b>", "must be a number"),
        ("=1+1", "must be a number"),
        ("NaN", "must be a number"),
        ("1e308", "must be a number"),
        ("1" + "0" * 30, "must lie between"),
        ("1,234", "without a comma"),
        ("-91", "must lie between"),
    ],
)
def test_what_is_no_reading_is_refused_in_words(page_as, template, typed, words):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    fill(page, typed)
    onward(page)

    expect(page.locator("[data-verdict]:visible")).to_contain_text(words)
    expect(page.locator(".round-field input:visible")).to_be_focused()


def test_a_zero_has_no_sign_and_a_comma_is_a_decimal_mark(page_as, base, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    fill(page, "−0")
    onward(page)
    fill(page, "12,5")
    onward(page)
    page.locator(".round-choice").first.click()
    onward(page)
    page.locator(".round-screen:visible textarea").first.fill('=HYPERLINK("x") <script>alert(1)</script>')
    onward(page)
    send(page)
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    expect(page.locator("body")).to_contain_text("<script>alert(1)</script>")
    with base() as session:
        asked = select(InspectionResult.value).order_by(InspectionResult.id.desc())
        assert sorted(one for one in session.scalars(asked.limit(4)) if one is not None) == [0.0, 12.5]


def test_a_round_is_a_plain_form_without_script(page_as, counted, base, template):
    page = page_as("operator", width=390, lang="ko", script=False)
    page.goto(f"/inspections/rounds/{template}?site={SITE}")
    page.locator("#value-temp").fill("78")
    page.locator("#value-ins").fill("0,4")
    page.locator(".round-choice").first.click()
    page.locator("[name=order-ins]").check()
    page.locator("[name=signed]").check()
    send(page)
    expect(page.locator("[data-ask]:visible")).to_contain_text("정말 0.4")
    page.locator("[name=sure-ins]").check()
    send(page)
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    with base() as session:
        assert (
            session.scalars(select(WorkOrder).where(WorkOrder.inspection_id.is_not(None))).one().priority == "critical"
        )
    only_problems(page, 422)


def photo(page: Page, name: str) -> None:
    picture = {"name": name, "mimeType": "image/png", "buffer": png()}
    page.locator(".round-screen:visible [data-photo]").set_input_files([picture])
    expect(page.locator(".round-screen:visible [data-photos]")).to_contain_text(name.removesuffix(".png"))


def test_photos_wait_with_their_round_and_follow_it_once(page_as, base, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    page.context.set_offline(True)
    fill(page, "78")
    photo(page, "one.png")
    photo(page, "two.png")
    page.reload()
    ready(page)
    expect(page.locator(".round-screen:visible [data-photos] li")).to_have_count(2)
    walk(page, "11")
    expect(page.locator("[data-along]")).to_contain_text("Photos: 2")
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/inspections/rounds/photos", lose)
    page.context.set_offline(False)
    expect(page.locator("[data-queue] li")).to_contain_text("photos to go", timeout=20_000)
    assert counted() == 1
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(re.compile(r"/inspections/\d+$"), timeout=20_000)
    expect(page.locator("#evidence-winding_temp_c .evidence-file")).to_have_count(2)
    with base() as session:
        kept = session.scalars(select(EvidenceFile).where(EvidenceFile.inspection_id.is_not(None))).all()
        assert sorted(one.file_name for one in kept) == ["one.png", "two.png"]
    vars(page)["problems"].clear()


@WIDTHS
def test_the_page_of_an_inspection_makes_the_order_of_a_finding(page_as, axe, base, template, width, lang):
    page = page_as("manager", width=width, lang=lang)
    with base() as session:
        number = session.scalar(select(func.max(Inspection.id)))
    page.goto(f"/inspections/{number}?point=temp")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
