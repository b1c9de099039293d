"""The real worker process with jobs of the tests: `python -m tests.workers.worker_main`."""

from __future__ import annotations

import sys
import time

from console.services.jobs.registry import job
from tests.services.jobs.run_support import Options, open_sites
from workers import worker


def slowly(ctx, options):
    """Write, and take time before the end."""
    result = open_sites(ctx, options)
    ctx.session.flush()
    time.sleep(1.0)
    return result


job("quick_job", title="", options=Options)(open_sites)
job("slow_job", title="", options=Options, lease_seconds=2)(slowly)

if __name__ == "__main__":
    sys.exit(worker.main())
