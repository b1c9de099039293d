"""What the tests of metrics share."""

from console.domain.programme.measures import METRICS
from console.services.programme import metrics

KEYS = [metric.key for metric in METRICS.values() if metric.path not in ("blockers", "site-benchmark")]


def values(ctx, key, site=None, days=None):
    """Return a metric, of its default number of days unless others are named."""
    return metrics.snapshot(ctx, key, site, days or METRICS[key].default)
