"""The evidence panel in a real browser: choose, drop, send, progress, refusals, phone, without script."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.domain.evidence.images import image_size
from console.domain.evidence.photos import without_place
from tests.support.files import EICAR, PDF, exif, png

# The latitude and the longitude of the photo.
PLACE = exif()[-48:]

# A picture as large as a phone makes it, drawn in the page: the browser has to make it smaller.
DRAW = """async ([width, height, kind]) => {
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  const pen = canvas.getContext('2d');
  const noise = pen.createImageData(width, height);
  // A pattern would be smaller as PNG than as JPEG, and stay what it is.
  const shade = kind === 'image/png' ? () => 251 * Math.random() : (at) => (at * 7919) % 251;
  for (let at = 0; at < noise.data.length; at++) noise.data[at] = at % 4 === 3 ? 255 : shade(at);
  pen.putImageData(noise, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, kind, 0.95));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}"""


def _open(page: Page, number: int = 0) -> None:
    page.goto("/board")
    page.wait_for_selector("html.has-script", state="attached")
    page.goto(str(page.locator("a.board-card-title").nth(number).get_attribute("href")))
    page.wait_for_selector("[data-evidence] [data-evidence-form]")


def _file(name: str, content: bytes, kind: str) -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


def _drawn(page: Page, kind: str = "image/jpeg", width: int = 4000, height: int = 3000) -> bytes:
    return base64.b64decode(page.evaluate(DRAW, [width, height, kind]))


def _said(kind: str, photo: bytes) -> bytes:
    """The photo as a camera writes it: with the time and the place in the format's own way."""
    block = exif()
    if kind == "image/png":
        at = photo.index(b"IDAT") - 4
        chunk = b"eXIf" + block
        return photo[:at] + struct.pack("!L", len(block)) + chunk + struct.pack("!L", zlib.crc32(chunk)) + photo[at:]
    if kind == "image/webp":
        more = b"EXIF" + struct.pack("<L", len(block)) + block + bytes(len(block) % 2)
        return b"RIFF" + struct.pack("<L", len(photo) - 8 + len(more)) + photo[8:] + more
    return photo[:2] + b"\xff\xe1" + struct.pack("!H", len(block) + 8) + b"Exif\0\0" + block + photo[2:]


def test_several_files_are_sent_one_by_one_and_a_refusal_stays_to_be_read(page_as):
    page = page_as("manager")
    _open(page)
    panel = page.locator("[data-evidence]")
    files = panel.locator(".evidence-file")
    there = files.count()
    expect(panel.locator("[data-send]")).to_be_disabled()

    panel.locator("[data-pick]").first.set_input_files(
        [
            _file("점검 보고서.pdf", PDF, "application/pdf"),
            _file("설비.png", png(), "image/png"),
            _file("virus.txt", EICAR, "text/plain"),
            _file("setup.exe", b"MZ", "application/x-msdownload"),
        ]
    )
    queue = panel.locator("[data-queue] li")
    expect(queue).to_have_count(4)
    expect(panel.locator("[data-send]")).to_contain_text("파일 4개 올리기")
    panel.get_by_label("메모").fill("절연 저항 측정")
    panel.locator("[data-send]").click()

    expect(files).to_have_count(there + 2)
    expect(queue).to_have_count(2)
    expect(queue.first).to_contain_text("바이러스 검사용 시험 문자열")
    expect(queue.last).to_contain_text("받지 않는 형식입니다")
    expect(queue.last).to_have_attribute("data-state", "fault")
    expect(panel.locator("[data-evidence-count]")).to_have_text(str(there + 2))
    expect(files.filter(has_text="설비.png")).to_contain_text("절연 저항 측정")
    expect(page.locator(".k-toast", has_text="증빙 2건을 올렸습니다")).to_be_visible()
    # The refusals are what the browser says about a 422 and a 415.
    assert [said for said in vars(page)["problems"] if "422" not in said and "415" not in said] == []
    vars(page)["problems"].clear()
    queue.first.get_by_role("button").click()
    expect(queue).to_have_count(1)


def test_a_file_is_downloaded_and_removed_with_a_reason(page_as):
    page = page_as("manager", lang="en")
    _open(page, 1)
    panel = page.locator("[data-evidence]")
    panel.locator("[data-pick]").first.set_input_files([_file("report.pdf", PDF, "application/pdf")])
    panel.locator("[data-send]").click()
    line = panel.locator(".evidence-file", has_text="report.pdf")

    with page.expect_download() as got:
        line.get_by_role("link", name="report.pdf").click()
    assert got.value.suggested_filename == "report.pdf"
    assert got.value.path().read_bytes() == PDF
    line.locator("summary").click()
    line.get_by_label("Reason for the removal").fill("wrong pump")
    line.get_by_role("button", name="Remove").click()

    expect(line).to_have_count(0)
    expect(page.locator(".k-toast", has_text="report.pdf was removed")).to_be_visible()


def test_a_large_picture_is_made_smaller_before_it_travels(page_as):
    page = page_as("operator", width=390)
    _open(page)
    photo = _drawn(page)
    assert len(photo) > 5 * 1024 * 1024
    panel = page.locator("[data-evidence]")
    expect(panel.get_by_text("사진 촬영")).to_be_visible()

    panel.locator("[data-pick][capture]").set_input_files([_file("IMG_0001.JPG", photo, "image/jpeg")])
    expect(panel.locator("[data-queue] li")).to_contain_text("MB")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/evidence" in answer.url) as sent:
        panel.locator("[data-send]").click()

    assert sent.value.status == 200
    expect(panel.locator(".evidence-file", has_text="IMG_0001.jpg")).to_be_visible()


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
@pytest.mark.parametrize("keeps", [False, True], ids=["place is dropped", "place is kept"])
def test_a_photo_made_smaller_says_so_and_when_it_was_taken(page_as, site, monkeypatch, kind, keeps):
    wants = site.app.extensions["console_config"].replaced(EVIDENCE_KEEP_PLACE=keeps)
    monkeypatch.setitem(site.app.extensions, "console_config", wants)
    page = page_as("manager", lang="en")
    _open(page)
    photo = _said(kind, _drawn(page, kind, 2800, 900))
    panel = page.locator("[data-evidence]")

    panel.locator("[data-pick]").first.set_input_files([_file(f"pump.{kind[6:]}", photo, kind)])
    expect(panel.locator("[data-queue] li")).to_contain_text("made smaller")
    panel.locator("[data-send]").click()

    line = panel.locator(".evidence-file", has_text="pump.jpg")
    expect(line).to_contain_text("taken 1 Mar")
    expect(line).to_contain_text("made smaller")
    line.locator("summary").click()
    expect(line).to_contain_text("told by the browser that made it smaller")
    stored = page.request.get(str(line.locator("a[download]").get_attribute("href"))).body()
    assert image_size(io.BytesIO(stored), "image/jpeg") == (2560, 823)
    assert (PLACE in stored, without_place(stored) != stored) == (keeps, keeps)


def test_a_small_photo_stays_as_it_is_but_for_its_place(page_as):
    page = page_as("manager", lang="en")
    _open(page)
    panel = page.locator("[data-evidence]")
    photo = _said("image/jpeg", _drawn(page, "image/jpeg", 300, 200))

    panel.locator("[data-pick]").first.set_input_files([_file("valve.jpg", photo, "image/jpeg")])
    expect(panel.locator("[data-queue] li")).not_to_contain_text("made smaller")
    panel.locator("[data-send]").click()

    line = panel.locator(".evidence-file", has_text="valve.jpg")
    expect(line).to_contain_text("taken 1 Mar")
    expect(line).not_to_contain_text("made smaller")
    stored = page.request.get(str(line.locator("a[download]").get_attribute("href"))).body()
    assert stored == without_place(photo) != photo
    assert PLACE not in stored


def test_files_can_be_dropped(page_as):
    page = page_as("manager")
    _open(page, 2)
    handle = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['measured'], '측정.txt', { type: 'text/plain' })); return data; }"
    )
    drop = page.locator("[data-evidence] [data-drop]")
    drop.dispatch_event("dragover", {"dataTransfer": handle})
    expect(drop).to_have_class("evidence-drop is-over")
    drop.dispatch_event("drop", {"dataTransfer": handle})

    expect(page.locator("[data-evidence] [data-queue] li")).to_contain_text("측정.txt")
    page.keyboard.press("Tab")
    page.locator("[data-evidence] [data-send]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".evidence-file", has_text="측정.txt")).to_be_visible()


def test_it_works_without_script(page_as):
    page = page_as("manager", script=False)
    page.goto("/board")
    page.goto(str(page.locator("a.board-card-title").nth(3).get_attribute("href")))
    panel = page.locator("[data-evidence]")
    there = panel.locator(".evidence-file").count()

    panel.locator("input[type=file]").first.set_input_files(
        [_file("a.txt", b"one", "text/plain"), _file("b.txt", b"two", "text/plain")]
    )
    panel.locator("[data-send]").click()

    expect(panel.locator(".evidence-file")).to_have_count(there + 2)
    expect(page.locator(".k-toast")).to_contain_text("증빙 2건을 올렸습니다")


def test_who_may_only_look_has_no_form(page_as):
    page = page_as("auditor")
    page.goto("/board")
    page.goto(str(page.locator("a.board-card-title").first.get_attribute("href")))

    expect(page.locator("[data-evidence]")).to_be_visible()
    expect(page.locator("[data-evidence-form]")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme", "lang"), [(1440, "light", "ko"), (390, "dark", "ko"), (390, "light", "en")])
def test_it_can_be_read_and_reached_by_everybody(page_as, axe, width, theme, lang):
    page = page_as("manager", width=width, theme=theme, lang=lang)
    _open(page)
    page.locator("[data-evidence] [data-pick]").first.set_input_files([_file("a.txt", b"one", "text/plain")])
    page.locator("[data-evidence] [data-queue] li").wait_for()

    assert axe(page) == []
    overflow = page.evaluate("() => { const it = document.querySelector('[data-evidence]');"
                             " return it.scrollWidth - it.clientWidth; }")  # fmt: skip
    assert overflow <= 0
