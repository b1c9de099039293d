"""Where the rows of a figure are, for those who may open them."""

from __future__ import annotations

from console.services.common.figures import Counted
from console.ui.addresses import url_if


def rows_url(counted: Counted) -> str | None:
    """Return the address of the rows behind a figure, None where the reader may not open them."""
    return url_if(counted.figure.endpoint, **counted.args)
