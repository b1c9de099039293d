"""A round on the phone: point by point, with a finding that becomes its order, and without script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from console.models.inspections import Inspection, InspectionResult, InspectionSignature
from console.models.work_orders import WorkOrder
from tests.browser.rounds.steps import SITE, begin, fill, onward, send, sign
from tests.browser.steps import WIDTHS, only_problems


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


def test_the_question_about_a_strange_value_is_put_again_for_another_one(page_as, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    asked = page.locator("[data-ask]:visible")
    fill(page, "900")
    onward(page)
    expect(asked).to_contain_text("900")
    fill(page, "990")
    expect(asked).to_be_hidden()
    onward(page)
    expect(asked).to_contain_text("990")


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


@WIDTHS
def test_the_page_of_an_inspection_makes_the_order_of_a_finding(page_as, axe, base, template, width, lang):
    page = page_as("manager", width=width, lang=lang)
    with base() as session:
        number = session.scalar(select(func.max(Inspection.id)))
    page.goto(f"/inspections/{number}?point=temp")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
