"""What the parts of the operations evidence ask of the database: frozen, and the same however much there is to show."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.alerts.accuracy import LOST_JOB
from console.domain.alerts.alerts import BURNS
from console.domain.jobs import names as job_names
from console.models.alerts import AlertFinding
from console.services.alerts import marks, outbox
from console.services.reliability import burn_alerts, latency
from console.services.reliability.latency import Sample
from tests.contract.test_deploys import RECORD, good
from tests.factories.recovery import add_drill, add_failed_drill
from tests.support.statements import statements

API = "/api/ops"
# The first reading after a write, and the next: with who asks and the sites that stand around a page.
COSTS = {
    "/ops/latency": (12, 12),
    "/ops/latency?days=30": (12, 12),
    f"{API}/performance/api-latency": (3, 3),
    "/ops/accuracy": (8, 7),
    f"{API}/alerts/accuracy/latest": (2, 2),
    f"{API}/alerts/noise-policy": (2, 2),
    "/ops/recovery": (6, 5),
    f"{API}/dr/rehearsal/latest": (2, 2),
    f"{API}/dr/rehearsal/history": (2, 2),
    "/ops/quality": (10, 10),
    "/ops/quality?window=monthly": (10, 10),
    f"{API}/reports/quality/weekly/streak": (2, 2),
    "/ops/integrity": (8, 8),
    "/ops/deploys": (6, 6),
    f"{API}/deploy/checklist": (2, 2),
    "/metrics": (10, 10),
}


@pytest.fixture
def fill(api, make_ctx, session, clock, config):
    """Return what adds a piece of everything: samples with alerts, marks, findings, drills, reports, releases."""
    owner = api()
    told = config.replaced(ALERT_WEBHOOK_URLS="https://a.example/x; https://b.example/x")

    def add(number):
        clock.advance(timedelta(minutes=1))
        ctx = replace(make_ctx(), config=told)
        ctx.begin_write()
        for key in ("GET /health", "GET /api/work-orders", "GET /meta")[: number + 1]:
            method, path = key.split()
            for minutes in (2, 20, 40):
                at = ctx.now() - timedelta(minutes=minutes)
                latency.store(ctx, [Sample(key, method, path, 900.0, 200, False, at)] * 20)
        burn_alerts.check(ctx)
        raised = outbox.raise_alert(ctx, BURNS, {"event": BURNS, "text": "a"})
        marks.mark_false(ctx, raised.delivery_ids[0], "a drill")
        add_failed_drill(session, clock.now() - timedelta(days=2))
        add_drill(session, clock.now() - timedelta(days=1))
        ctx.commit()
        run_id = owner.post(f"{API}/alerts/accuracy/run").json["run_id"]
        lost = {"run_id": run_id, "label": LOST_JOB, "at": clock.now(), "job_name": job_names.KPI}
        session.add_all(AlertFinding(**lost) for _ in range(number + 1))
        session.commit()
        for window in ("weekly", "monthly"):
            owner.post(f"{API}/reports/quality/run?window={window}")
        owner.post(RECORD, json=good(owner, deploy_id=f"rel-{number}", rollback_ready=number % 2 == 0))

    return add


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # The numbers are those of both databases.
def test_no_page_asks_more_when_there_is_more(api, fill):
    caller = api(username="reader")
    found = []
    for numbers in ((0,), (1, 2, 3)):
        for number in numbers:
            fill(number)
        # What stands around every page is asked once after a write, by whichever page comes first.
        caller.get("/ops/daily-check")
        found.append({address: asked(caller, address) for address in COSTS})

    assert found == [COSTS, COSTS]


def asked(caller, address):
    """Return how many statements the first and the second reading of an address take."""
    counts = []
    for _reading in range(2):
        with statements() as seen:
            assert caller.get(address).status_code == 200
        counts.append(len(seen))
    return tuple(counts)
