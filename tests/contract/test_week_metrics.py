"""Metrics of W04 to W15 as published: paths, bounds, keys, scopes."""

import pytest

from console.domain.programme.measures import METRICS

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
OPS = "/api/ops/adoption"
# path, least, default, most days (API contract, metric APIs).
BOUNDS = [
    ("w04/funnel", 1, 30, 90),
    ("w04/blockers", 1, 30, 90),
    ("w05/consistency", 14, 28, 90),
    ("w06/rhythm", 7, 14, 90),
    ("w07/sla-quality", 7, 14, 90),
    ("w08/report-discipline", 14, 30, 120),
    ("w08/site-benchmark", 14, 30, 120),
    ("w09/kpi-operation", 14, 30, 120),
    ("w10/self-serve", 14, 30, 120),
    ("w11/scale-readiness", 14, 30, 120),
    ("w12/closure-handoff", 14, 30, 120),
    ("w13/closure-handoff", 14, 30, 120),
    ("w14/stability-sprint", 14, 30, 120),
    ("w15/ops-efficiency", 14, 30, 120),
]


@pytest.mark.parametrize(("path", "least", "default", "most"), BOUNDS)
def test_paths_and_bounds(api, path, least, default, most):
    owner = api("owner")
    answer = owner.get(f"{OPS}/{path}")
    assert answer.status_code == 200
    assert list(answer.json)[:3] == ["generated_at", "site", "window_days"]
    assert (answer.json["site"], answer.json["window_days"]) == (None, default)
    for days in (least - 1, most + 1, "NaN", "x"):
        assert owner.get(f"{OPS}/{path}?days={days}").status_code == 422
    assert owner.get(f"{OPS}/{path}?days={least}&site={SITE}").json["site"] == SITE


def test_no_other_metric_is_published():
    assert list(METRICS) == [path for path, *_days in BOUNDS]
