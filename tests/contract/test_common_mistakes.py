"""How often a common mistake was seen: for those who may read the week, of their own sites, and in no cache."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from console.models.identity import User
from console.services.programme import mistakes
from tests.contract.published import PUBLIC
from tests.factories import make_site
from tests.factories.programme import SITE, answered, delivery, entry

OTHER = "한빛마을 3단지 🏢"
AT, PAGE = f"{PUBLIC}/w04/common-mistakes", "/web/adoption/w04/common-mistakes"
DAY = timedelta(days=1)


@pytest.fixture
def facts(session, clock):
    """Two late orders and a lost alert here, five late orders elsewhere."""
    for site, late in ((SITE, 2), (OTHER, 5)):
        make_site(session, site, now=clock.now())
        for _number in range(late):
            answered(session, clock.now() - 2 * DAY, 5, site=site, due_at=clock.now() - DAY)
    delivery(session, clock.now() - DAY, "failed")
    session.commit()


def counts(answer):
    return {one["mistake_key"]: one["observed_count"] for one in answer.json["items"]}


@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
def test_a_token_sees_what_was_counted_at_its_sites(api, facts, role):
    here, there, everywhere = api(role, (SITE,)), api(role, (OTHER,)), api(role)
    found = here.get(AT)
    assert (counts(found)["wo_completion_delay"], counts(found)["alert_delivery_failures"]) == (2, 1)
    assert (counts(there.get(AT))["wo_completion_delay"], counts(there.get(AT))["alert_delivery_failures"]) == (5, 0)
    assert counts(everywhere.get(AT))["wo_completion_delay"] == 7
    assert counts(everywhere.get(f"{AT}?site={SITE}"))["wo_completion_delay"] == 2
    assert counts(here.get(f"{AT}?site= {SITE} "))["wo_completion_delay"] == 2
    # The most frequent first, and what stands in the way most beside them.
    order = [one["observed_count"] for one in found.json["items"]]
    assert order == sorted(order, reverse=True)
    assert found.json["top_blockers"][0]["blocker_key"] == "overdue_open_work_orders"
    assert list(found.json) == ["title", "public", "generated_at", "site", "window_days", "items", "top_blockers"]
    assert here.get(f"{AT}?days=1").json["window_days"] == 1
    # Of a site outside its scope it learns what everybody learns.
    assert set(counts(here.get(f"{AT}?site={OTHER}")).values()) == {None}
    assert here.get(f"{AT}?site={OTHER}").json["top_blockers"] == []


def test_only_those_who_may_read_the_week(api, make_ctx, facts):
    # Somebody without any site has nothing that could be counted.
    assert set(counts(api("operator", ()).get(AT)).values()) == {0}
    assert mistakes.may_know(make_ctx("operator", (SITE,)), "w04", SITE)
    assert not mistakes.may_know(make_ctx("operator", (SITE,)), "w04", OTHER)
    assert not mistakes.may_know(make_ctx("operator", (SITE,)), "w16", None)
    assert not mistakes.may_know(make_ctx("operator", permissions=("work_orders:read",)), "w04", None)


def test_what_one_reader_sees_reaches_no_other(api, client, browser_client, facts):
    everybody = client.get(AT)
    tag = everybody.headers["ETag"]
    person, own = browser_client("manager", (SITE,)), api("manager", (SITE,))
    for told in (own.get(AT), own.get(AT, headers={"If-None-Match": tag}), person.get(AT)):
        assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
        assert "ETag" not in told.headers
        assert counts(told)["wo_completion_delay"] == 2
    for answer in (everybody, own.get(AT), client.get(PAGE), person.get(PAGE)):
        assert {"Cookie", "X-Admin-Token"} <= set(answer.headers["Vary"].split(", "))
    after = client.get(AT)
    assert (after.data, after.headers["ETag"]) == (everybody.data, tag)
    assert after.headers["Cache-Control"] == "public, max-age=300"
    assert client.get(AT, headers={"If-None-Match": tag}).status_code == 304
    # A token that is none is nobody.
    wrong = client.get(AT, headers={"X-Admin-Token": "nothing"})
    assert (wrong.data, wrong.headers["Cache-Control"]) == (everybody.data, "no-store")


def test_the_page_tells_the_same(client, browser_client, facts):
    public = client.get(f"{PAGE}?lang=en")
    mine = browser_client("auditor", (SITE,), language="en").get(PAGE)
    assert "Extent" not in public.text
    assert "after they sign in" in public.text
    assert (mine.headers["Cache-Control"], "All your sites" in mine.text) == ("no-store", True)
    rows = mine.text.split("<tbody>")[1].split("</tr>")
    assert 'data-label="Extent">2<' in rows[0].replace("\n", "").replace(" <", "<").replace("> ", ">")
    # What was drawn for one reader is not kept for everybody.
    assert client.get(f"{PAGE}?lang=en").data == public.data
    elsewhere = browser_client("auditor", (SITE,), language="en").get(f"{PAGE}?site={OTHER}")
    assert "after they sign in" in elsewhere.text


def test_somebody_who_has_to_choose_a_password_first_sees_no_figure(browser_client, session, facts):
    person = browser_client("manager", (SITE,))
    session.execute(update(User).values(must_change_password=True))
    session.commit()
    assert set(counts(person.get(AT)).values()) == {None}
    assert 'data-label="정도"' not in person.get(PAGE, headers={"Accept-Language": "ko"}).text.split("<table")[1]


def test_an_empty_system_saw_nothing(api, session, clock):
    found = api("owner").get(AT)
    assert (set(counts(found).values()), found.json["top_blockers"]) == ({0}, [])
    # Refused actions are no mistake of the list, however many.
    entry(session, "x", "kim", clock.now() - DAY, status="denied")
    session.commit()
    assert set(counts(api("owner").get(AT)).values()) == {0}
