"""Every page of the route table as a page and as the fragment that htmx asks for, in a company that has everything."""

from __future__ import annotations

import html
import re

from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.demo.company import SITES
from console.demo.story import Story
from console.domain.archives.archives import QUALITY_REPORT
from console.domain.jobs import names
from console.domain.programme.catalogue import FIGURES
from console.domain.programme.measures import OF_WEEK
from console.domain.programme.repeats import POLICY_WORDS
from console.models.alerts import AlertChannel, AlertDelivery
from console.models.archives import StoredFile
from console.models.assets import Asset
from console.models.audit import AuditLog
from console.models.evidence import EvidenceFile
from console.models.handover import Handover
from console.models.identity import Site, Token
from console.models.inspections import Inspection, InspectionTemplate
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.models.workflow_locks import WorkflowLock
from console.services.alerts import channels
from console.services.alerts.channels import Wish
from console.services.identity import passwords
from tests.contract.routes import WEEK, routes
from tests.factories import make_user
from tests.support import page_words
from tests.support.migrated import noted
from tests.support.people import PASSWORD, BrowserClient

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
# Who looks: every role with all sites, and somebody who sees one of them.
READERS = (
    ("owner", ("*",)),
    ("manager", ("*",)),
    ("operator", ("*",)),
    ("auditor", ("*",)),
    ("manager", SITES[:1]),
)
# Whether the whole installation is ready is no matter of the reader; the company keeps evidence of its weeks alone, and
# a bulk action of a worker is shown to whoever began it, a passkey to its owner.
ELSEWHERE = {
    *("/work-orders/evidence/<int:evidence_id>", "/inspections/evidence/<int:evidence_id>"),
    # Nor small copies of photos: a worker makes them.
    *(
        f"{place}/evidence/<int:evidence_id>/thumbnail"
        for place in ("/work-orders", "/inspections", "/board", "/programme/<week:week>")
    ),
    # The company has no replay of a proposal.
    "/sla/proposals/<int:proposal_id>/orders.csv",
    *("/ready", "/metrics", "/board/evidence/<int:evidence_id>", "/account/passkeys/<int:passkey_id>"),
    # The first week that there is has none.
    "/web/adoption/<pack:week>/common-mistakes",
    # A month that is not closed has no document.
    "/reports/monthly/<month>/document.json",
    *(f"{tracker}/bulk/runs/<int:run_id>" for tracker in ("/board", "/programme/<week:week>")),
}
# What no control asks for in part: a fragment of it is the whole page.
WHOLE = {
    *("/account", "/account/password", "/account/second-factor", "/api/docs", "/board/new", "/programme", "/search"),
    *("/account/passkeys/new", "/admin/sites/<int:site_id>", "/admin/sites/new", "/admin/tokens/<int:token_id>"),
    *("/admin/users/<int:user_id>", "/admin/users/<int:user_id>/tokens/new", "/admin/users/new"),
    *("/account/alerts", "/alerts/channels", "/alerts/channels/new", "/alerts/channels/<key>"),
    "/alerts/channels/objective",
    *("/alerts/<int:delivery_id>", "/board/history", "/programme/<week:week>/history"),
    *("/inspections/<int:inspection_id>", "/inspections/<int:inspection_id>/print", "/work-orders/<int:order_id>"),
    *("/inspections/rounds", "/inspections/rounds/<int:template_id>", "/inspections/rounds/shell"),
    *("/inspections/templates", "/inspections/templates/new", "/inspections/templates/<int:template_id>"),
    *("/workflow-locks/<int:lock_id>", "/workflow-locks/new", "/ops/accuracy/missed"),
    "/work-orders/rules",
    *("/assets/<int:asset_id>", "/assets/new", "/assets/<int:asset_id>/edit", "/reports/monthly/print"),
    *("/reports/monthly", "/reports/monthly/<month>", "/reports/monthly/<month>/paper"),
    *("/work-orders/new", "/sla/propose", "/web/adoption", "/web/adoption/post-mvp", "/web/adoption/<pack:week>"),
    *("/programme/packs", "/programme/packs/<pack:week>", "/handover", "/handover/<int:handover_id>"),
    "/web/adoption/<pack:week>/common-mistakes",
    *(f"/programme/{code}" for code in FIGURES),
    *(f"/programme/{code}/sites" for code in OF_WEEK),
    *(f"/programme/{code}/policy" for code in POLICY_WORDS),
}
# Whose runs these pages show; elsewhere those of the gate do.
RUNS_OF = {
    "/autopilot/": names.AUTOPILOT,
    "/ops/daily-check/": names.DAILY_CHECK,
    "/ops/deploys/": names.DEPLOY_SMOKE,
    "/ops/recovery/": names.DR_REHEARSAL,
}
# How the list engine marks a list.
LIST = 'id="list-'
LINK = re.compile(r"""\b(?:href|hx-get)=["']([^"']+)["']""")
FOUND = {200, 286, 302, 303}
# What no control asks for, but a bookmark of last year or somebody curious: behind the end, no row, refused words.
ODD = ("?page=999", "?q=nothing-has-this-name", "?sort=nothing", "?page=0")
# Pages whose subject are words of the API or of the sources, and a drawer that holds an entry as it was written.
OF_CODE = {
    *("/api/docs", "/components", "/components/drawer", "/audit/entries/<int:entry_id>"),
    # Texts in both languages, to be edited side by side.
    "/programme/packs/<pack:week>",
    # The commands of a release and what they answered, and the sheet whose words are published.
    *("/ops/deploys", "/ops/deploys/<int:run_id>", "/inspections/<int:inspection_id>/print"),
}
# Names that stand in pages of every language: of the product, its reader, programs, files, addresses, units.
NAMES = {
    *("Facility", "User", "demo", "Python", "Redis", "memory", "audit_chain_key", "health", "meta", "English"),
    *("Slack", "Microsoft", "Teams"),
    *("ms", "kVA", "MPa", "SQLite", "PostgreSQL", "pg_dump", "jpg"),
}
VIEWS = [("/board", "/board?view=table"), ("/programme/<week:week>", f"/programme/{WEEK}?view=table")]
# A week's card, closings and package belong to one site each.
OF_A_SITE = ("/readiness", "/history", "/package")


def samples(session, rule):
    """Return arguments of a rule that lead to something."""

    def first(column, *conditions):
        return session.scalar(select(func.min(column)).where(*conditions))

    tracker = WEEK if rule.startswith("/programme/") else "remediation"
    job = next((name for place, name in RUNS_OF.items() if rule.startswith(place)), names.GATE)
    return {
        "inspection_id": session.scalar(select(func.max(Inspection.id))),
        "template_id": first(InspectionTemplate.id),
        "site_id": first(Site.id),
        "token_id": first(Token.id),
        "user_id": first(Token.user_id),
        "delivery_id": first(AlertDelivery.id),
        "key": first(AlertChannel.key),
        "entry_id": first(AuditLog.id),
        "evidence_id": first(EvidenceFile.id, EvidenceFile.module == tracker),
        "item_id": first(TrackerItem.id, TrackerItem.tracker == tracker),
        "run_id": first(JobRun.id, JobRun.job_name == job, JobRun.state == "finished"),
        "handover_id": session.scalar(select(func.max(Handover.id))),
        "file_id": first(StoredFile.id, StoredFile.kind == QUALITY_REPORT.key),
        "order_id": first(WorkOrder.id),
        "asset_id": first(Asset.id, Asset.id.in_(select(Inspection.asset_id))),
        "lock_id": first(WorkflowLock.id),
        "month": f"{first(AuditLog.created_at):%Y-%m}",
        "job_name": names.GATE,
        "week": WEEK,
        "window": "monthly",
    }


def got(reader, address, **asked):
    """Return the answer at an address; a download is read to its end."""
    answer = reader.get(address, **asked)
    if answer.mimetype != "text/html":
        answer.get_data()
        answer.close()
    return answer


def pages(app, session):
    """Return the rule and an address of everything that a browser reads."""
    read = [route for route in routes(app) if route.method == "GET" and not route.is_api]
    arguments = re.compile(r"<(?:\w+:)?(\w+)>")
    for rule in sorted({route.rule for route in read} - ELSEWHERE):
        if rule.startswith("/static"):
            continue
        given = samples(session, rule)
        address = arguments.sub(lambda argument, given=given: str(given[argument[1]]), rule)
        yield rule, f"{address}?site={SITES[0]}" if "<week:" in rule and rule.endswith(OF_A_SITE) else address


def fault(answer, *, expected, fragment, whole=False):
    """Return what is wrong with an answer, or nothing."""
    if answer.status_code not in expected:
        return f"{answer.status_code}"
    if answer.mimetype != "text/html" or answer.status_code in (302, 303):
        return None
    if fragment and not whole and "<html" in answer.text:
        return "a whole page"
    if not fragment and "<html" not in answer.text:
        return "no whole page"
    return None


def faults(reader, rule, address, expected, *, both=True):
    """Ask for an address as a page, or as `both` a page and a fragment; return what is wrong."""
    found = {"page": fault(got(reader, address), expected=expected, fragment=False)}
    if both:
        fragment = got(reader, address, headers=FRAGMENT)
        found["fragment"] = fault(fragment, expected=expected, fragment=True, whole=rule in WHOLE)
    return [f"{address} as a {kind}: {said}" for kind, said in found.items() if said]


def controls(text, path):
    """Return the addresses behind a list's own controls: one of each filter, every order, the pages, the columns."""
    found = {}
    for link in map(html.unescape, LINK.findall(text)):
        if link.startswith(f"{path}?"):
            query = link.partition("?")[2].partition("#")[0]
            parts = sorted(query.split("&"))
            kinds = tuple(part if part.startswith("sort=") else part.partition("=")[0] for part in parts)
            found.setdefault(kinds, f"{path}?{query}")
    return list(found.values())


def test_every_page_answers_as_a_page_and_as_a_fragment(make_app, engine, session, config, clock):
    """The company is played once: that takes as long as all that is asked."""
    with noted(engine):
        Story(sessionmaker(engine), config, clock.now()).play()
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
        channels.create(ctx, Wish("야간 당직", "webhook", "https://a.example/x"), look_up=lambda *_: [])
    app = make_app()
    known = list(pages(app, session))
    # What roles see and in which language is the same on both databases; whether pages can be read at all is not.
    everything = engine.dialect.name == "sqlite"
    readers = {}
    for role, sites in READERS if everything else (READERS[0], READERS[-1]):
        hashed = passwords.make_hash(config, PASSWORD)
        user = make_user(session, now=clock.now(), role=role, site_scope=sites, password_hash=hashed)
        username = user.username
        session.commit()
        readers[role, sites] = BrowserClient(app, app.response_class)
        assert readers[role, sites].sign_in(username).status_code == 303

    every_page_answers_everybody(known, readers)
    every_control_of_a_list_answers(known, readers[READERS[0]])
    if everything:
        every_page_speaks_one_language([*known, *VIEWS], readers[READERS[0]], page_words.stored_hangul(session))


def every_page_speaks_one_language(known, owner, stored):
    """English pages hold nothing Korean but what people wrote, Korean ones nothing English but names; menus too."""
    wrong = []
    for language, own_word in (("ko", "현황"), ("en", "Overview")):
        owner.set_cookie("lang", language)
        read = 0
        for rule, address in known:
            page = got(owner, address)
            if rule in OF_CODE or page.mimetype != "text/html" or page.status_code != 200:
                continue
            read += 1
            menus = {one for one in map(html.unescape, LINK.findall(page.text)) if "menu=" in one}
            said = page_words.read(page.text)
            # Pages for everybody have no rail.
            assert own_word in said or "<nav" not in page.text or rule.startswith("/web/"), address
            for menu in menus:
                said += page_words.read(owner.get(menu, headers=FRAGMENT).text)
            for text in said:
                found = page_words.english(text) - NAMES if language == "ko" else page_words.foreign(text, stored)
                found |= {*page_words.RAW.findall(text), *page_words.HEADER.findall(text)} - NAMES
                wrong += [f"{language} {address}: {sorted(found)} in {text[:80]!r}"] if found else []
        assert read > 25

    assert not wrong, "\n".join(wrong)


def every_page_answers_everybody(known, readers):
    wrong = []
    for (role, sites), reader in readers.items():
        # An owner may see everything; what belongs to a site that somebody may not see is not there for them.
        expected = FOUND if role == "owner" else FOUND | {403} if sites == ("*",) else FOUND | {403, 404, 422}
        # A page is cut alike for everybody: whoever sees all of it and whoever sees least are enough.
        both = (role, sites) in (READERS[0], READERS[-1])
        for rule, address in known:
            wrong += [f"{role} of {sites}: {said}" for said in faults(reader, rule, address, expected, both=both)]

    assert wrong == []


def every_control_of_a_list_answers(known, owner):
    wrong = []
    lists = 0
    for rule, path in known:
        page = got(owner, path)
        found = controls(page.text, path) if page.mimetype == "text/html" and LIST in page.text else []
        if not found:
            continue
        lists += 1
        for address in found:
            said = fault(got(owner, address, headers=FRAGMENT), expected=FOUND, fragment=True)
            wrong += [f"{address}: {said}"] if said else []
        for query in ODD:
            wrong += faults(owner, rule, path + query, FOUND | {422})

    assert lists >= 9
    assert wrong == []
