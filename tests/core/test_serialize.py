import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from console.core.serialize import BOM, CsvColumn, cell, columns_of, csv_text, to_json
from console.domain.text import T
from console.inputs.base import BodyModel, Instant, InstantIn, OutModel


@dataclass(frozen=True)
class Row:
    name: str
    at: datetime
    count: int | None = None


class RowOut(OutModel):
    at: Instant
    name: str


class When(BodyModel):
    at: InstantIn
    flag: bool = False
    size: float = 0


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_json_has_the_keys_of_the_model_in_its_order_and_one_form_of_time():
    assert to_json([Row("본관", NOON)], RowOut) == '[{"at":"2026-03-02T12:00:00.000000+00:00","name":"본관"}]'


def test_json_without_a_model_knows_dataclasses_texts_and_times():
    data = {"row": Row("a", NOON.astimezone(timezone(timedelta(hours=9)))), "text": T("%(n)s late", n=3)}

    assert json.loads(to_json(data)) == {
        "row": {"name": "a", "at": "2026-03-02T12:00:00.000000+00:00", "count": None},
        "text": "3 late",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_never_holds_numbers_that_are_none(value):
    with pytest.raises(ValueError, match="JSON"):
        to_json({"value": value})


@given(st.text())
def test_no_csv_text_is_run_as_a_formula_and_nothing_is_lost(text):
    written = cell(text)

    assert not written.startswith(tuple("=+-@＝＋－＠\t\r\n"))
    assert written in (text, f"'{text}")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "True"),
        (-3, "-3"),
        (1.5, "1.5"),
        ("-3", "'-3"),
        ("＝1+1", "'＝1+1"),
        ({"a": "값"}, '{"a": "값"}'),
        (NOON, "2026-03-02T12:00:00.000000+00:00"),
    ],
)
def test_csv_cells(value, written):
    assert cell(value) == written


def test_csv_has_crlf_and_a_bom_only_when_asked():
    columns = (*columns_of("name"), CsvColumn("twice", lambda row: (row.count or 0) * 2))
    text = csv_text(columns, [Row('a,"b"', NOON, 2)], bom=True)

    assert text == f'{BOM}name,twice\r\n"a,""b""",4\r\n'
    assert csv_text(columns, []) == "name,twice\r\n"


def test_long_exports_are_written_in_pieces_without_losing_rows():
    rows = [Row(str(number), NOON) for number in range(1201)]

    assert len(list(csv.reader(io.StringIO(csv_text(columns_of("name"), rows))))) == 1202


@pytest.mark.parametrize(
    "value", [0, "0", "yesterday", "2026-13-01T00:00:00", True, None, [], "0001-01-01T00:00:00+23:59"]
)
def test_instants_come_as_iso_texts_only(value):
    with pytest.raises(ValidationError):
        When.model_validate({"at": value})


def test_instants_without_zone_are_utc():
    assert When.model_validate({"at": "2026-03-02T12:00:00"}).at == NOON
    assert When.model_validate({"at": "2026-03-02T21:00:00+09:00"}).at == NOON


@pytest.mark.parametrize(
    "body", [{"flag": "true"}, {"flag": 1}, {"size": "1"}, {"size": float("nan")}, {"size": float("inf")}]
)
def test_bodies_take_booleans_and_numbers_as_such_only(body):
    with pytest.raises(ValidationError):
        When.model_validate({"at": "2026-03-02T12:00:00Z", **body})
