from datetime import UTC, date, datetime, timedelta

import pytest

from console.domain.text import T
from console.ui import formats
from tests.factories import make_site

NOON = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def reading(app, clock):
    """Return `reading(lang)`: a request of a reader of that language at nine in the morning in Seoul."""
    contexts = []

    def enter(lang="ko", path="/"):
        context = app.test_request_context(path, headers={"Accept-Language": lang})
        context.push()
        contexts.append(context)

    yield enter
    for context in reversed(contexts):
        context.pop()


@pytest.mark.parametrize(
    ("lang", "instant", "shown"),
    [
        ("ko", NOON, "12:00"),
        ("en", NOON, "12:00"),
        ("ko", NOON - timedelta(days=1), "3월 1일 12:00"),
        ("en", NOON - timedelta(days=1), "1 Mar 12:00"),
        ("ko", NOON - timedelta(days=400), "2025-01-26 12:00"),
        ("ko", None, "–"),
    ],
)
def test_an_instant_is_as_short_as_it_can_be(reading, lang, instant, shown):
    reading(lang)

    assert formats.localtime(instant) == shown


@pytest.mark.parametrize(("lang", "shown"), [("ko", "3월 2일 12:00"), ("en", "2 Mar 12:00")])
def test_a_moment_of_today_keeps_its_date(reading, lang, shown):
    reading(lang)

    assert formats.localtime(NOON, "moment") == shown


def test_the_full_form_names_the_zone(reading):
    reading("ko")

    assert formats.localtime(NOON, "full") == "2026-03-02 12:00 (Asia/Seoul)"


@pytest.mark.parametrize(
    ("lang", "this_year", "last_year"), [("en", "2 Mar", "2 Mar 2025"), ("ko", "3월 2일", "2025년 3월 2일")]
)
def test_a_day_begins_at_midnight_of_the_business(reading, lang, this_year, last_year):
    reading(lang)

    assert formats.localdate(datetime(2026, 3, 1, 15, tzinfo=UTC)) == this_year
    assert formats.localdate(datetime(2025, 3, 1, 15, tzinfo=UTC)) == last_year


@pytest.mark.parametrize(
    ("lang", "last", "said"),
    [
        ("ko", date(2026, 3, 6), "3월 2일~6일"),
        ("ko", date(2026, 4, 3), "3월 2일~4월 3일"),
        ("en", date(2026, 3, 6), "2 – 6 Mar"),
    ],
)
def test_a_span_of_days_is_as_short_as_it_can_be_read(reading, lang, last, said):
    reading(lang)

    assert formats.date_span(date(2026, 3, 2), last) == said


@pytest.mark.parametrize(
    ("value", "digits", "shown"), [(1234567, 0, "1,234,567"), (4.25, 1, "4.2"), (4.0, 1, "4"), (None, 1, "–")]
)
def test_numbers_have_separators(reading, value, digits, shown):
    reading("ko")

    assert formats.number(value, digits) == shown


@pytest.mark.parametrize(
    ("lang", "count", "shown"),
    [("ko", 67, "67바이트"), ("en", 67, "67 bytes"), ("ko", 493_568, "482 KB"), ("ko", 1_500_000, "1.4 MB")],
)
def test_a_file_has_its_size_in_the_largest_unit(reading, lang, count, shown):
    reading(lang)

    assert formats.file_size(count) == shown


@pytest.mark.parametrize(
    ("lang", "role", "shown"),
    [
        ("ko", "Security Manager", "정보보안 책임자"),
        ("en", "Security Manager", "Security Manager"),
        ("ko", "Ops Lead + QA", "운영팀장 + 품질 담당"),
        ("ko", "Save", "Save"),
        ("ko", None, ""),
    ],
)
def test_a_role_of_work_is_called_by_its_name_and_another_text_stands_for_itself(reading, lang, role, shown):
    reading(lang)

    assert formats.owner_role(role) == shown


def test_texts_are_translated_with_their_values(reading):
    reading("ko")

    assert formats.tr(T("%(item)s resolved", item="GR-001")) == "GR-001: 완료 확인"
    assert formats.tr({"msgid": "%(item)s resolved", "params": {"item": "GR-001"}}) == "GR-001: 완료 확인"
    assert formats.tr(None) == ""


def test_the_first_use_of_another_language_changes_nothing_for_the_next_reader(app, client):
    korean = client.get("/sign-in", headers={"Accept-Language": "ko"}).text
    english = client.get("/sign-in", headers={"Accept-Language": "en-GB,en;q=0.9"}).text

    assert '<html lang="ko"' in korean
    assert '<html lang="en"' in english
    assert '<html lang="ko"' in client.get("/sign-in", headers={"Accept-Language": "fr"}).text


def test_times_follow_the_zone_of_the_chosen_site(browser_client, session, clock):
    make_site(session, "런던 사무소", now=clock.now(), zone="Europe/London")
    session.commit()
    client = browser_client("manager")

    assert "(Asia/Seoul)" in client.get("/overview").text
    assert "(Europe/London)" in client.get("/overview?site=런던 사무소").text
