"""The small picture of a photo on the page of an order."""

import io

from PIL import Image

from console.services.evidence import thumbnails
from tests.factories.work_orders import add_order
from tests.support.files import multipart


def test_a_photo_has_its_small_picture_as_soon_as_there_is_one(app, browser_client, make_ctx, session, clock):
    order = add_order(session, clock.now()).id
    session.commit()
    person, stranger = browser_client("operator", ("본관",)), browser_client("operator", ("별관",), username="far")
    kept = io.BytesIO()
    Image.new("RGB", (90, 60), "teal").save(kept, "JPEG")
    body, kind = multipart(kept.getvalue(), "펌프.jpg", "image/jpeg")
    assert person.post(f"/work-orders/{order}/evidence", data=body, content_type=kind).status_code == 303
    assert "/thumbnail" not in person.get(f"/work-orders/{order}").text

    ctx = make_ctx()
    ctx.config = app.extensions["console_config"]
    thumbnails.make(ctx)
    ctx.commit()

    page = person.get(f"/work-orders/{order}").text
    path = page.split('<img src="')[1].split('"')[0]
    shown = person.get(path)
    again = person.get(path, headers={"If-None-Match": shown.headers["ETag"]})
    assert 'alt="펌프.jpg 미리보기"' in page
    assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    assert shown.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "private, no-cache")
    assert stranger.get(path).status_code == 403
    assert person.get(path.replace("/thumbnail", "0/thumbnail")).status_code == 404
