"""The metrics of the weeks W04 to W15 for automation (API contract, metric APIs): a route for each of the registry."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.serialize import plain
from console.domain.programme.measures import METRICS, Metric
from console.inputs.programme_metrics import BenchmarkOut, BlockersOut, MetricOut, query_of
from console.services.programme import metrics
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

OPS = "/api/ops/adoption"
api = ApiBlueprint(
    "programme_metrics_api",
    __name__,
    abp_tags=[Tag(name="programme metrics", description="How the weeks of the programme go, from the facts")],
)


def _blockers(query: Any) -> Any:
    return metrics.blockers(web_context(), query.site, query.days, query.max_items)


def _benchmark(query: Any) -> Any:
    return metrics.benchmark(web_context(), query.site, query.days, query.limit)


_LISTS: dict[str, Any] = {"w04/blockers": (_blockers, BlockersOut), "w08/site-benchmark": (_benchmark, BenchmarkOut)}


def _mount(metric: Metric) -> None:
    found, model = _LISTS.get(metric.key, (None, MetricOut))

    def view(query: Any) -> Response:
        if found is not None:
            return answer(plain(found(query)), model)
        made = metrics.snapshot(web_context(), metric.key, query.site, query.days)
        return answer(plain(made.as_answer()), model)

    # The router reads the bounds from the annotation.
    view.__annotations__["query"] = query_of(metric)
    view.__name__ = metric.action.removesuffix("_view")
    view.__doc__ = f"Return {metric.key} of a site, or of all that the caller sees, over the last `days` days."
    published: Any = {200: model}
    api.get(f"{OPS}/{metric.key}", responses=published)(access(f"adoption_{metric.code}:read")(view))


for _metric in METRICS.values():
    _mount(_metric)
