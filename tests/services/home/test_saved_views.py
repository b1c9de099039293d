import pytest

from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.services.home import saved_views as views
from tests.factories import make_user


@pytest.fixture
def person(session, make_ctx, clock):
    """Return `person()`: a context of a manager who has an account."""

    def build(role="manager"):
        user = make_user(session, now=clock.now(), role=role)
        return make_ctx(role, user_id=user.id, username=user.username)

    return build


def save(ctx, name="아침 회의", **values):
    return views.save(ctx, **{"list_name": "board", "name": name, "address": "/board?due=overdue", **values})


def test_a_view_is_private_until_it_is_shared(person):
    mine, other = person(), person()
    save(mine)

    assert [view.name for view in views.listed(mine, "board")] == ["아침 회의"]
    assert views.listed(other, "board") == []

    save(mine, shared=True)
    assert [(view.name, view.mine) for view in views.listed(other, "board")] == [("아침 회의", False)]


def test_saving_a_name_again_replaces_it(person):
    ctx = person()
    first = save(ctx)
    second = save(ctx, name="  아침   회의 ", address="/board")

    assert first.id == second.id
    assert [view.address for view in views.listed(ctx)] == ["/board"]


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"address": "https://elsewhere.example"},
        {"address": "//elsewhere.example"},
        {"list_name": ""},
        {"list_name": "x" * 61},
    ],
)
def test_what_cannot_be_a_view_is_refused(person, values):
    ctx = person()

    with pytest.raises(Invalid):
        save(ctx, **values)
    assert views.listed(ctx) == []


def test_nobody_touches_the_view_of_somebody_else(person):
    mine, other = person(), person()
    view = save(mine, shared=True)

    with pytest.raises(NotFound):
        views.remove(other, view.id)
    assert len(views.listed(mine)) == 1


def test_there_is_one_start_page(person):
    ctx = person()
    one, two = save(ctx), save(ctx, name="내 것", address="/my-work")

    views.make_start(ctx, one.id)
    views.make_start(ctx, two.id)

    assert views.start_address(ctx) == "/my-work"
    views.make_start(ctx, None)
    assert views.start_address(ctx) is None


def test_a_deleted_start_page_leads_back_to_the_overview(person):
    ctx = person()
    view = save(ctx)
    views.make_start(ctx, view.id)

    views.remove(ctx, view.id)

    assert views.start_address(ctx) is None


def test_a_person_has_room_for_a_hundred(person, monkeypatch):
    monkeypatch.setattr(views, "MAX_VIEWS_PER_PERSON", 2)
    ctx = person()
    save(ctx, "1")
    save(ctx, "2")

    with pytest.raises(Conflict):
        save(ctx, "3")
    save(ctx, "2", address="/board")


def test_a_token_without_a_person_saves_nothing(ctx):
    with pytest.raises(PermissionDenied):
        save(ctx)


def test_everybody_begins_with_a_view_of_their_own_choice(person):
    mine, other = person(), person()
    shared, private = save(mine, "함께", shared=True), save(mine, "혼자", address="/my-work")

    views.make_start(other, shared.id)
    views.make_start(mine, private.id)

    assert (views.start_address(mine), views.start_address(other)) == ("/my-work", "/board?due=overdue")
    assert [(view.name, view.is_start) for view in views.listed(mine)] == [("함께", False), ("혼자", True)]
    assert [(view.name, view.is_start) for view in views.listed(other)] == [("함께", True)]
    with pytest.raises(NotFound):
        views.make_start(other, private.id)


@pytest.mark.parametrize("how", ["change", "save", "remove"])
def test_a_view_that_one_sees_no_longer_is_no_start_page(person, how):
    mine, other = person(), person()
    view = save(mine, shared=True)
    views.make_start(mine, view.id)
    views.make_start(other, view.id)

    if how == "change":
        views.change(mine, view.id, name=view.name, shared=False)
    elif how == "save":
        save(mine, shared=False)
    else:
        views.remove(mine, view.id)

    assert views.start_address(other) is None
    assert views.start_address(mine) == (None if how == "remove" else "/board?due=overdue")
    if how != "remove":
        views.change(mine, view.id, name=view.name, shared=True)
        assert views.start_address(other) is None


def test_a_view_gets_another_name_from_its_owner_alone(person):
    mine, other = person(), person()
    first, _second = save(mine, shared=True), save(mine, "다른 것")

    views.change(mine, first.id, name="  저녁   회의 ", shared=True)

    assert [(view.name, view.is_shared) for view in views.listed(mine)] == [("다른 것", False), ("저녁 회의", True)]
    for ctx, values, refusal in (
        (other, {"name": "x"}, NotFound),
        (mine, {"name": " "}, Invalid),
        (mine, {"name": "다른 것"}, Conflict),
    ):
        with pytest.raises(refusal), ctx.session.begin_nested():
            views.change(ctx, first.id, **values, shared=False)
    assert [view.name for view in views.listed(other)] == ["저녁 회의"]


def test_a_name_that_is_taken_can_be_asked_about(person):
    ctx = person()
    save(ctx)

    with pytest.raises(Conflict) as refused:
        save(ctx, address="/board", replace=False)
    assert refused.value.code == views.EXISTS
    assert [view.address for view in views.listed(ctx)] == ["/board?due=overdue"]


def test_an_address_leads_to_its_view_however_it_is_escaped(person):
    mine, other = person(), person()
    save(other, "남의 것", address="/board?assignee=이정비&sort=due_at", shared=True)
    save(other, "비밀", address="/board?q=x")

    assert views.kept_at(mine, "/board?sort=due_at&assignee=%EC%9D%B4%EC%A0%95%EB%B9%84").name == "남의 것"
    save(mine, "내 것", address="/board?assignee=이정비&sort=due_at")
    assert views.kept_at(mine, "/board?assignee=이정비&sort=due_at").name == "내 것"
    assert views.kept_at(mine, "/board?assignee=이정비") is None
    assert views.kept_at(mine, "/board?q=x") is None
