"""The tab of response times: states in words, the chosen route, CSV of exactly the list, and who may not look."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from console.models.reliability import BurnAlert
from console.services.reliability import burn_alerts, latency
from console.services.reliability.latency import Sample
from tests.support.statements import statements

PAGE, ENGLISH = "/ops/latency?", {"Accept": "text/html", "Accept-Language": "en"}
HEADER = (
    "endpoint,state,recent_count,p95_ms,p99_ms,burn_rate_short,burn_rate_long,fast_rule,slow_rule,"
    "budget_kind,budget_allowed,budget_used,budget_left_percent,budget_lasts_hours"
)


@pytest.fixture
def burning(ctx):
    for minutes in (2, 20, 40):
        _store(ctx, "GET /api/work-orders", 800.0, minutes)
        _store(ctx, "GET /health", 5.0, minutes)
    burn_alerts.check(ctx)
    ctx.commit()


def _store(ctx, key, ms, minutes):
    method, path = key.split()
    at = ctx.now() - timedelta(minutes=minutes)
    latency.store(ctx, [Sample(key, method, path, ms, 200, False, at)] * 20)


def test_an_empty_installation_says_so_in_words(api):
    body = api().get(PAGE, headers=ENGLISH).text

    assert body.count("Too few samples") >= 10
    assert "No deploy was recorded in this period." in body


def test_the_worst_route_is_first_with_its_alerts_and_nobody_told(api, burning):
    body = api().get(PAGE, headers=ENGLISH).text

    assert body.index("/api/work-orders</a>") < body.index("/health</a>")
    assert "The budget of 30 days is used up." in body
    assert body.count("burning, since") == 2
    assert "Nobody could be told: no channel is set up" in body


def test_another_route_and_period_stand_in_the_address(api, burning):
    body = api().get(f"{PAGE}&route=GET+/health&days=30", headers=ENGLISH).text

    assert "At this pace the budget lasts." in body
    assert "days=30" in body


@pytest.mark.parametrize("address", ["&route=GET+/nowhere", "&days=2", "&days=x"])
def test_an_address_that_fits_nothing_shows_the_worst_route_of_a_day(api, burning, address):
    answer = api().get(PAGE + address, headers=ENGLISH)

    assert answer.status_code == 200
    assert "The budget of 30 days is used up." in answer.text


def test_the_csv_is_exactly_the_list(api, burning):
    answer = api().get("/ops/latency.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.text.split("\r\n")[0] == HEADER
    assert [row["endpoint"] for row in rows][:2] == ["GET /api/work-orders", "GET /health"]
    assert (rows[0]["state"], rows[0]["p95_ms"], rows[0]["budget_left_percent"]) == ("critical", "800.0", "0.0")
    assert (rows[2]["state"], rows[2]["p95_ms"], rows[2]["budget_left_percent"]) == ("too_few", "", "")
    assert api().get("/ops/latency.csv?bom=1").text.startswith("\ufeff")


def test_the_alert_of_another_route_is_not_shown(api, burning, session):
    session.query(BurnAlert).update({"endpoint_key": "GET /meta"})
    session.commit()

    assert "burning, since" not in api().get(f"{PAGE}&route=GET+/health", headers=ENGLISH).text


def test_the_page_asks_the_same_number_of_queries_whatever_was_measured(api, burning, ctx):
    caller = api()
    caller.get(PAGE, headers=ENGLISH)

    def asked():
        with statements() as seen:
            caller.get(PAGE, headers=ENGLISH)
        return len(seen)

    before = asked()
    for minutes in range(50):
        _store(ctx, "GET /meta", 20.0, minutes)
    ctx.commit()

    assert asked() == before


def test_an_alert_leads_to_its_message_and_to_the_form_that_marks_it_false(api, ctx, config):
    told = replace(ctx, config=config.replaced(ALERT_WEBHOOK_URLS="https://hooks.example/x"))
    for minutes in (2, 20, 40):
        _store(told, "GET /api/work-orders", 800.0, minutes)
    burn_alerts.check(told)
    told.commit()
    caller = api()

    before = caller.get(PAGE, headers=ENGLISH).text
    form = caller.get("/alerts/1").text
    caller.post("/api/ops/alerts/deliveries/1/false", json={"reason": "a drill"})
    after = caller.get(PAGE, headers=ENGLISH).text

    assert re.search(r'Told: <a href="/alerts/1">https://hooks\.example/…</a>', before)
    assert 'href="/alerts/1#mark-false"' in before
    assert 'id="mark-false"' in form
    # Both rules burn, raised at one moment: what people say of one message, they do not say of the other.
    assert "/alerts/1#mark-false" not in after
    assert "/alerts/2#mark-false" in after
    assert after.count("Marked as false") == 1


def test_who_may_not_mark_alerts_gets_no_button(api, ctx, config):
    told = replace(ctx, config=config.replaced(ALERT_WEBHOOK_URLS="https://hooks.example/x"))
    for minutes in (2, 20, 40):
        _store(told, "GET /api/work-orders", 800.0, minutes)
    burn_alerts.check(told)
    told.commit()

    assert "#mark-false" not in api("auditor").get(PAGE, headers=ENGLISH).text


def test_a_monitoring_system_reads_the_figures_of_the_page(api, burning, ctx):
    for minutes in (1, 30):
        _store(ctx, "GET /meta", 700.0, minutes)
    ctx.commit()
    caller = api()

    text = caller.get("/metrics").text
    rows = {row["endpoint"]: row for row in csv.DictReader(io.StringIO(caller.get("/ops/latency.csv").text))}
    published = {one["endpoint"]: one for one in caller.get("/api/ops/performance/api-latency").json["endpoints"]}

    known = {route for route, row in rows.items() if row["state"] != "too_few"}
    assert known >= {"GET /api/work-orders", "GET /health", "GET /meta"}
    measured = dict(re.findall(r'^console_route_p95_milliseconds\{route="([^"]+)"\} (\S+)$', text, re.MULTILINE))
    left = dict(re.findall(r'^console_route_budget_left_percent\{route="([^"]+)"\} (\S+)$', text, re.MULTILINE))
    burns = re.findall(
        r'^console_route_burn_rate\{route="([^"]+)",rule="fast",window="(\w+)"\} (\S+)$', text, re.MULTILINE
    )
    assert set(measured) == set(left) == known
    for route in known:
        assert float(measured[route]) == float(rows[route]["p95_ms"]) == published[route]["p95_ms"]
        assert float(left[route]) == float(rows[route]["budget_left_percent"])
    assert {(route, window): float(rate) for route, window, rate in burns} == {
        (route, window): float(rows[route][f"burn_rate_{window}"])
        for route in known
        for window in ("short", "long")
        if rows[route][f"burn_rate_{window}"]
    }
    assert 'console_burn_alerts{rule="fast"} 1.0' in text
