"""Evidence and the completion package of the weeks: words, headers, entries, limits (API contract, package)."""

import csv
import io
import json
import zipfile
from hashlib import sha256
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from console.models.evidence import EvidenceFile
from tests.contract.test_weekly_trackers import OTHER, SITE, begin, every_week, t
from tests.factories import make_site
from tests.support.files import EICAR, multipart

CONTENT = "현장 확인".encode()
ALWAYS = [
    *("completion/blockers.txt", "completion/completion.json", "completion/readiness.json"),
    *("manifest.json", "README.txt", "tracker/items.csv", "tracker/items.json"),
]
WEEKLY = ["weekly/latest.json", "weekly/trends.csv", "weekly/trends.json"]
ITEMS_HEADER = (
    "id,site,item_type,item_key,item_name,assignee,status,completion_checked,completion_note,due_at,completed_at,"
    "evidence_count,updated_at"
)
INDEX_HEADER = (
    "evidence_id,tracker_item_id,item_key,item_type,file_name,content_type,file_size,sha256,uploaded_by,uploaded_at,"
    "archive_path,blob_included,include_reason"
)
TRENDS_HEADER = (
    "run_id,finished_at,site,status,window_days,degraded,escalation_rate_percent,alert_success_rate_percent,"
    "sla_violation_rate_percent,median_ack_minutes,p90_ack_minutes,median_mttr_minutes,data_quality_gate_pass"
)


@pytest.fixture
def sites(session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()


@pytest.fixture
def config_of(app):
    return app.extensions["console_config"]


def send(client, week, item, content=CONTENT, kind="text/plain", name="확인서.txt"):
    body, form = multipart(content, name, kind, {"note": "현장에서"})
    return client.post(t(week, f"items/{item['id']}/evidence"), data=body, content_type=form)


def packed(client, week, **query):
    response = client.get(t(week, "completion-package"), query_string={"site": SITE, **query})
    assert response.status_code == 200
    return response, zipfile.ZipFile(io.BytesIO(response.data))


@every_week
def test_a_file_is_kept_listed_sent_and_counted(api, session, sites, week):
    client = api("operator", (SITE,))
    item = begin(client, week).json["items"][0]
    api("owner").post(t(week, "complete"), json={"site": SITE, "force": True})

    made = send(client, week, item)
    listed = client.get(t(week, f"items/{item['id']}/evidence")).json
    sent = client.get(t(week, f"evidence/{made.json['id']}/download"))

    assert (made.status_code, made.json["tracker_item_id"], made.json["site"]) == (201, item["id"], SITE)
    assert (made.json["sha256"], made.json["note"]) == (sha256(sent.data).hexdigest(), "현장에서")
    assert [one["id"] for one in listed] == [made.json["id"]]
    assert sent.headers["X-Evidence-SHA256"] == made.json["sha256"]
    assert sent.headers["Content-Disposition"].startswith("attachment")
    after = client.get(t(week, "items"), query_string={"item_type": item["item_type"]}).json
    assert {one["id"]: one["evidence_count"] for one in after}[item["id"]] == 1
    completion = client.get(t(week, "completion"), query_string={"site": SITE}).json
    assert (completion["status"], completion["readiness"]["evidence_total_count"]) == ("active", 1)
    session.rollback()
    actions = session.execute(
        select(AuditLog.action, AuditLog.resource_type)
        .where(AuditLog.action.contains("_evidence_"))
        .order_by(AuditLog.id)
    ).all()
    assert actions == [
        (f"{week}_tracker_evidence_upload", f"adoption_{week}_evidence"),
        (f"{week}_tracker_evidence_download", f"adoption_{week}_evidence"),
    ]


@pytest.mark.parametrize("sample", ["sx-ins-01", "sx-wo-01", "sx-rpt-01"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_lost_sample_file_is_restored_and_nothing_else_is(api, client, config_of, sites, sample, language):
    """API contract, acceptance facts, A11."""
    owner, name = api("owner"), f"w02-sample-{sample}-proof.txt"
    item = begin(owner, "w02").json["items"][0]
    content = client.get(f"/api/public/adoption-plan/w02/sample-files/{sample}?lang={language}").data
    made = [send(owner, "w02", item, sent, name=name).json for sent in (content, content[:-1] + b"?")]
    folder = config_of.path("EVIDENCE_STORAGE_PATH")
    [stored] = folder.rglob(f"*{made[0]['sha256'][:20]}*")
    for path in folder.rglob("*.txt"):
        path.unlink()

    again, other = (owner.get(t("w02", f"evidence/{one['id']}/download")) for one in made)
    assert (again.status_code, again.data, other.status_code) == (200, content, 410)
    # It is in its place again, so that the check of all evidence finds it.
    assert stored.read_bytes() == content
    _response, archive = packed(owner, "w02")
    rows = list(csv.DictReader(io.StringIO(archive.read("evidence/index.csv").decode())))
    assert [row["include_reason"] for row in rows] == ["missing_blob", "included"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "detail"),
    [
        (b"<html></html>", "text/html", 415, "Unsupported evidence content type"),
        (b"", "text/plain", 400, "Empty evidence file is not allowed"),
        (b"x" * 5_242_881, "text/plain", 413, "Evidence file too large (max 5242880 bytes)"),
        (EICAR, "text/plain", 422, "Evidence scan blocked upload: eicar-signature-detected"),
    ],
)
def test_a_file_that_may_not_be_kept_is_refused_in_the_published_words(
    api, session, sites, content, kind, status, detail
):
    client = api("operator", (SITE,))
    item = begin(client, "w02").json["items"][0]

    refused = send(client, "w02", item, content, kind=kind)

    assert (refused.status_code, refused.json["detail"]) == (status, detail)
    session.rollback()
    assert session.scalars(select(EvidenceFile)).all() == []


def test_files_of_other_weeks_and_sites_stay_closed(api, sites):
    owner, stranger = api("owner"), api("operator", (OTHER,))
    item = begin(owner, "w02").json["items"][0]
    made = send(owner, "w02", item).json

    assert owner.get(t("w03", f"evidence/{made['id']}/download")).json["detail"] == "W03 evidence not found"
    assert stranger.get(t("w02", f"evidence/{made['id']}/download")).status_code == 403
    assert stranger.get(t("w02", f"items/{item['id']}/evidence")).status_code == 403
    assert send(stranger, "w02", item).status_code == 403
    assert send(api("auditor"), "w02", item).json["detail"] == "Missing permission: adoption_w02:write"
    assert send(owner, "w02", {"id": 999_999}).json["detail"] == "W02 tracker item not found"


def test_the_package_of_w07_has_the_published_entries_and_headers(api, session, sites):
    client = api("operator", (SITE,))
    items = begin(client, "w07").json["items"]
    made = send(client, "w07", items[0]).json

    response, archive = packed(client, "w07")

    path = f"evidence/files/{items[0]['item_key']}/{made['id']}-{made['file_name']}"
    assert sorted(archive.namelist()) == sorted([*ALWAYS, "evidence/index.csv", "evidence/index.json", path, *WEEKLY])
    assert archive.read(path) == CONTENT
    assert response.headers["X-Archive-SHA256"] == sha256(response.data).hexdigest()
    assert unquote(response.headers["X-Package-Site"]) == SITE
    assert response.mimetype == "application/zip"
    assert "w07-completion-package" in response.headers["Content-Disposition"]
    for name, header in (
        ("tracker/items.csv", ITEMS_HEADER),
        ("evidence/index.csv", INDEX_HEADER),
        ("weekly/trends.csv", TRENDS_HEADER),
    ):
        assert archive.read(name).decode().splitlines()[0] == header
    manifest = json.loads(archive.read("manifest.json"))
    assert list(manifest) == [
        *("title", "generated_at", "generated_by", "site", "completion_status", "readiness_ready"),
        *("completion_rate_percent", "summary", "files"),
    ]
    assert list(manifest["summary"]) == [
        *("tracker_items", "blockers", "include_evidence", "include_weekly", "evidence_rows"),
        *("evidence_files_included", "evidence_bytes_included", "evidence_missing_blob", "evidence_truncated"),
        *("evidence_limit_files", "evidence_limit_bytes", "weekly_points"),
    ]
    assert (manifest["summary"]["tracker_items"], manifest["summary"]["evidence_files_included"]) == (13, 1)
    assert json.loads(archive.read("weekly/latest.json"))["status"] == "not_found"
    session.rollback()
    row = session.scalars(select(AuditLog).where(AuditLog.action == "w07_completion_package_download")).one()
    assert (row.resource_type, row.resource_id) == ("adoption_w07_package", SITE)


def test_every_other_week_has_a_package_without_weekly_figures(api, sites):
    client = api("auditor", (SITE,))
    begin(api("owner"), "w12")

    _response, archive = packed(client, "w12", include_evidence="false")

    assert sorted(archive.namelist()) == sorted(ALWAYS)
    assert json.loads(archive.read("manifest.json"))["files"]["evidence_index_csv"] is None


def test_what_is_lost_or_too_much_is_listed_and_not_packed(make_app, api, session, sites):
    client = api("operator", (SITE,))
    client.application = make_app(W07_COMPLETION_PACKAGE_MAX_EVIDENCE_FILES=1)
    items = begin(client, "w07").json["items"]
    damaged, *_others = [send(client, "w07", items[number], content=f"{number}".encode()).json for number in range(3)]
    session.get(EvidenceFile, damaged["id"]).sha256 = "0" * 64
    session.commit()

    _response, archive = packed(client, "w07")

    rows = list(csv.DictReader(io.StringIO(archive.read("evidence/index.csv").decode())))
    assert [(row["item_key"], row["include_reason"], row["blob_included"]) for row in rows] == [
        (items[0]["item_key"], "missing_blob", "False"),
        (items[1]["item_key"], "included", "True"),
        (items[2]["item_key"], "skipped_max_files", "False"),
    ]
    assert [bool(row["archive_path"]) for row in rows] == [False, True, False]
    summary = json.loads(archive.read("manifest.json"))["summary"]
    assert (summary["evidence_missing_blob"], summary["evidence_files_included"]) == (1, 1)
    assert (summary["evidence_truncated"], summary["evidence_limit_files"]) == (True, 1)


def test_the_package_is_for_its_own_site_only(api, sites):
    client = api("manager", (OTHER,))

    refused = client.get(t("w07", "completion-package"), query_string={"site": SITE})

    assert (refused.status_code, refused.json["detail"]) == (403, "Site access denied")
    assert client.get(t("w07", "completion-package")).status_code == 422


def test_a_third_package_over_the_limit_of_two_is_refused(make_app, api, sites):
    client = api("owner")
    client.application = make_app(API_RATE_LIMIT_ENABLED=True, API_RATE_LIMIT_MAX_AUTH_HEAVY=2)

    answers = [client.get(t("w07", "completion-package"), query_string={"site": SITE}) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["X-RateLimit-Policy"] == "auth-heavy"
