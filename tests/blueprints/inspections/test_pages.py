"""The pages of inspections: the list, one inspection, and how much they ask the database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import make_site
from tests.support.statements import statements

SITE, OTHER = "한빛마을 3단지", "Site B"
BODY = {"location": "변전실", "cycle": "monthly", "inspector": "강야간"}
# Statements of a round with two orders, of its sheet, of its page, and of the list of what can be begun.
FROZEN = {"send": 27, "sheet": 5, "detail": 12, "begin": 4}


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


def test_a_danger_that_nobody_took_up_is_said_on_the_days_after(browser_client, stored, clock):
    clock.advance(timedelta(days=2))
    reader = browser_client("manager", language="en")
    said = 'data-figure="inspections_unordered" data-count="1"'

    for address in ("/overview", f"/overview?site={SITE}", "/inspections"):
        page = reader.get(address).text
        assert said in page, address
        assert "Dangers without a work order: 1" in page, address
    reason = {"code": "insulation_mohm", "reason": "Meter was broken"}
    assert reader.post(f"/inspections/{stored[0]}/close", data=reason).status_code == 303
    assert "Dangers without a work order" not in reader.get("/inspections").text


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
    assert "1 초과" in page
    assert "0.4 MΩ" in page


def test_a_finding_is_closed_and_the_inspection_countersigned(browser_client, stored):
    manager = browser_client("manager", username="park", display_name="박시설")
    path = f"/inspections/{stored[0]}"
    assert "조치 불필요…" in manager.get(path).text

    blank = manager.post(f"{path}/close", data={"code": "insulation_mohm", "reason": " "})
    assert (blank.status_code, "이유를 적어" in blank.text) == (422, True)
    closed = manager.post(f"{path}/close", data={"code": "insulation_mohm", "reason": "측정 <실수>"})
    assert closed.status_code == 303
    page = manager.get(path).text
    assert "조치 불필요: 측정 &lt;실수&gt;" in page
    again = manager.post(f"{path}/close", data={"code": "insulation_mohm", "reason": "또"})
    assert again.status_code == 409

    assert manager.post(f"{path}/countersign", data={"note": "확인"}).status_code == 303
    assert "박시설" in manager.get(path).text
    assert "확인 서명자" in manager.get(f"{path}/print").text
    assert "확인 서명…" not in manager.get(path).text
    assert manager.post(f"{path}/countersign").status_code == 409
    assert browser_client("auditor", username="han").post(f"{path}/close").status_code == 403


def form_of(**values):
    head = {
        "name": "변전실 점검",
        "code": "power",
        "location": "변전실",
        "cycle": "monthly",
        "site": "",
        "version": "0",
    }
    point = {"name-0": "유온", "code-0": "oil", "kind-0": "number", "unit-0": "°C", "warn_high-0": "60,5"}
    choice = {
        "name-1": "누수",
        "code-1": "leak",
        "kind-1": "choice",
        "choices-1": "없음 = 정상\n있음=danger\n조금 = 주의",
    }
    return {**head, **point, **choice, "rows": "3", **values}


def test_a_template_is_published_from_its_page_and_every_version_stays(browser_client, api):
    manager = browser_client("manager")
    address = "/inspections/templates"

    assert manager.post(address, data=form_of(more="1")).text.count("name-4") > 0
    assert manager.post(address, data=form_of()).status_code == 303
    first = api("operator").get("/api/inspections/templates").json[0]
    assert [point["code"] for point in first["points"]] == ["oil", "leak"]
    assert first["points"][0]["limits"]["warn_high"] == 60.5
    assert first["points"][1]["choices"] == [["없음", "normal"], ["있음", "danger"], ["조금", "warning"]]
    page = manager.get(f"{address}/{first['id']}").text
    assert "없음 = 정상" in page
    # Written over version 0, but there is a version by now.
    assert manager.post(address, data=form_of()).status_code == 409
    assert manager.post(address, data=form_of(version="1", name="새 이름")).status_code == 303
    assert [one["version"] for one in api("operator").get("/api/inspections/templates").json] == [2]
    assert api("operator").get(f"/api/inspections/templates/{first['id']}").json["is_current"] is False
    assert "새 판" in manager.get(f"/inspections/rounds/{first['id']}?site={SITE}").text


@pytest.mark.parametrize(
    "values",
    [
        {"warn_high-0": "nine"},
        {"warn_high-0": "1e308"},
        {"code-0": "대문자"},
        {"code-0": ""},
        {"name": ""},
        {"cycle": " "},
        {"choices-1": "없음 = 좋음"},
        {"choices-1": ""},
        {"maps_to-0": "<b>"},
        {"maps_to-0": "winding_temp_c"},
        {"kind-0": "speech"},
        {"rows": "999999999999"},
        {"site": "nowhere" * 30},
    ],
)
def test_a_template_that_makes_no_sense_is_shown_again_with_the_reason(browser_client, values):
    page = browser_client("manager", language="ko").post("/inspections/templates", data=form_of(**values))

    assert page.status_code == 422
    assert "data-error-summary" in page.text


def test_only_who_manages_inspections_publishes_templates(browser_client, api):
    assert browser_client("operator").get("/inspections/templates").status_code == 403
    assert browser_client("operator").post("/inspections/templates", data=form_of()).status_code == 403
    # For all sites only by somebody who has all of them.
    assert browser_client("manager", (SITE,)).post("/inspections/templates", data=form_of()).status_code == 403
    assert api("operator").post("/api/inspections/templates", json={}).status_code == 403


def sheet_form(**values):
    return {"value-oil": "45", "value-leak": "없음", "round_key": "phone-0001", "signed": "1", **values}


def test_a_phone_is_answered_in_json_and_in_its_language(browser_client):
    manager = browser_client("manager", language="ko")
    manager.post("/inspections/templates", data=form_of())
    address = f"/inspections/rounds/1?site={SITE}&location=변전실"
    asks = {"Accept": "application/json"}
    sent = [manager.post(address, data=sheet_form(finished_at="2026-03-01T01:00:00Z"), headers=asks) for _time in "123"]

    assert {one.status_code for one in sent} == {201}
    assert len({one.json["id"] for one in sent}) == 1
    for field, value, code in (
        ("value-oil", "NaN", "oil"),
        ("value-oil", "1e308", "oil"),
        ("value-oil", "<script>", "oil"),
        ("value-oil", "", "oil"),
        ("value-leak", "=1+1", "leak"),
        ("at-oil", "yesterday", "oil"),
        ("order-nothing", "1", None),
    ):
        refused = manager.post(address, data=sheet_form(**{field: value, "round_key": "phone-0002"}), headers=asks)
        if code is None:
            assert refused.status_code == 201
            continue
        assert (refused.status_code, list(refused.json["errors"])) == (422, [code]), field
        assert any("가" <= letter <= "힣" for letter in refused.json["errors"][code])


def test_the_worker_and_the_shell_name_nobody(browser_client, client):
    shell = browser_client("manager").get("/inspections/rounds/shell")
    worker = client.get("/inspections/round-worker.js")

    assert '"me": ""' in shell.text.replace("&#34;", '"')
    assert 'name="csrf-token" content=""' in shell.text
    assert SITE not in shell.text
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"


def points_form(number):
    rows = {f"name-{one}": f"항목 {one}" for one in range(number)} | {f"code-{one}": f"p{one}" for one in range(number)}
    bounds = {f"danger_low-{one}": "1" for one in range(number)} | {f"kind-{one}": "number" for one in range(number)}
    return form_of(**{**rows, **bounds, "choices-1": "", "rows": str(number)})


@pytest.mark.parametrize("number", [4, 40])
def test_a_round_asks_the_database_alike_however_many_points_it_has(browser_client, number, engine):
    manager = browser_client("manager")
    assert manager.post("/inspections/templates", data=points_form(number)).status_code == 303
    address = f"/inspections/rounds/1?site={SITE}&location=변전실"
    values = {f"value-p{one}": "0.4" for one in range(number)}
    form = {**values, "order-p0": "1", "order-p1": "1", "finished_at": "2026-03-01T01:00:00Z"}
    asked = {}
    for name in ("first", "second"):
        with statements() as seen:
            sent = manager.post(
                address, data={**form, "round_key": f"phone-{name}"}, headers={"Accept": "application/json"}
            )
        assert sent.status_code == 201
        asked["send"] = len(seen)
    for page, path in (
        ("sheet", address),
        ("detail", sent.json["address"]),
        ("begin", f"/inspections/rounds?site={SITE}"),
    ):
        manager.get(path)
        with statements() as seen:
            assert manager.get(path).status_code == 200
        asked[page] = len(seen)

    # SQLite takes the second order by itself.
    assert asked == {**FROZEN, "send": FROZEN["send"] + (engine.dialect.name == "sqlite")}


def test_dangers_without_an_order_are_a_filter_and_leave_it_with_their_order(browser_client, stored):
    manager = browser_client("manager", language="en")
    listed = "/inspections?unordered=1"

    assert f'/inspections/{stored[0]}"' in manager.get(listed).text
    assert f'/inspections/{stored[1]}"' not in manager.get(listed).text
    made = manager.post(f"/inspections/{stored[0]}/orders", data={"code": "insulation_mohm"})
    assert made.headers["Location"].endswith("#findings")
    assert f'/inspections/{stored[0]}"' not in manager.get(listed).text
    page = manager.get(f"/inspections/{stored[0]}").text
    assert 'href="/work-orders/1">#1</a>' in page
    assert manager.post(f"/inspections/{stored[0]}/orders", data={"code": "insulation_mohm"}).status_code == 409
    assert browser_client("auditor").post(f"/inspections/{stored[0]}/orders", data={"code": "x"}).status_code == 403
