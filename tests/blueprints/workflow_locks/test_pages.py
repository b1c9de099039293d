"""The pages of workflow locks: drafted, approved and locked by people, with what is refused told beside it."""

import re

import pytest
from sqlalchemy import select

from console.models.workflow_locks import WorkflowLock
from tests.factories import make_site
from tests.support.statements import statements

SITE = "본관"
L = "/workflow-locks"


@pytest.fixture
def site(session, clock):
    make_site(session, SITE, now=clock.now())
    session.commit()


@pytest.fixture
def draft(browser_client, site):
    """An operator, and the address of the draft that they began."""
    operator = browser_client("operator", (SITE,), username="lee", display_name="이정비")
    made = operator.post(f"{L}/new", data={"site": SITE, "workflow_key": "일일 순회", "steps": "1. 점검\n\n 2) 기록 "})
    assert made.status_code == 303
    return operator, made.location


def test_a_draft_goes_its_way_on_pages(browser_client, draft, session):
    operator, address = draft
    page = operator.get(address).text
    assert "점검\n기록</textarea>" in page
    assert "검토 요청…" in page
    assert "잠그기…" not in page
    assert operator.post(f"{address}/submit", data={"comment": "부탁드립니다"}).status_code == 303
    assert "textarea" not in operator.get(address).text.split("이력")[0].replace("dialog", "")

    manager = browser_client("manager", (SITE,))
    page = manager.get(address).text
    assert "<li>점검</li>" in page
    assert "부탁드립니다" in page
    assert "이정비" in page
    assert manager.post(f"{address}/approve", data={}).status_code == 303
    owner = browser_client("owner")
    assert owner.post(f"{address}/lock", data={"reason": "분기 합의"}).status_code == 303
    page = owner.get(address).text
    assert "분기 합의" in page
    assert "잠금 풀기…" not in page
    session.rollback()
    assert session.scalars(select(WorkflowLock.status)).all() == ["locked"]


def test_who_was_slower_is_told_who_was_first(browser_client, draft):
    operator, address = draft
    operator.post(f"{address}/submit", data={})
    manager = browser_client("manager", username="park", display_name="박관리")
    assert manager.post(f"{address}/approve", data={}).status_code == 303

    late = browser_client("owner").post(f"{address}/reject", data={"comment": "다시 써 주십시오"})
    assert late.status_code == 409
    assert "먼저 처리한 사람" in late.text
    assert "승인" in late.text


def test_two_changes_of_a_draft_do_not_write_over_each_other(draft):
    operator, address = draft
    version = re.search(r'name="version"[^>]*value="(\d+)"', operator.get(address).text)[1]
    assert operator.post(f"{address}/draft", data={"version": version, "steps": "첫째"}).status_code == 303

    slower = operator.post(f"{address}/draft", data={"version": version, "steps": "둘째"})
    assert slower.status_code == 409
    assert "둘째</textarea>" in slower.text
    assert "그사이 업무 절차가 바뀌었습니다" in slower.text


def test_nobody_approves_their_own_on_pages(browser_client, draft, session):
    operator, address = draft
    operator.post(f"{address}/submit", data={})
    manager = browser_client("manager", username="park")
    session.rollback()
    session.scalars(select(WorkflowLock)).one().submitted_by = "park"
    session.commit()

    assert "승인…" not in manager.get(address).text
    refused = manager.post(f"{address}/approve", data={})
    assert refused.status_code == 409
    assert "다른 사람이 승인해야 합니다" in refused.text


@pytest.mark.parametrize("role", ["manager", "owner", "auditor"])
def test_only_people_on_site_begin_a_draft(browser_client, site, role):
    reader = browser_client(role)

    assert f"{L}/new" not in reader.get(L).text
    assert reader.get(f"{L}/new").status_code == 303


@pytest.mark.parametrize("data", [{}, {"workflow_key": "a" * 121}, {"workflow_key": "  "}])
def test_a_draft_without_a_name_is_asked_again(browser_client, site, data):
    refused = browser_client("operator", (SITE,)).post(f"{L}/new", data={"site": SITE, **data})

    assert refused.status_code == 422
    assert "error-summary" in refused.text


def test_an_unknown_step_is_not_there(draft):
    operator, address = draft

    assert operator.post(f"{address}/delete", data={}).status_code == 404


def test_the_list_asks_the_same_whatever_its_length(browser_client, draft, engine):
    operator, _address = draft
    counts = []
    for number in (0, 9):
        for place in range(number):
            operator.post(f"{L}/new", data={"site": SITE, "workflow_key": f"절차 {place}"})
        with statements(engine) as seen:
            page = operator.get(L)
        counts.append(len(seen))

    assert page.text.count("cell-title") == 10
    assert counts[0] == counts[1]
