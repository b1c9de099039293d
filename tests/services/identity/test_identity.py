"""Identity below the doors: bootstrap, house-keeping, sites, and what two people do at the same moment."""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.domain.errors import Conflict, DomainError, Invalid, PermissionDenied, Unauthorized
from console.domain.identity.tokens import judge
from console.models.audit import AuditLog
from console.models.identity import Site, Token, User, WebSession
from console.services.identity import callers as identity
from console.services.identity import clean_up, first_owner, lists, me, second_factor, sessions, sites, tokens, users
from tests.conftest import actor_of
from tests.factories import make_site, make_token, make_user

DAY = timedelta(days=1)
NEW = "another one that is long enough"


@pytest.fixture
def system(make_ctx):
    return make_ctx(kind="system", username="system")


def together(*works):
    """Run functions at the same moment; returns what each returned or raised."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        gate.wait()
        try:
            found[place] = work()
        except DomainError as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.fixture
def at_once(engine, clock, config):
    """Return `at_once(actor, f)`: a function that runs f(ctx) in a transaction of its own."""
    factory = sessionmaker(engine)

    def build(actor, work):
        def run():
            with unit_of_work(factory, actor=actor, clock=clock, config=config) as ctx:
                return work(ctx)

        return run

    return build


class TestAtTheSameMoment:
    def test_two_owners_cannot_remove_each_other(self, session, clock, at_once):
        first, second = (make_user(session, now=clock.now(), role="owner").id for _ in range(2))
        session.commit()

        def off(actor, target):
            return at_once(actor_of("owner", user_id=actor), lambda ctx: users.set_active(ctx, target, is_active=False))

        found = together(off(first, second), off(second, first))

        session.rollback()
        active = session.scalars(select(User.id).where(User.is_active)).all()
        assert len(active) == 1
        assert [type(one) for one in found].count(Conflict) == 1

    def test_a_token_is_rotated_once(self, session, clock, at_once):
        make_token(session, make_user(session, now=clock.now()), now=clock.now())
        session.commit()
        token_id = session.scalar(select(Token.id))
        session.rollback()
        rotate = at_once(actor_of("owner"), lambda ctx: tokens.rotate(ctx, token_id))

        found = together(rotate, rotate, rotate)

        session.rollback()
        assert len(session.scalars(select(Token.id).where(Token.is_active)).all()) == 1
        assert [str(one) for one in found if isinstance(one, Conflict)] == ["Admin token already inactive"] * 2

    def test_the_quota_holds(self, session, clock, at_once):
        user_id = make_user(session, now=clock.now()).id
        session.commit()
        issue = at_once(actor_of("owner"), lambda ctx: tokens.issue(ctx, user_id))
        together(*[issue] * 7)

        session.rollback()
        assert len(session.scalars(select(Token.id).where(Token.is_active)).all()) == 5

    def test_one_name_is_given_once(self, session, at_once):
        create = at_once(actor_of("owner"), lambda ctx: users.create(ctx, username="kim"))
        found = together(create, create)

        assert [str(one) for one in found if isinstance(one, Conflict)] == ["username already exists"]
        assert session.scalars(select(User.username)).all() == ["kim"]


class TestAPasswordThatIsSetAnewMeanwhile:
    @pytest.mark.parametrize(
        "enter",
        [
            lambda ctx, verdict: sessions.open_session(ctx, verdict, NEW, ip="127.0.0.1", user_agent=""),
            lambda ctx, verdict: me.sign_in_for_token(ctx, verdict, label=""),
        ],
        ids=["session", "token"],
    )
    def test_the_old_one_no_longer_lets_anybody_in(self, session, clock, ctx, enter):
        user = make_user(session, now=clock.now(), username="kim")
        users.reset_password(ctx, user.id, password="the old long one")
        sessions.change_password(replace(ctx, actor=actor_of(user_id=user.id)), current="the old long one", new=NEW)
        verdict = sessions.check(ctx, "kim", NEW)
        clock.set(clock.now() + timedelta(seconds=1))
        users.reset_password(ctx, user.id)

        with pytest.raises(Unauthorized):
            enter(ctx, verdict)
        assert session.scalars(select(Token)).all() == session.scalars(select(WebSession)).all() == []


class TestTheLastOwner:
    @pytest.mark.parametrize("own", [True, False])
    def test_the_last_owner_for_all_sites_stays_one(self, session, clock, make_ctx, own):
        owner = make_user(session, now=clock.now(), role="owner")
        make_user(session, now=clock.now(), role="owner", site_scope=("HQ",))
        make_user(session, now=clock.now(), role="owner", is_active=False)
        ctx = make_ctx("owner", user_id=owner.id if own else None)

        with pytest.raises(Conflict) as refused:
            users.edit(ctx, owner.id, site_scope=("HQ",))
        assert refused.value.code == "last_owner"
        with pytest.raises(Conflict):
            users.edit(ctx, owner.id, site_scope=())
        assert owner.site_scope == ("*",)

    def test_one_of_two_may_narrow_and_may_come_back(self, session, clock, make_ctx):
        owner, other = (make_user(session, now=clock.now(), role="owner") for _ in range(2))
        ctx = make_ctx("owner", user_id=owner.id)

        assert users.edit(ctx, other.id, site_scope=("HQ",)).site_scope == ("HQ",)
        assert users.edit(ctx, other.id, site_scope=("*",)).site_scope == ("*",)

    def test_the_only_owner_of_some_sites_may_get_all(self, session, clock, make_ctx):
        owner = make_user(session, now=clock.now(), role="owner", site_scope=("HQ",))

        assert users.edit(make_ctx("owner"), owner.id, site_scope=("*",)).site_scope == ("*",)

    def test_the_last_one_for_all_sites_does_not_leave(self, session, clock, make_ctx):
        owner = make_user(session, now=clock.now(), role="owner")
        make_user(session, now=clock.now(), role="owner", site_scope=("HQ",))

        with pytest.raises(Conflict):
            me.deactivate_me(make_ctx("owner", user_id=owner.id))
        with pytest.raises(Conflict):
            users.set_active(make_ctx("owner"), owner.id, is_active=False)


class TestBootstrap:
    def test_the_first_owner_gets_a_free_name(self, system, session, clock):
        make_user(session, now=clock.now(), username="owner", role="operator")
        found = first_owner.ensure_owner(system)

        assert (found.username, found.created, len(found.password)) == ("owner2", True, 19)
        assert first_owner.ensure_owner(system) == first_owner.FirstOwner("owner2", created=False)

    def test_an_owner_without_a_password_is_not_enough(self, system, session, clock):
        make_user(session, now=clock.now(), username="bot", role="owner")

        assert first_owner.ensure_owner(system).username == "owner"

    def test_an_owner_of_some_sites_is_not_enough(self, system, session, clock):
        make_user(session, now=clock.now(), username="local", role="owner", site_scope=("HQ",), password_hash="x")

        assert (first_owner.ensure_owner(system).username, first_owner.ensure_owner(system).created) == ("owner", False)

    def test_without_a_token_in_the_settings_nothing_is_seeded(self, system, session):
        assert first_owner.ensure_admin_token(system) is False
        assert session.scalars(select(User)).all() == []


class TestHouseKeeping:
    @pytest.fixture
    def mess(self, session, clock):
        now = clock.now()
        user = make_user(session, now=now - 90 * DAY)
        make_token(session, user, now=now, label="fine")
        make_token(session, user, now=now, label="expired", expires_at=now - DAY)
        make_token(session, user, now=now - 60 * DAY, label="old", last_used_at=now, expires_at=now + DAY)
        make_token(session, user, now=now - 31 * DAY, label="idle", expires_at=now + DAY)
        for number, ended in enumerate((None, now - DAY, now - 40 * DAY)):
            session.add(
                WebSession(
                    token_hash=f"h{number}",
                    user_id=user.id,
                    created_at=now - 50 * DAY if ended else now,
                    last_seen_at=ended or now,
                    expires_at=ended or now + DAY,
                )
            )
        session.commit()

    def test_lapsed_tokens_and_long_ended_sessions_go(self, mess, system, session):
        found = clean_up.clean_up(system)
        session.commit()

        assert (found.sessions_deleted, found.tokens_disabled) == (1, 3)
        rows = session.execute(select(Token.label, Token.disabled_reason).where(Token.is_active.is_(False))).all()
        assert set(rows) == {
            ("expired", "token_expired"),
            ("old", "token_rotation_overdue"),
            ("idle", "token_idle"),
        }
        assert len(session.scalars(select(AuditLog).where(AuditLog.action == "admin_token_auto_disable")).all()) == 3
        again = clean_up.clean_up(system)
        assert (again.sessions_deleted, again.tokens_disabled) == (0, 0)

    def test_a_dry_run_tells_the_same_and_changes_nothing(self, mess, system, session):
        planned = clean_up.clean_up(system, dry_run=True)
        session.commit()
        assert len(session.scalars(select(Token).where(Token.is_active)).all()) == 4
        done = clean_up.clean_up(system)

        assert (planned.sessions_deleted, planned.token_ids) == (done.sessions_deleted, done.token_ids)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    created=st.integers(0, 60),
    used=st.one_of(st.none(), st.integers(0, 60)),
    expires=st.one_of(st.none(), st.integers(-30, 40)),
    active=st.booleans(),
)
def test_sql_and_rules_agree_on_which_tokens_work(session, clock, config, created, used, expires, active):
    now = clock.now()
    session.rollback()
    user = make_user(session, now=now)
    make_token(
        session,
        user,
        now=now - created * DAY,
        last_used_at=None if used is None else now - used * DAY,
        expires_at=None if expires is None else now + expires * DAY,
        is_active=active,
    )
    token = session.scalar(select(Token).where(Token.user_id == user.id))
    found = session.scalar(select(Token.id).where(Token.id == token.id, *identity.live_token(config, now)))

    assert (found is not None) is (judge(identity.facts_of(token), identity.token_policy(config), now) is None)
    session.rollback()


class TestSites:
    def test_the_choice_is_what_is_in_scope_and_in_use(self, make_ctx, session, clock):
        for name, active in (("HQ", True), ("본관", True), ("별관", False)):
            make_site(session, name, now=clock.now(), is_active=active)

        assert sites.names(make_ctx("owner")) == ["HQ", "본관"]
        assert sites.names(make_ctx("operator", ("HQ", "별관", "New place"))) == ["HQ", "New place"]
        assert sites.names(make_ctx("operator", ())) == []
        assert [site.name for site in sites.visible(make_ctx("operator", ("HQ",)))] == ["HQ"]

    def test_times_are_shown_in_the_zone_of_the_site(self, make_ctx, session, clock):
        make_site(session, "Tokyo", now=clock.now(), zone="Asia/Tokyo")
        ctx = make_ctx()

        assert [str(sites.zone_of(ctx, name)) for name in ("Tokyo", "unknown", None)] == [
            "Asia/Tokyo",
            "Asia/Seoul",
            "Asia/Seoul",
        ]

    @pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
    def test_one_place_has_one_name_however_it_is_typed(self, ctx, session, form):
        name = "본관"
        sites.create(ctx, name=name)
        with pytest.raises(Conflict):
            sites.create(ctx, name=f"  {unicodedata.normalize(form, name)} ")
        assert session.scalars(select(Site.name)).all() == ["본관"]


# What managers may do too, within their own (tests/blueprints/identity/test_user_managers.py).
OF_USERS = (
    lists.all_users,
    lambda ctx: users.get(ctx, 1),
    lambda ctx: users.create(ctx, username="kim"),
    lambda ctx: users.set_active(ctx, 1, is_active=False),
    lambda ctx: users.edit(ctx, 1, role="owner"),
    lambda ctx: users.reset_password(ctx, 1),
)
OF_ADMINISTRATORS = (
    lambda ctx: tokens.issue(ctx, 1),
    lambda ctx: tokens.rotate(ctx, 1),
    lambda ctx: tokens.revoke(ctx, 1),
    lists.all_tokens,
    tokens.policy,
    lambda ctx: second_factor.reset(ctx, 1),
    lambda ctx: sites.create(ctx, name="HQ"),
    lists.all_sites,
)


@pytest.mark.parametrize(
    ("role", "work"),
    [
        *product(("operator", "auditor"), OF_USERS),
        *product(("manager", "operator", "auditor"), OF_ADMINISTRATORS),
    ],
)
def test_every_use_case_asks_for_the_permission_itself(make_ctx, role, work):
    with pytest.raises(PermissionDenied, match="Missing permission: admins:manage"):
        work(make_ctx(role))


@pytest.mark.parametrize("actor", [SYSTEM, actor_of("owner", kind="env")])
def test_a_principal_without_an_account_has_no_password_to_change(make_ctx, actor):
    ctx = make_ctx()
    ctx.actor = actor
    with pytest.raises(Conflict):
        sessions.change_password(ctx, current="x", new="a long enough one")
    with pytest.raises(Conflict):
        sessions.own_profile(ctx)


def test_a_profile_takes_only_known_words(make_ctx, session, clock):
    user = make_user(session, now=clock.now())
    ctx = make_ctx("operator", user_id=user.id)
    with pytest.raises(Invalid):
        sessions.update_profile(ctx, language="fr")
    assert sessions.update_profile(ctx, language="en", theme="dark").language == "en"
    assert sessions.update_profile(ctx, language="").language is None
