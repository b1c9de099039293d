"""People with addresses, things of theirs, and a sender that keeps what it is given."""

from datetime import timedelta

from console.models.personal_alerts import PersonalDelivery
from console.services.alerts import delivery, personal
from tests.factories import make_user
from tests.factories.work_orders import add_order
from tests.services.alerts.test_guard import Receivers

SITE, OTHER = "본관", "별관"
HOOK = "https://hooks.example.com/services/T0/very-secret"


def outside(_host, _port):
    return ["93.184.216.34"]


def reach(
    make_ctx, session, clock, username, *, sites=("*",), role="operator", kind="webhook", address=HOOK, user=None
):
    """Return the context of a person with one address that works, and its key."""
    user = user or make_user(session, now=clock.now(), username=username, role=role, site_scope=sites)
    own = make_ctx(role, sites, username=username, user_id=user.id)
    made, channel = personal.add(own, kind=kind, address=address, look_up=outside)
    if kind == "mail":
        code = personal.new_code(own, made.id)[1]
        assert personal.confirm(own, made.id, code)
    return own, channel.key


def told(places):
    """Return what arrived at each address: the subjects of its messages, one list for each."""
    found = {}
    for address, _id, payload in places.seen:
        found.setdefault(address, []).append([line["subject"] for line in payload.get("items", ())])
    return found


def order(number, who, site=SITE, priority="high", **more):
    return {"id": number, "title": f"주문 {number}", "site": site, "priority": priority, "assignee": who, **more}


def standing(ctx, who, **values):
    """Add a late order and return it as a message lists it."""
    late = {"due_at": ctx.now() - timedelta(hours=1)}
    row = add_order(ctx.session, ctx.now(), assignee=who, **late | values)
    return order(row.id, who, site=row.site)


def escalation(*orders):
    return {"event": "sla_escalation", "escalated_count": len(orders), "orders": list(orders)}


def deliver(ctx, places=None):
    """Send what is due; returns the receivers."""
    places = places or Receivers()
    ctx.commit()
    with delivery.sending_with(places):
        delivery.deliver_due(ctx, limit=100)
    return places


def messages(session, **which):
    rows = session.query(PersonalDelivery).filter_by(**which).order_by(PersonalDelivery.id)
    return rows.execution_options(populate_existing=True).all()
