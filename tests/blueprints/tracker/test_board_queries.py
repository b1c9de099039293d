"""How many questions the board and its API ask the database, first and again."""

import pytest

from tests.blueprints.tracker.board_support import SITE
from tests.factories.tracker import add_item
from tests.support.statements import statements


@pytest.fixture
def count():
    """Count the statements of a request."""

    def counted(request):
        with statements() as seen:
            request()
        return len(seen)

    return counted


@pytest.mark.parametrize(
    "query", ["", "?view=table", "?view=table&status=pending&q=x", f"?site={SITE}", "?due=overdue"]
)
def test_a_page_asks_the_database_at_most_ten_times(browser_client, count, items, session, clock, query):
    client = browser_client("manager")
    client.get("/board" + query)
    add_item(session, clock.now(), 11)
    session.commit()
    few = count(lambda: client.get("/board" + query))
    for number in range(12, 120):
        add_item(session, clock.now(), number, assignee=f"person{number % 40}")
    session.commit()

    assert few <= 10
    assert count(lambda: client.get("/board" + query)) == few
    # Nothing was written since: figures and rows stand.
    assert count(lambda: client.get("/board" + query)) == 1


@pytest.mark.parametrize(
    "path", ["items", "items?limit=1&offset=3", "items?overdue=true", "overview", "readiness", "completion"]
)
def test_the_api_asks_the_database_at_most_five_times(api, count, items, path):
    client = api("manager")
    address = f"/api/ops/governance/gate/remediation/tracker/{path}"
    client.get(address)

    assert count(lambda: client.get(address)) <= 5


def test_the_overview_is_not_read_again_while_nothing_is_written(browser_client, count, items):
    client = browser_client("manager")
    first = count(lambda: client.get("/overview"))

    assert first <= 23
    assert count(lambda: client.get("/overview")) <= 5
