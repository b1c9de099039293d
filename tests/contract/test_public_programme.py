"""The published programme: every address, field, header and cell, for everybody and without sign-in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from console.domain.programme.documents import PACKS
from console.domain.programme.layouts import LAYOUTS
from tests.contract.published import (
    ADDRESSES,
    EXTRAS,
    HEADERS,
    LATER,
    LINKS,
    PLACES,
    PRODUCTS,
    PUBLIC,
    SECTIONS,
    SLUGS,
    TITLES,
    WEEKS,
    file_of,
    parsed,
    rows_of,
)

every_week = pytest.mark.parametrize("week", WEEKS)


def test_all_published_addresses_are_there():
    assert len([one for one in ADDRESSES if one.startswith(PUBLIC)]) == 53
    assert len(ADDRESSES) == len(set(ADDRESSES)) == 58


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_answers_everybody_and_lets_caches_keep_it(client, address):
    answer = client.get(address)
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert again.headers["Cache-Control"] == "public, max-age=300"
    assert client.get(address, headers={"If-None-Match": 'W/"0"'}).data == answer.data
    assert client.head(address).status_code == 200
    assert client.post(address).status_code in (401, 405)


@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
@pytest.mark.parametrize("address", [PUBLIC, f"{PUBLIC}/w05/missions.csv", f"{PUBLIC}/w09/schedule.ics", LATER])
def test_whoever_sends_a_token_gets_the_same_and_no_cache_keeps_it(api, client, role, address):
    answer = api(role, ("한빛마을 3단지",)).get(address)

    assert answer.data == client.get(address).data
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", [f"{PUBLIC}/w01", f"{PUBLIC}/w16", f"{PUBLIC}/w2", f"{PUBLIC}/W02"])
@pytest.mark.parametrize("rest", ["", "/checklist.csv", "/schedule.ics", "/help-docs"])
def test_a_week_that_does_not_exist_has_no_address(client, address, rest):
    assert client.get(address + rest).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        *("/w06/missions.csv", "/w03/sample-files", "/w02/sample-files/none", "/w05/common-mistakes", "/w05/nothing"),
        *("/w05/coaching-playbook", "/w02/sample-files/sx-ins-01/x"),
    ],
)
def test_a_file_that_a_week_does_not_have_is_not_found(client, address):
    assert client.get(PUBLIC + address).status_code == 404


def test_the_plan_has_every_week_and_every_part(client):
    plan = client.get(PUBLIC).json

    assert plan["timeline"] == {"start_date": "2026-03-02", "end_date": "2026-06-12", "duration_weeks": 15}
    assert (plan["published_on"], plan["public"], len(plan["weekly_execution"])) == ("2026-02-27", True, 15)
    assert list(plan["weekly_execution"][0]) == [
        *("week", "start_date", "end_date", "phase", "focus", "actions", "deliverables", "owner", "success_metric")
    ]
    for row in plan["weekly_execution"]:
        assert (len(row["actions"]), len(row["deliverables"])) == (3, 3)
    matrix = plan["workflow_lock_matrix"]
    assert matrix["states"] == ["DRAFT", "REVIEW", "APPROVED", "LOCKED"]
    assert [(row["role"], list(row["permissions"])) for row in matrix["rows"]] == [
        (role, matrix["states"]) for role in ("Operator", "Manager", "Owner", "Admin")
    ]
    for week in WEEKS:
        assert plan[f"{week}_{SLUGS[week].replace('-', '_')}"] == client.get(f"{PUBLIC}/{week}").json
    assert [len(plan[name]) for name in ("training_outline", "kpi_dashboard_items")] == [8, 8]
    assert list(plan["training_outline"][0]) == ["module", "audience", "duration_min", "contents", "format"]
    assert [one["duration_min"] for one in plan["training_outline"]] == [60, 45, 60, 50, 40, 45, 35, 50]
    assert list(plan["kpi_dashboard_items"][0]) == ["id", "name", "formula", "target", "data_source", "frequency"]
    kit = plan["campaign_kit"]
    assert list(kit["promotion"][0]) == ["campaign", "goal", "channels", "assets", "cadence"]
    assert list(kit["education"][0]) == ["track", "target_roles", "components", "completion_rule", "duration_weeks"]
    assert list(kit["fun"][0]) == ["program", "how_it_works", "rewards", "anti_abuse_rule"]
    assert client.get(f"{PUBLIC}/campaign").json["campaign_kit"] == kit
    assert len(plan["schedule_management"]["cadence"]) == 3


def test_every_download_of_the_plan_leads_somewhere(client):
    found = client.get(PUBLIC).json["schedule_management"]["downloads"]

    assert {"schedule_csv", "schedule_ics", "w05_missions_csv", "w02_sample_files", "w04_common_mistakes"} < set(found)
    assert {f"{week}_{key}" for week, (_word, key, _count) in EXTRAS.items()} < set(found)
    assert {f"{week}_{rest}" for week in WEEKS for rest in ("json", "schedule_ics")} < set(found)
    assert len(found) == 2 + 3 * 14 + 2 + len(EXTRAS)
    for address in found.values():
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("today", "review"),
    [
        (date(2025, 1, 1), "2026-03-06"),
        (date(2026, 3, 6), "2026-03-06"),
        (date(2026, 3, 7), "2026-03-13"),
        (date(2026, 6, 12), "2026-06-12"),
        (date(2030, 1, 1), "2026-06-12"),
    ],
)
def test_the_next_review_is_the_end_of_the_first_week_that_is_not_over(client, clock, today, review):
    clock.set(datetime(today.year, today.month, today.day, 23, 59, tzinfo=UTC))

    assert client.get(PUBLIC).json["schedule_management"]["next_review_date"] == review


@every_week
def test_a_week_has_its_published_shape(client, week):
    found, layout = client.get(f"{PUBLIC}/{week}").json, LAYOUTS[PACKS[week]["layout"]]
    lists = [kind.field for kind in layout.lists if kind.embedded]

    assert found["title"] == f"{week.upper()} {TITLES[week]} Pack"
    assert found["public"] is True
    assert list(found["timeline"]) == [*("week", "start_date", "end_date", "phase", "focus", "owner", "success_metric")]
    assert [list(found)[0:3], list(found)[-1]] == [["title", "public", "timeline"], "downloads"]
    tracker = ["tracker_items_api", "tracker_overview_api"] if week >= "w09" else []
    assert list(found)[3:-1] == [*lists, *LINKS.get(week, []), *tracker]
    for event in found["scheduled_events"]:
        assert list(event) == ["id", "date", "start_time", "end_time", "title", "owner", "output"]
        assert found["timeline"]["start_date"] <= event["date"] <= found["timeline"]["end_date"]
    first, rest = found["scheduled_events"][0], found["scheduled_events"]
    assert [one["id"] for one in rest] == [f"{week.upper()}-E{n:02d}" for n in range(1, len(rest) + 1)]
    assert first["date"] == found["timeline"]["start_date"]
    assert found["downloads"]["json"] == f"{PUBLIC}/{week}"


FIELDS = {
    "sop_runbooks": "id,name,target_roles,owner,trigger,checkpoints,definition_of_done",
    "sandbox_scenarios": "id,module,objective,api_flow,pass_criteria,duration_min",
    "kickoff_agenda": "id,topic,owner,duration_min,objective,expected_output",
    "role_workshops": "id,role,trainer,duration_min,objective,checklist,success_criteria",
    "office_hours": "id,date,start_time,end_time,host,focus,channel",
    "coaching_actions": "id,champion_role,action,owner,due_hint,objective,evidence_required,quick_fix",
    "role_missions": "id,role,mission,weekly_target,owner,evidence_required,evidence_hint",
    "help_docs": "doc_id,title,audience,problem,quick_steps,api_refs",
    "rhythm_checklist": "id,day,routine,owner_role,definition_of_done,evidence_hint",
    "rbac_audit_checklist": "id,control,objective,api_ref,pass_criteria",
    "sla_checklist": "id,cadence,control,owner_role,target,definition_of_done,evidence_hint",
    "coaching_plays": "id,trigger,play,owner,expected_impact,evidence_hint,api_ref",
    "report_discipline_checklist": "id,cadence,discipline,owner_role,target,definition_of_done,evidence_hint,api_ref",
    "data_quality_controls": "id,control,objective,api_ref,pass_criteria",
    "reporting_sop": "step_id,stage,action,output,api_ref",
    "kpi_threshold_matrix": "id,kpi_key,kpi_name,direction,owner_role,green_threshold,yellow_threshold,target,"
    "source_api",
    "escalation_map": "id,kpi_key,condition,escalate_to,sla_hours,action",
    "self_serve_guides": "id,title,problem_cluster,owner_role,target,source_api",
    "troubleshooting_runbook": "id,module,symptom,owner_role,definition_of_done,api_ref",
    "common_mistakes": "mistake_key,mistake,symptom,quick_fix,where_to_check",
}


@every_week
def test_the_entries_of_every_list_have_their_published_fields(client, week):
    found = client.get(f"{PUBLIC}/{week}").json

    for name, rows in found.items():
        if isinstance(rows, list) and name != "scheduled_events":
            assert {",".join(row) for row in rows} == {FIELDS[name]}, name


@every_week
def test_the_csv_of_a_week_has_its_header_sections_and_cells(client, week):
    answer = client.get(f"{PUBLIC}/{week}/{file_of(week)}.csv")
    header, *rows = rows_of(answer)
    pack = client.get(f"{PUBLIC}/{week}").json

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = f"ka-facility-os-adoption-{week}-{SLUGS[week]}-{file_of(week)}.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert not answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.data.count(b"\n") == answer.data.count(b"\r\n")
    assert ",".join(header) == HEADERS[week]
    assert list(dict.fromkeys(row[0] for row in rows)) == SECTIONS[week]
    events = [row for row in rows if row[0] == "scheduled_event"]
    for row, event in zip(events, pack["scheduled_events"], strict=True):
        hours = f"{event['start_time']}-{event['end_time']}"
        known = {**event, "time": hours, "when": f"{event['date']} {hours}", "": ""}
        assert row[2:] == [known[place] for place in PLACES[week]]
        assert row[1] == event["id"]


def test_the_remaining_cells_stand_where_they_were_published(client):
    cells = {week: {row[1]: row for row in rows_of(client.get(f"{PUBLIC}/{week}/checklist.csv"))} for week in WEEKS}
    packs = {week: client.get(f"{PUBLIC}/{week}").json for week in WEEKS}
    first = {name: rows[0] for pack in packs.values() for name, rows in pack.items() if isinstance(rows, list)}

    sop, scenario = first["sop_runbooks"], first["sandbox_scenarios"]
    row = cells["w02"]["SOP-INS-01"]
    assert row[2:] == [
        *(sop["name"], sop["owner"], ", ".join(sop["target_roles"]), sop["trigger"], " | ".join(sop["checkpoints"])),
        *("", sop["definition_of_done"]),
    ]
    assert cells["w02"]["SX-INS-01"][2:] == [
        *(scenario["module"], "", scenario["module"], scenario["objective"], " | ".join(scenario["pass_criteria"])),
        *("20", " | ".join(scenario["api_flow"])),
    ]
    hour = first["office_hours"]
    when = f"{hour['date']} {hour['start_time']}-{hour['end_time']}"
    assert cells["w03"]["OH-2026-03-16"][2:] == [
        *("Daily office hour", hour["host"], when, hour["focus"], hour["channel"], "", "")
    ]
    assert cells["w03"]["OH-2026-03-17"][2] == "Daily office hour"
    assert (cells["w04"]["W04-CA-01"][7], cells["w04"]["W04-CA-06"][7]) == ("True", "False")
    assert (cells["w05"]["W05-M-01"][6], cells["w05"]["W05-M-05"][6]) == ("True", "False")
    assert cells["w07"]["W07-SLA-01"][7] == ""
    control = first["data_quality_controls"]
    assert (cells["w08"]["W08-DQ-01"][4], cells["w08"]["W08-DQ-01"][7]) == (control["api_ref"], control["api_ref"])
    kpi, rule = first["kpi_threshold_matrix"], first["escalation_map"]
    assert cells["w09"]["W09-KPI-01"][2:] == [
        *(kpi["kpi_key"], kpi["kpi_name"], kpi["owner_role"], "higher_better", "65", "55"),
        *(kpi["target"], "/api/ops/adoption/w05/consistency"),
    ]
    assert cells["w09"]["W09-ESC-01"][2:] == [
        *(rule["kpi_key"], "", rule["escalate_to"], rule["condition"], "24", rule["action"], "", "")
    ]
    guide, page = packs["w14"]["self_serve_guides"][0], packs["w14"]["troubleshooting_runbook"][0]
    assert cells["w14"]["W14-ST-01"][2:] == [
        *(guide["problem_cluster"], guide["title"], guide["owner_role"], guide["target"], "", guide["source_api"])
    ]
    assert cells["w14"]["W14-RB-01"][2:] == [
        *(page["module"], page["symptom"], page["owner_role"], "", page["definition_of_done"], page["api_ref"])
    ]


def test_missions_are_found_under_the_name_of_the_other_weeks_too(client):
    """API contract, known defects, D24."""
    assert client.get(f"{PUBLIC}/w05/checklist.csv").data == client.get(f"{PUBLIC}/w05/missions.csv").data


def test_the_calendar_of_the_plan_as_csv(client):
    answer = client.get(f"{PUBLIC}/schedule.csv")
    header, *rows = rows_of(answer)

    assert ",".join(header) == "week,start_date,end_date,phase,focus,owner,actions,deliverables,success_metric"
    assert 'filename="ka-facility-os-adoption-plan-2026-03-02-2026-06-12.csv"' in answer.headers["Content-Disposition"]
    assert [row[0] for row in rows] == [str(week) for week in range(1, 16)]
    assert rows[6][1:6] == ["2026-04-13", "2026-04-17", "Habit", "SLA quality", "Ops Lead + QA"]
    assert rows[0][6].count(" | ") == rows[0][7].count(" | ") == 2


def test_the_calendar_of_the_plan_has_three_days_a_week(client):
    answer = client.get(f"{PUBLIC}/schedule.ics")
    calendar, events = parsed(answer.data)

    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert 'filename="ka-facility-os-adoption-plan-2026-03-02-2026-06-12.ics"' in answer.headers["Content-Disposition"]
    assert calendar.one("PRODID") == "-//KA Facility OS//User Adoption Plan//EN"
    assert (calendar.one("CALSCALE"), calendar.one("METHOD")) == ("GREGORIAN", "PUBLISH")
    assert len(events) == 45
    assert b"SUMMARY:[W01] Kickoff - Role workflow lock\r\n" in answer.data
    assert [(uid, start) for uid, _s, _d, start, _e in events[18:21]] == [
        ("ka-facility-os-adoption-w07-Kickoff@public", date(2026, 4, 13)),
        ("ka-facility-os-adoption-w07-Checkpoint@public", date(2026, 4, 15)),
        ("ka-facility-os-adoption-w07-Review@public", date(2026, 4, 17)),
    ]
    assert events[0][4] == date(2026, 3, 3)
    assert events[0][2].count("\n- ") == 3


@every_week
def test_the_calendar_of_a_week_has_its_events_at_the_hours_of_seoul(client, week):
    answer = client.get(f"{PUBLIC}/{week}/schedule.ics")
    calendar, events = parsed(answer.data)
    pack = client.get(f"{PUBLIC}/{week}").json

    name = f"ka-facility-os-adoption-{week}-{SLUGS[week]}.ics"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert calendar.one("PRODID") == f"-//KA Facility OS//{week.upper()} {PRODUCTS[week]}//EN"
    for (uid, summary, told, start, end), event in zip(events, pack["scheduled_events"], strict=True):
        assert uid == f"ka-facility-os-{week}-{event['id'].lower()}@public"
        assert summary == f"[{week.upper()}] {event['title']}"
        assert event["owner"] in told
        assert event["output"] in told
        assert start.isoformat() == f"{event['date']}T{event['start_time']}:00+09:00"
        assert end.isoformat() == f"{event['date']}T{event['end_time']}:00+09:00"
    assert {one.parameters("DTSTART")["TZID"] for one in calendar.named("VEVENT")} == {"Asia/Seoul"}


def test_a_calendar_stays_the_same_while_nothing_changes(client, clock):
    """API contract, known defects, D20."""
    before = client.get(f"{PUBLIC}/w03/schedule.ics").data
    clock.set(datetime(2026, 9, 1, tzinfo=UTC))

    assert client.get(f"{PUBLIC}/w03/schedule.ics").data == before


def test_sample_files_are_listed_and_can_be_taken(client):
    found = client.get(f"{PUBLIC}/w02/sample-files").json

    assert list(found) == ["title", "public", "count", "items"]
    assert found["count"] == 3
    for one, key in zip(found["items"], ("sx-ins-01", "sx-wo-01", "sx-rpt-01"), strict=True):
        assert list(one) == [
            *("sample_id", "title", "description", "file_name", "content_type"),
            *("tracker_item_type", "tracker_item_key", "download_url"),
        ]
        assert (one["sample_id"], one["tracker_item_type"], one["tracker_item_key"]) == (
            *(key, "sandbox_scenario", key.upper()),
        )
        answer = client.get(one["download_url"].upper().replace("/API/PUBLIC/ADOPTION-PLAN/W02/SAMPLE-FILES", ""))
        assert answer.status_code == 404
        answer = client.get(f"{PUBLIC}/w02/sample-files/{key.upper()}")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="w02-sample-{key}-proof.txt"'
        assert answer.text.startswith("W02 Sample Evidence\n")
        assert key.upper() in answer.text
        assert "Result: PASS" in answer.text


@pytest.mark.parametrize("week", EXTRAS)
def test_lists_with_an_address_of_their_own(client, week):
    word, _key, count = EXTRAS[week]
    found = client.get(f"{PUBLIC}/{week}/{word}").json

    between = ["count"] if week == "w08" else ["timeline"]
    assert list(found) == ["title", "public", *between, "items"]
    assert len(found["items"]) == count


@pytest.mark.parametrize("query", ["", "?site=한빛마을 3단지&days=90", "?site=%F0%9F%8F%A2"])
def test_common_mistakes_tell_no_figure_of_a_site(client, query):
    """API contract, known defects, D19."""
    found = client.get(f"{PUBLIC}/w04/common-mistakes{query}").json

    assert list(found) == ["title", "public", "generated_at", "site", "window_days", "items", "top_blockers"]
    assert found["top_blockers"] == []
    assert [one["mistake_key"] for one in found["items"]] == [
        *("missing_assignee", "missing_evidence", "slow_first_action", "wo_completion_delay"),
        "alert_delivery_failures",
    ]
    assert {one["observed_count"] for one in found["items"]} == {None}


@pytest.mark.parametrize("query", ["days=0", "days=91", "days=NaN", "days=x", "site=" + "x" * 121, "lang=fr"])
def test_common_mistakes_keep_their_bounds(client, query):
    assert client.get(f"{PUBLIC}/w04/common-mistakes?{query}").status_code == 422


def test_what_follows_after_the_programme(client):
    found = client.get(LATER).json

    assert found["timeline"] == {"start_date": "2026-06-01", "end_date": "2026-11-27", "duration_weeks": 26}
    assert list(found) == [
        *("title", "published_on", "public", "timeline", "roadmap", "execution_backlog", "release_calendar"),
        *("kpi_dashboard_spec", "risk_register", "governance"),
    ]
    assert list(found["roadmap"][0]) == [
        *("phase", "start_date", "end_date", "duration_weeks", "objective", "outcomes", "release_gate")
    ]
    assert list(found["release_calendar"]["milestones"][0]) == ["release", "name", "date", "owner", "goal"]
    assert list(found["kpi_dashboard_spec"][0]) == [
        *("id", "name", "formula", "target", "data_source", "cadence", "owner", "alert_rule")
    ]
    assert list(found["risk_register"][0]) == [
        *("id", "title", "probability", "impact", "signal", "mitigation", "owner", "status", "review_cycle")
    ]
    assert [one["status"] for one in found["risk_register"]].count("monitoring") == 1
    assert list(found["governance"]) == ["weekly", "bi_weekly", "monthly", "quarterly"]
    for name, field in (("kpi-dashboard", "kpi_dashboard_spec"), ("risks", "risk_register")):
        part = client.get(f"{LATER}/{name}").json
        assert list(part) == ["title", "public", "timeline", field]
        assert part[field] == found[field]


def test_the_backlog_as_csv_and_the_releases_as_a_calendar(client):
    answer, releases = client.get(f"{LATER}/backlog.csv"), client.get(f"{LATER}/releases.ics")
    header, *rows = rows_of(answer)
    calendar, events = parsed(releases.data)

    assert ",".join(header) == "id,epic,item,priority,owner,estimate_points,target_release,status,success_kpi"
    assert [(row[0], row[3], row[5], row[6], row[7]) for row in rows][-1] == ("PMVP-12", "P3", "3", "R4", "backlog")
    assert [int(row[5]) for row in rows] == [8, 5, 8, 5, 5, 8, 8, 5, 5, 5, 3, 3]
    stem = "2026-06-01-2026-11-27"
    assert f'filename="ka-facility-os-post-mvp-backlog-{stem}.csv"' in answer.headers["Content-Disposition"]
    assert f'filename="ka-facility-os-post-mvp-releases-{stem}.ics"' in releases.headers["Content-Disposition"]
    assert calendar.one("PRODID") == "-//KA Facility OS//Post-MVP Releases//EN"
    assert [(uid, start.isoformat()) for uid, _s, _d, start, _e in events][:2] == [
        ("ka-facility-os-post-mvp-R1-release@public", "2026-06-19"),
        ("ka-facility-os-post-mvp-R1-5-release@public", "2026-07-03"),
    ]
    assert events[0][1] == "[Post-MVP] R1 - Operations Stability"
