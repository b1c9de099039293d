"""Papers as PDF with Korean type: headings, sentences, figures, tables, pictures and bars, page after page.

Only what is written is embedded of the font. The typefaces come from the package of the web fonts at set-up. Texts of
people are letters and nothing else: no mark of theirs means anything here.
"""

from __future__ import annotations

import gc
import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from fpdf.fonts import FontFace

FONTS = Path(__file__).parents[1] / "static" / "vendor" / "fonts"
FAMILY = "Pretendard"
FACES = {"": FONTS / "Pretendard-Regular.ttf", "B": FONTS / "Pretendard-Bold.ttf"}
MARGIN, BOTTOM = 18.0, 20.0
INK, GREY, PALE, RULE = (28, 32, 38), (92, 99, 110), (243, 244, 246), (208, 212, 218)
PAPER = (255, 255, 255)
TONES = {
    "ok": (47, 125, 79),
    "soon": (183, 121, 31),
    "late": (192, 57, 43),
    "1": (44, 92, 158),
    "2": (170, 197, 238),
}
# How many pages there are is known at the end; until then this stands for it.
PAGES = "{nb}"
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

# The library tells what it embeds, line by line.
logging.getLogger("fontTools").setLevel(logging.ERROR)
logging.getLogger("fpdf").setLevel(logging.ERROR)


class FontsMissing(RuntimeError):
    """The typefaces are not there: the set-up has not run."""


@dataclass(frozen=True)
class Part:
    """A part of a bar: its size and its tone."""

    size: float
    tone: str


@dataclass(frozen=True)
class Box:
    """A box in which somebody signs: the office, and who signed in the console already."""

    office: str
    name: str = ""
    day: str = ""


@dataclass(frozen=True)
class Picture:
    """A line with pictures (JPEG) before it: what is told beside them, and a figure at the right."""

    pictures: Sequence[bytes | None]
    title: str
    text: str
    figure: str


def clean(text: str) -> str:
    """Return a text of people as it may stand on a paper: without signs that only machines read."""
    return _CONTROLS.sub(" ", text).replace(PAGES, "{ nb}")


class _Sheet(FPDF):
    """A4 with a foot on every page, and what paper it is above every further one."""

    foot = running = ""

    def header(self) -> None:
        """Write above a page that follows what it belongs to: pages come apart."""
        if self.page_no() > 1:
            self.set_y(9)
            self.set_font(FAMILY, "", 8)
            self.set_text_color(*GREY)
            self.cell(0, 5, self.running, align="L")
            self.set_y(self.t_margin)

    def footer(self) -> None:
        """Write the foot of a page: what paper it is, and its number."""
        self.set_y(-13)
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*GREY)
        self.cell(0, 5, self.foot, align="L", new_x=XPos.LMARGIN)
        self.cell(0, 5, f"{self.page_no()} / {PAGES}", align="R")


class Paper:
    """A paper under way: what is added stands below what was there. `bytes()` ends it.

    `over` is a small line above the title, `signed` are boxes at its right with their title, `running` stands above
    every further page (default: the title). Raises FontsMissing where the set-up has not run.
    """

    def __init__(
        self, title: str, *, foot: str, locale: str, made_at: datetime, over: str = "", signed: Sequence[Box] = (),
        signed_title: str = "", running: str = "",
    ) -> None:  # fmt: skip
        missing = [path.name for path in FACES.values() if not path.is_file()]
        if missing:
            raise FontsMissing(f"{', '.join(missing)} is missing: run `make setup`")
        sheet = _Sheet(orientation="P", unit="mm", format="A4")
        for style, path in FACES.items():
            sheet.add_font(FAMILY, style, path)
        sheet.foot, sheet.running = clean(foot), clean(running or title)
        sheet.set_margins(MARGIN, MARGIN, MARGIN)
        sheet.set_auto_page_break(auto=True, margin=BOTTOM)
        sheet.set_title(clean(title))
        sheet.set_lang(locale)
        sheet.set_creation_date(made_at)
        sheet.set_producer("KA Facility OS")
        sheet.add_page()
        self._sheet = sheet
        self._boxes_end = self._boxes(signed, signed_title) if signed else 0.0
        if over:
            self.note(over)
        self._text(title, 18, bold=True, height=9)

    def _boxes(self, boxes: Sequence[Box], title: str) -> float:
        """Draw the boxes at the top right and keep what follows at their left; returns where they end."""
        # A title of a few letters stands upright beside the boxes; a longer one would be a column of letters.
        letters = list(title) if len(title) <= 3 else []
        sheet, each, tall, side = self._sheet, 20.0, 20.0, 6.0 if letters else 0.0
        left = sheet.w - MARGIN - side - each * len(boxes)
        sheet.set_draw_color(*GREY)
        if letters:
            sheet.rect(left, MARGIN, side, tall)
        for place, letter in enumerate(letters):
            self._at(left, MARGIN + tall * (place + 1) / (len(letters) + 1) - 2, letter, 8, side, height=4, align="C")
        for place, box in enumerate(boxes):
            start = left + side + place * each
            sheet.rect(start, MARGIN, each, tall)
            sheet.line(start, MARGIN + 6, start + each, MARGIN + 6)
            self._at(start, MARGIN + 1, box.office, 8, each, height=4, align="C")
            self._at(start, MARGIN + 9, box.name, 8, each, height=4, align="C", tone=TONES["1"])
            self._at(start, MARGIN + 13, box.day, 7, each, height=4, align="C", tone=TONES["1"])
        sheet.set_right_margin(sheet.w - left + 4)
        sheet.set_xy(MARGIN, MARGIN)
        return MARGIN + tall

    def _past_boxes(self) -> None:
        sheet = self._sheet
        if self._boxes_end:
            sheet.set_right_margin(MARGIN)
            sheet.set_y(max(sheet.get_y(), self._boxes_end if sheet.page == 1 else 0.0))
            self._boxes_end = 0.0

    def _text(self, text: str, size: float, *, bold: bool = False, height: float, tone: Sequence[int] = INK) -> None:
        sheet = self._sheet
        sheet.set_font(FAMILY, "B" if bold else "", size)
        sheet.set_text_color(*tone)
        sheet.multi_cell(0, height, clean(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def lead(self, text: str) -> None:
        """Add the sentence under the title: the answer."""
        self._text(text, 11, height=6)

    def note(self, text: str) -> None:
        """Add a small grey sentence."""
        self._text(text, 8.5, height=4.6, tone=GREY)

    def line(self, text: str) -> None:
        """Add an entry of 10 pt with a step of 14 pt to the next; a longer one goes on below."""
        self._text(text, 10, height=4.94)

    def heading(self, text: str, room: float = 30) -> None:
        """Add the heading of a section; below it there is `room` in mm on the same page."""
        sheet = self._sheet
        self._past_boxes()
        if sheet.will_page_break(room):
            sheet.add_page()
        sheet.ln(4)
        self._text(text, 12.5, bold=True, height=7)
        sheet.set_draw_color(*RULE)
        sheet.line(MARGIN, sheet.get_y(), sheet.w - MARGIN, sheet.get_y())
        sheet.ln(2)

    def points(self, lines: Sequence[str]) -> None:
        """Add sentences, each on a line of its own with a mark before it."""
        sheet = self._sheet
        for text in lines:
            sheet.set_font(FAMILY, "", 10)
            sheet.set_text_color(*INK)
            sheet.cell(5, 5.6, "·")
            sheet.multi_cell(0, 5.6, clean(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def figures(self, pairs: Sequence[tuple[str, str]], columns: int = 4, notes: Sequence[str] = ()) -> None:
        """Add large figures with their names below, so many beside each other; `notes` stand below the names."""
        sheet = self._sheet
        width, height = (sheet.w - 2 * MARGIN) / columns, 23.0 if notes else 18.0
        for start in range(0, len(pairs), columns):
            if sheet.will_page_break(height):
                sheet.add_page()
            top = sheet.get_y()
            for place, (name, value) in enumerate(pairs[start : start + columns]):
                left = MARGIN + place * width
                sheet.set_fill_color(*PALE)
                sheet.rect(left, top, width - 2, height - 2, style="F")
                self._at(left + 3, top + 2, value, 15, width - 8, bold=True, height=7)
                self._at(left + 3, top + 9.5, name, 8, width - 8, tone=GREY, height=4)
                if notes:
                    self._at(left + 3, top + 14.5, notes[start + place], 7.5, width - 8, tone=GREY, height=4)
            sheet.set_xy(MARGIN, top + height)

    def _at(
        self, left: float, top: float, text: str, size: float, width: float, *,
        height: float, bold: bool = False, tone: Sequence[int] = INK, align: str = "L",
    ) -> None:  # fmt: skip
        sheet, text = self._sheet, clean(text)
        sheet.set_text_color(*tone)
        # A long text becomes smaller rather than cut.
        while True:
            sheet.set_font(FAMILY, "B" if bold else "", size)
            if size <= 6 or sheet.get_string_width(text) <= width:
                break
            size -= 0.5
        sheet.set_xy(left, top)
        sheet.cell(width, height, text, align=align)

    def lines(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Add names and values, a line for each."""
        self._table((), pairs, (60, 114), "LL", bold_last=False)

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], *, align: str = "",
        bold_last: bool = False,
    ) -> None:  # fmt: skip
        """Add a table; its head stands on every page.

        `align` has a letter for each column, `L` or `R`; by default all but the first are at the right. `bold_last`
        marks the last row as the sum of those before it.
        """
        self._table(heads, rows, widths, align or "L" + "R" * (len(heads) - 1), bold_last=bold_last)

    def _table(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], align: str, *,
        bold_last: bool,
    ) -> None:  # fmt: skip
        sheet = self._sheet
        sheet.set_font(FAMILY, "", 9)
        sheet.set_text_color(*INK)
        sheet.set_draw_color(*RULE)
        sheet.set_fill_color(*PAPER)
        face = FontFace(emphasis="BOLD", fill_color=PALE)
        aligned = tuple({"L": "LEFT", "R": "RIGHT"}[letter] for letter in align)
        with sheet.table(
            col_widths=tuple(widths), text_align=aligned, headings_style=face, line_height=5.6,
            borders_layout="HORIZONTAL_LINES", first_row_as_headings=bool(heads),
        ) as table:  # fmt: skip
            for place, cells in enumerate((heads, *rows) if heads else rows):
                last = bold_last and place == len(rows)
                row = table.row(style=FontFace(emphasis="BOLD") if last else None)
                for text in cells:
                    row.cell(clean(text))
        sheet.ln(2)

    def pictures(self, rows: Sequence[Picture], alt: str, missing: str) -> None:
        """Add lines with pictures before them; `alt` says what they are, `missing` stands in the frame of one.

        A line without any has no frames and is lower.
        """
        sheet, wide = self._sheet, 24.0
        for row in rows:
            shown = row.pictures if any(one is not None for one in row.pictures) else ()
            tall = 16.0 if shown else 13.0
            if sheet.will_page_break(tall + 4):
                sheet.add_page()
            top = sheet.get_y() + 1.5
            for place, content in enumerate(shown):
                left = MARGIN + place * (wide + 1.5)
                sheet.set_fill_color(*PALE)
                sheet.rect(left, top, wide, tall, style="F")
                if content is None:
                    self._at(left, top + tall / 2 - 2, missing, 7.5, wide, height=4, tone=GREY, align="C")
                else:
                    sheet.image(
                        io.BytesIO(content),
                        left,
                        top,
                        wide,
                        tall,
                        keep_aspect_ratio=True,
                        alt_text=f"{alt} {row.title}",
                    )
            start = MARGIN + len(shown) * (wide + 1.5) + (3 if shown else 0)
            width, inner = sheet.w - MARGIN - start - 26, top + (2 if shown else 0)
            self._at(start, inner, row.title, 10, width, height=5, bold=True)
            sheet.set_xy(start, inner + 5.5)
            sheet.set_font(FAMILY, "", 9)
            sheet.set_text_color(*GREY)
            # Two lines at most: the rest is in the console.
            told = sheet.multi_cell(
                width, 4.4, clean(row.text), align="L", dry_run=True, output=MethodReturnValue.LINES
            )
            sheet.multi_cell(width, 4.4, "\n".join(cast("list[str]", told)[:2]), align="L")
            sheet.set_font(FAMILY, "", 9)
            sheet.set_text_color(*INK)
            sheet.set_xy(sheet.w - MARGIN - 26, top + 5)
            sheet.cell(26, 5, clean(row.figure), align="R")
            sheet.set_draw_color(*RULE)
            sheet.line(MARGIN, top + tall + 1.5, sheet.w - MARGIN, top + tall + 1.5)
            sheet.set_xy(MARGIN, top + tall + 2)

    def bars(
        self, rows: Sequence[tuple[str, Sequence[Part]]], legend: Sequence[tuple[str, str]], *, beside: bool = False
    ) -> None:
        """Add upright bars, a label below each as far as there is room; then what the tones mean.

        The parts of a bar are stacked, or stand `beside` each other.
        """
        sheet, height = self._sheet, 34.0
        if sheet.will_page_break(height + 14):
            sheet.add_page()
        base = sheet.get_y() + height + 2
        slot = (sheet.w - 2 * MARGIN) / max(len(rows), 1)
        tops = (max(sizes, default=0) if beside else sum(sizes) for sizes in _sizes(rows))
        most = max(tops, default=0) or 1
        every = max(1, -(-len(rows) // 11))
        for place, (label, parts) in enumerate(rows):
            left, below = MARGIN + place * slot + slot * 0.18, base
            for part in parts:
                tall = height * part.size / most
                sheet.set_fill_color(*TONES[part.tone])
                wide = slot * 0.64 / (len(parts) if beside else 1)
                sheet.rect(left, below - tall, wide, tall, style="F")
                left, below = (left + wide, below) if beside else (left, below - tall)
            if (len(rows) - 1 - place) % every == 0:
                self._at(MARGIN + place * slot - 4, base + 1, label, 7, slot + 8, height=4, tone=GREY, align="C")
        sheet.set_draw_color(*RULE)
        sheet.line(MARGIN, base, sheet.w - MARGIN, base)
        sheet.set_xy(MARGIN, base + 6)
        for word, tone in legend:
            sheet.set_fill_color(*TONES[tone])
            sheet.rect(sheet.get_x(), sheet.get_y() + 1, 2.6, 2.6, style="F")
            sheet.set_x(sheet.get_x() + 4)
            sheet.set_font(FAMILY, "", 8)
            sheet.set_text_color(*GREY)
            sheet.cell(sheet.get_string_width(word) + 6, 4.6, word)
        sheet.set_xy(MARGIN, base + 12)

    def bytes(self) -> bytes:
        """Return the finished file; the sheet is over then.

        It holds two fonts in circles of objects: left to the next round of the collector, a few papers one after
        another would be hundreds of megabytes.
        """
        made = bytes(self._sheet.output())
        del self._sheet
        gc.collect()
        return made


def _sizes(rows: Sequence[tuple[str, Sequence[Part]]]) -> list[list[float]]:
    return [[part.size for part in parts] for _label, parts in rows]
