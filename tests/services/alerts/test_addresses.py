"""Addresses in messages: whole ones or none."""

import pytest

from console.core.config import Config
from console.services.alerts.addresses import item_address


@pytest.mark.parametrize("base", ["https://ops.example", "https://ops.example/"])
def test_an_address_is_whole(base):
    assert item_address(Config.for_tests(PUBLIC_URL=base), 7) == {"url": "https://ops.example/board/items/7"}


def test_without_an_own_address_there_is_none():
    assert item_address(Config.for_tests(), 7) == {}
