"""The sites that the tests of the programme count at."""

import pytest

from tests.factories import make_site
from tests.factories.programme import OTHER, SITE


@pytest.fixture
def sites(session, clock):
    """Both sites are on record."""
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()
