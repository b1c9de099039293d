"""The transaction of a request that writes: what told who is calling is not taken for what is stored."""

from sqlalchemy import select, update

from console.models.identity import User
from console.web.extensions import db
from console.web.request import access, web_context


def test_a_writing_view_reads_anew_what_the_look_at_the_caller_read(make_app, api, engine):
    app = make_app()
    token = api("owner", username="kim").token
    found = []

    def rename():
        held = list(db.session.identity_map.values())
        with engine.connect() as other:
            if engine.dialect.name == "postgresql":
                # On SQLite nobody else can write at this moment.
                other.execute(update(User).values(display_name="Elsewhere"))
                other.commit()
        ctx = web_context()
        user = ctx.session.scalar(select(User).where(User.username == "kim"))
        found.append((ctx.writing, user in held, user.display_name))
        user.display_name = "Renamed"
        return "ok"

    app.add_url_rule("/rename", "rename", access()(rename), methods=["POST"])
    answer = app.test_client().post("/rename", headers={"X-Admin-Token": token})

    assert answer.status_code == 200
    (writing, same_object, name) = found[0]
    assert (writing, same_object) == (True, False)
    assert engine.dialect.name == "sqlite" or name == "Elsewhere"
    with engine.connect() as connection:
        assert connection.scalar(select(User.display_name)) == "Renamed"
