"""A figure and the rows behind it say the same number."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("address", ["/overview", "/autopilot/figures"])
def test_every_count_of_items_opens_exactly_its_rows(page_as, address):
    page = page_as("owner")
    page.goto(address)
    stats = page.locator(".stat", has=page.locator("a.stat-link"), has_text=re.compile("건$|건[^/]"))
    found = [
        (one.locator(".stat-value").inner_text(), one.locator("a.stat-link").get_attribute("href"))
        for one in stats.all()
        if "/" not in one.locator(".stat-unit").inner_text()
    ]

    assert len(found) >= 3
    for count, rows in found:
        page.goto(rows)
        expect(page.locator(".listing tbody tr[data-row]")).to_have_count(int(count))
