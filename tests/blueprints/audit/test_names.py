"""Names instead of ids in the audit log: who, what and on what; the ids stay in the drawer, the exports as they are."""

import csv
import io
import re
from collections import Counter

import pytest

from console.models.evidence import EvidenceFile
from console.models.jobs import JobRun
from console.services.audit import record as audit
from tests.factories import make_site, make_user
from tests.factories.tracker import add_item
from tests.services.audit.audit_support import Trail
from tests.support.statements import statements

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
SITE = "한빛마을 3단지"
BOARD = "ops_governance_remediation_tracker"
ITEM = f"{BOARD}_item"


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


@pytest.fixture
def things(session, clock):
    """Items, a file of the first, a user, a site and a run; returns their ids."""
    now = clock.now()
    site, user = make_site(session, SITE, now=now), make_user(session, now=now, username="park", display_name="박관리")
    items = [add_item(session, now, number, site=SITE, item_name=f"{number}번 수신기") for number in range(27, 33)]
    run = JobRun(job_name="audit_chain_verify", trigger="cron", requested_at=now)
    session.add(run)
    session.flush()
    sent = {"file_name": "측정.pdf", "content_type": "application/pdf", "file_size": 1}
    file = EvidenceFile(
        module="remediation", tracker_item_id=items[0].id, uploaded_by="park", uploaded_at=now, storage_key="k", **sent
    )
    session.add(file)
    session.commit()
    return {"items": [one.id for one in items], "file": file.id, "user": user.id, "site": site.id, "run": run.id}


def written(trail, *entries, username="park"):
    with trail.ctx(write=True, username=username) as ctx:
        for action, kind, number, *detail in entries:
            audit.record(ctx, action, kind, number, detail=detail[0] if detail else None)


def cells(client, name, **query):
    text = client.get("/audit", headers=PART, query_string=query).text
    found = re.findall(rf'<td[^>]*data-label="{name}"[^>]*>(.*?)</td>', text, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in found]


def test_things_and_people_are_called_by_their_names(browser_client, trail, things):
    written(
        trail,
        (f"{ITEM}_update", ITEM, things["items"][0]),
        (f"{BOARD}_evidence_upload", f"{BOARD}_evidence", things["file"]),
        ("admin_user_update", "admin_user", things["user"]),
        ("admin_site_update", "site", things["site"]),
        ("job_run_request", "job_run", things["run"]),
        (f"{BOARD}_sync", BOARD, "global"),
        ("admin_user_update", "admin_user", 987654),
    )
    owner = browser_client("owner")
    shown = cells(owner, "대상", actor_username="park")

    assert shown[:2] == ["사용자", "조치 보드"]
    assert shown[3:] == [SITE, "박관리", "측정.pdf", "GR-027 27번 수신기"]
    assert "audit_chain_verify" not in shown[2]
    assert set(cells(owner, "행위자", actor_username="park")) == {"박관리"}
    page = owner.get("/audit", headers=PART).text
    for address in (
        f"/board/items/{things['items'][0]}",
        f"/admin/users/{things['user']}",
        f"/admin/sites/{things['site']}",
        f"/jobs/runs/{things['run']}",
    ):
        assert f'href="{address}"' in page
    assert ITEM not in page.split("<tbody>")[1]


def test_the_system_and_a_sign_in_are_said_in_words(browser_client, trail, things):
    written(trail, ("auth_login_success", "web_session", 1), username="system")
    owner = browser_client("owner")

    assert cells(owner, "행위자", actor_username="system") == ["시스템"]
    assert cells(owner, "활동", actor_username="system") == ["로그인"]


def test_the_filters_say_the_words_of_the_rows(browser_client, trail):
    written(trail, ("auth_login_success", "web_session", 1), ("w02_tracker_bootstrap", "adoption_w02_tracker_site", 2))
    owner = browser_client("owner")
    menus = [owner.get(f"/audit?menu={key}", headers=PART).text for key in ("action", "resource_type", "status")]

    shown = re.sub(r"<[^>]+>", " ", "".join(menus))
    for word in ("W02 · 사업장에서 주차 시작", "로그인 세션", "거부", "성공"):
        assert word in shown
    assert "w02_tracker_bootstrap" not in shown


@pytest.mark.parametrize(
    ("language", "run", "board"),
    [("ko", "감사 로그 전체 검증", "조치 보드"), ("en", "Verify the whole audit log", "Remediation board")],
)
def test_the_csv_for_people_names_them_as_the_page_does(browser_client, trail, things, language, run, board):
    entries = [(f"{ITEM}_update", ITEM, things["items"][0]), ("admin_user_update", "admin_user", things["user"])]
    entries += [("job_run_request", "job_run", things["run"]), (f"{BOARD}_sync", BOARD, "global")]
    written(trail, *entries * 100)
    columns = "actor_username,resource_id"
    owner = browser_client("owner", language=language)
    answer = owner.get(f"/audit/entries.csv?actor_username=park&columns={columns}").text
    rows = list(csv.reader(io.StringIO(answer.removeprefix("\ufeff"))))[1:]

    assert {who for who, _what in rows} == {"박관리 (park)"}
    assert len(rows) == len(entries) * 100
    told = Counter(what for _who, what in rows)
    assert (told["GR-027 27번 수신기"], told["박관리"], told[board]) == (100, 100, 100)
    assert sum(told[what] for what in told if run in what) == 100


def test_who_may_not_open_a_thing_reads_its_name_alone(browser_client, trail, things):
    written(trail, ("admin_user_update", "admin_user", things["user"]))
    page = browser_client("auditor").get("/audit", headers=PART).text

    assert "박관리" in page
    assert f"/admin/users/{things['user']}" not in page


def test_the_drawer_says_words_first_and_keeps_the_ids(browser_client, trail, things):
    changes = {"role": {"old": "operator", "new": "manager"}}
    detail = {
        "site": SITE,
        "is_active": False,
        "odd": [1, 2],
        "status": "blocked",
        "at": "2026-03-02T00:30:00+00:00",
        "changes": changes,
    }
    written(trail, (f"{ITEM}_update", ITEM, things["items"][0], detail))
    entry = next(row for row in trail.rows() if row.actor_username == "park")
    drawer = browser_client("owner").get(f"/audit/entries/{entry.id}", headers=PART).text

    words = drawer.split("기록 원문")[0]
    assert "27번 수신기" in words
    for name, value in (
        ("사업장", SITE),
        ("사용 중", "아니요"),
        ("odd", "1, 2"),
        ("상태", "보류"),
        ("at", "2026-03-02 09:30"),
    ):
        assert re.search(rf"<dt>{name}</dt>\s*<dd>{value}</dd>", words), name
    assert re.search(r"<th scope=.row.>역할</th>", words)
    assert ITEM not in re.sub("<[^>]*>", "", words)
    assert f"{ITEM}_update" in drawer
    assert f"resource_id={things['items'][0]}" in drawer


def test_names_cost_one_question_for_each_kind(browser_client, trail, things, engine):
    owner = browser_client("owner")
    counts = []
    for ids in (things["items"][:1], things["items"]):
        written(trail, *((f"{ITEM}_update", ITEM, number) for number in ids))
        with statements(engine) as seen:
            owner.get("/audit", headers=PART)
        counts.append(len(seen))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("number", ["0", "9" * 30, "x", "٣"])
def test_an_id_that_is_none_is_looked_for_nowhere(browser_client, trail, number):
    written(trail, (f"{ITEM}_update", ITEM, number))

    assert browser_client("owner").get("/audit", headers=PART).status_code == 200
