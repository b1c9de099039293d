"""Papers as PDF with Korean type: headings, sentences, figures, tables and bars, page after page.

Only what is written is embedded of the font. The typefaces come from the package of the web fonts at set-up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

FONTS = Path(__file__).parents[1] / "static" / "vendor" / "fonts"
FAMILY = "Pretendard"
FACES = {"": FONTS / "Pretendard-Regular.ttf", "B": FONTS / "Pretendard-Bold.ttf"}
MARGIN, BOTTOM = 18.0, 20.0
INK, GREY, PALE, RULE = (28, 32, 38), (92, 99, 110), (243, 244, 246), (208, 212, 218)
PAPER = (255, 255, 255)
TONES = {"ok": (47, 125, 79), "soon": (183, 121, 31), "late": (192, 57, 43), "1": (44, 92, 158)}

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


class _Sheet(FPDF):
    """A4 with a foot on every page."""

    foot = ""

    def footer(self) -> None:
        """Write the foot of a page: what paper it is, and its number."""
        self.set_y(-13)
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*GREY)
        self.cell(0, 5, self.foot, align="L", new_x=XPos.LMARGIN)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")


class Paper:
    """A paper under way: what is added stands below what was there. `bytes()` ends it.

    Raises FontsMissing where the set-up has not run.
    """

    def __init__(self, title: str, *, foot: str, locale: str, made_at: datetime) -> None:
        missing = [path.name for path in FACES.values() if not path.is_file()]
        if missing:
            raise FontsMissing(f"{', '.join(missing)} is missing: run `make setup`")
        sheet = _Sheet(orientation="P", unit="mm", format="A4")
        for style, path in FACES.items():
            sheet.add_font(FAMILY, style, path)
        sheet.foot = foot
        sheet.set_margins(MARGIN, MARGIN, MARGIN)
        sheet.set_auto_page_break(auto=True, margin=BOTTOM)
        sheet.set_title(title)
        sheet.set_lang(locale)
        sheet.set_creation_date(made_at)
        sheet.set_producer("KA Facility OS")
        sheet.add_page()
        self._sheet = sheet
        self._text(title, 18, bold=True, height=9)

    def _text(self, text: str, size: float, *, bold: bool = False, height: float, tone: Sequence[int] = INK) -> None:
        sheet = self._sheet
        sheet.set_font(FAMILY, "B" if bold else "", size)
        sheet.set_text_color(*tone)
        sheet.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def lead(self, text: str) -> None:
        """Add the sentence under the title: the answer."""
        self._text(text, 11, height=6)

    def note(self, text: str) -> None:
        """Add a small grey sentence."""
        self._text(text, 8.5, height=4.6, tone=GREY)

    def line(self, text: str) -> None:
        """Add an entry of 10 pt with a step of 14 pt to the next; a longer one goes on below."""
        self._text(text, 10, height=4.94)

    def heading(self, text: str) -> None:
        """Add the heading of a section; it does not stand alone at the foot of a page."""
        sheet = self._sheet
        if sheet.will_page_break(30):
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
            sheet.multi_cell(0, 5.6, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def figures(self, pairs: Sequence[tuple[str, str]], columns: int = 4) -> None:
        """Add large figures with their names below, so many beside each other."""
        sheet = self._sheet
        width, height = (sheet.w - 2 * MARGIN) / columns, 18.0
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
            sheet.set_xy(MARGIN, top + height)

    def _at(
        self, left: float, top: float, text: str, size: float, width: float, *,
        height: float, bold: bool = False, tone: Sequence[int] = INK,
    ) -> None:  # fmt: skip
        sheet = self._sheet
        sheet.set_text_color(*tone)
        # A long text becomes smaller rather than cut.
        while True:
            sheet.set_font(FAMILY, "B" if bold else "", size)
            if size <= 6 or sheet.get_string_width(text) <= width:
                break
            size -= 0.5
        sheet.set_xy(left, top)
        sheet.cell(width, height, text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """Add a table; its head stands on every page. The first column is at the left, the others at the right."""
        sheet = self._sheet
        sheet.set_font(FAMILY, "", 9)
        sheet.set_text_color(*INK)
        sheet.set_draw_color(*RULE)
        sheet.set_fill_color(*PAPER)
        face = FontFace(emphasis="BOLD", fill_color=PALE)
        aligned = ("LEFT", *["RIGHT"] * (len(heads) - 1))
        with sheet.table(
            col_widths=tuple(widths), text_align=aligned, headings_style=face, line_height=5.6,
            borders_layout="HORIZONTAL_LINES", first_row_as_headings=True,
        ) as table:  # fmt: skip
            for cells in (heads, *rows):
                row = table.row()
                for text in cells:
                    row.cell(text)
        sheet.ln(2)

    def bars(self, rows: Sequence[tuple[str, Sequence[Part]]], legend: Sequence[tuple[str, str]]) -> None:
        """Add upright bars of stacked parts, a label below each as far as there is room; then what the tones mean."""
        sheet, height = self._sheet, 34.0
        if sheet.will_page_break(height + 14):
            sheet.add_page()
        base = sheet.get_y() + height + 2
        slot = (sheet.w - 2 * MARGIN) / max(len(rows), 1)
        most = max((sum(part.size for part in parts) for _label, parts in rows), default=0) or 1
        every = max(1, -(-len(rows) // 11))
        for place, (label, parts) in enumerate(rows):
            left, below = MARGIN + place * slot + slot * 0.18, base
            for part in parts:
                tall = height * part.size / most
                sheet.set_fill_color(*TONES[part.tone])
                sheet.rect(left, below - tall, slot * 0.64, tall, style="F")
                below -= tall
            if (len(rows) - 1 - place) % every == 0:
                self._at(MARGIN + place * slot - 4, base + 1, label, 7, slot + 8, height=4, tone=GREY)
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
        """Return the finished file."""
        return bytes(self._sheet.output())
