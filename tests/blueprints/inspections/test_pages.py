"""The pages of inspections: the list, one inspection, and how much they ask the database."""

from __future__ import annotations

import pytest

from tests.factories import make_site

SITE, OTHER = "한빛마을 3단지", "Site B"
BODY = {"location": "변전실", "cycle": "monthly", "inspector": "강야간"}


@pytest.fixture
def stored(api, session, clock):
    """Two inspections of today, a dangerous and a harmless one, and one of last week elsewhere."""
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()
    caller = api("operator")
    sent = [
        {**BODY, "site": SITE, "inspected_at": "2026-03-02T00:00:00Z", "insulation_mohm": 0.4, "voltage_r": 220},
        {**BODY, "site": SITE, "inspected_at": "2026-03-01T16:00:00Z", "insulation_mohm": 12.4},
        {**BODY, "site": OTHER, "inspected_at": "2026-02-20T00:00:00Z", "notes": "<script>x</script>"},
    ]
    return [caller.post("/api/inspections", json=one).json["id"] for one in sent]


def test_the_list_says_what_today_brought_and_opens_its_rows(browser_client, stored):
    reader = browser_client("manager", language="en")
    page = reader.get("/inspections").text

    assert "Dangerous: 1" in page
    assert 'href="/inspections?today=1">2</a>' in page
    assert [f'/inspections/{number}"' in reader.get("/inspections?today=1").text for number in stored] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("risk_level=danger", [True, False, False]),
        ("flag=insulation_low", [True, False, False]),
        ("flag=temp_high", [False, False, False]),
        (f"site={OTHER}", [False, False, True]),
        ("inspector=강야간&q=변전", [True, True, True]),
        ("q=%233", [False, False, True]),
        ("unsigned=1&since=2026-03-02", [True, True, False]),
        ("until=2026-03-01", [False, False, True]),
        ("cycle=daily", [False, False, False]),
    ],
)
def test_filters_narrow_the_list(browser_client, stored, query, shown):
    page = browser_client("manager").get(f"/inspections?{query}").text

    assert [f'/inspections/{number}"' in page for number in stored] == shown


def test_one_inspection_tells_value_limit_and_the_last_time(browser_client, stored):
    page = browser_client("manager", language="en").get(f"/inspections/{stored[0]}").text

    assert "0.4 MΩ" in page
    assert "above 1" in page
    assert "−12" in page
    assert "Danger" in page
    assert 'id="trend-chart-title"' in page
    assert "As a table" in page


def test_texts_of_people_are_never_markup_and_unknown_points_no_error(browser_client, stored):
    reader = browser_client("manager")

    assert "<script>x" not in reader.get(f"/inspections/{stored[2]}").text
    assert reader.get(f"/inspections/{stored[0]}?point=nothing&span=3y").status_code == 200
    assert reader.get(f"/inspections/{stored[0]}?span=x").status_code == 422
    assert reader.get("/inspections/999999").status_code == 404
    assert browser_client("operator", (OTHER,)).get(f"/inspections/{stored[0]}").status_code == 403
    assert f'/inspections/{stored[0]}"' not in browser_client("operator", (OTHER,)).get("/inspections").text


def test_the_sheet_speaks_the_language_of_its_reader(browser_client, stored):
    page = browser_client("manager", language="ko").get(f"/inspections/{stored[0]}/print").text

    assert '<html lang="ko">' in page
    assert "절연저항(MΩ)" in page
