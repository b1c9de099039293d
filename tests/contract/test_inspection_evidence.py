"""Files of inspections over the API, and the photos that phones send after their round."""

from __future__ import annotations

import io

from tests.contract.test_inspections import OTHER, SITE, URL, body
from tests.factories import make_site


def sent(caller, path, content=b"measured", headers=None, **form):
    form = {"file": (io.BytesIO(content), "a.txt", "text/plain"), **form}
    return caller.post(path, data=form, headers=headers or {}, content_type="multipart/form-data")


def test_files_of_an_inspection_are_kept_listed_sent_back_and_removed(api):
    owner = api("owner")
    number = owner.post(URL, json=body(insulation_mohm=0.4)).json["id"]
    path = f"{URL}/{number}/evidence"
    key = {"Idempotency-Key": "photo-0001"}
    first = sent(owner, path, headers=key, point="insulation_mohm", note="12")

    assert first.status_code == 201
    assert (first.json["inspection_id"], first.json["part"], first.json["note"]) == (number, "insulation_mohm", "12")
    assert sent(owner, path, headers=key, point="insulation_mohm").json["id"] == first.json["id"]
    assert [one["id"] for one in owner.get(path).json] == [first.json["id"]]
    assert sent(owner, path, point="nothing").status_code == 422
    assert sent(api("auditor"), path).status_code == 403
    assert sent(api("operator", (OTHER,)), path).status_code == 403
    assert sent(owner, f"{URL}/9999/evidence").status_code == 404
    file = f"{URL}/evidence/{first.json['id']}"
    assert owner.get(f"{file}/download").data == b"measured"
    assert owner.get(f"/api/work-orders/evidence/{first.json['id']}/download").status_code == 404
    assert owner.post(f"{file}/remove", json={"reason": "wrong"}).status_code == 200
    assert owner.get(path).json == []


def test_photos_of_a_phone_come_after_their_round(browser_client, session, clock):
    make_site(session, SITE, now=clock.now())
    session.commit()
    phone = browser_client("operator")
    photo = {"round_key": "phone-0001", "point": ""}
    key = {"Idempotency-Key": "photo-0001", "Accept": "application/json"}
    address = "/inspections/rounds/photos"

    def take():
        form = {**photo, "file": (io.BytesIO(b"measured"), "a.txt", "text/plain")}
        return phone.post(address, data=form, headers=key, content_type="multipart/form-data")

    assert take().status_code == 409
    stored = phone.post(URL, json=body(round_key="phone-0001")).json["id"]
    answers = [take() for _time in range(3)]
    assert {one.status_code for one in answers} == {201}
    assert {(one.json["id"], one.json["inspection_id"]) for one in answers} == {(answers[0].json["id"], stored)}
