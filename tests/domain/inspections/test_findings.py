"""What a finding becomes as a work order, and what counts as a signature."""

from __future__ import annotations

import pytest

from console.domain.inspections.findings import MOST_TITLE, facts_of, priority_of, title_of
from console.domain.inspections.points import Limits
from console.domain.inspections.signature import MOST_LENGTH, is_drawing


def test_a_verdict_gives_the_priority():
    assert [priority_of(word) for word in ("danger", "warning", "normal", "recorded")] == [
        "critical",
        "high",
        "medium",
        "medium",
    ]


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (("TR-02", "절연저항 R–E", 0.4, "", "MΩ"), "절연저항 R–E 0.4 MΩ (TR-02)"),
        (("", "누수", None, "있음", ""), "누수 있음"),
        (("", "압력", 0.0, "", ""), "압력 0"),
    ],
)
def test_a_title_says_what_was_found_and_where(given, title):
    assert title_of(*given) == title


def test_a_title_never_grows_beyond_its_column():
    assert len(title_of("가" * 120, "나" * 200, 1.0, "", "MΩ")) <= MOST_TITLE
    assert len(title_of("가" * 300, "나" * 200, 1.0, "", "MΩ")) <= MOST_TITLE


def test_facts_are_signs_that_every_reader_knows():
    assert facts_of(Limits(danger_low=1), 0.4, "MΩ", 12.4) == "12.4 → 0.4 MΩ ≤ 1 MΩ"
    assert facts_of(Limits(warn_high=60, danger_high=80), 61, "°C", None) == "61 °C ≥ 60 °C"
    assert facts_of(Limits(), 5, "", None) == "5"
    assert facts_of(Limits(), None, "", None) == ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("M1 2L3 4", True),
        ("M1 2L3 4M5 6L7 8", True),
        ("M320 96L0 0", True),
        ("", False),
        ("M1 2", False),
        ("M321 1L1 1", False),
        ("M1 97L1 1", False),
        ("M1 2L3 4<script>", False),
        ("M1 2L-3 4", False),
        ("M1 2L٣ 4", False),
        ("M1 2" + "L3 4" * MOST_LENGTH, False),
    ],
)
def test_a_signature_is_strokes_inside_its_box(text, right):
    assert is_drawing(text) is right
