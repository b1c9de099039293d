"""Records: columns, exports, answers and words from one declaration."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Annotated

from sqlalchemy import column

from console.core.records import (
    INTERNAL,
    Edited,
    Fact,
    columns_of,
    csv_of,
    edited_of,
    history_of,
    published,
    view_of,
)
from console.inputs.response_models import joined, shape

AT = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Pump:
    """A pump."""

    name: Annotated[str, Fact("Name", sort=True, history=True)]
    cost: Annotated[
        int | None, Fact("Cost", numeric=True, shown=False, history="Price", edited=Edited("cost", "set it"))
    ]
    secret: Annotated[str, INTERNAL]
    seen_at: Annotated[datetime, Fact("Seen", sort=column("seen"), key="seen")]
    version: int = 1

    @property
    def is_dear(self) -> Annotated[bool, Fact("Dear", before="seen_at")]:
        return (self.cost or 0) > 10

    @property
    def shout(self) -> Annotated[str, Fact("Shout")]:
        return self.name.upper()


TABLE = SimpleNamespace(name=column("name"))
PUMP = Pump("one", 20, "hidden", AT)


def test_answers_and_exports_have_the_published_fields_in_their_order():
    names = ["name", "cost", "is_dear", "seen_at", "version"]
    assert [one.name for one in published(Pump)] == names
    assert [one.header for one in csv_of(Pump)] == names
    assert list(shape(Pump).model_fields) == names
    assert [one.value(PUMP) for one in csv_of(Pump, "is_dear", "secret")] == [True, "hidden"]


def test_a_property_that_says_no_place_is_a_column_and_nothing_else():
    assert [one.key for one in columns_of(Pump, TABLE, "shout")] == ["shout"]
    assert "shout" not in shape(Pump).model_fields


def test_columns_know_label_order_format_and_value():
    name, cost, seen = columns_of(Pump, TABLE, "name", "cost", "seen", cost=column("price"))
    assert (name.label, name.sort is TABLE.name, name.shown, name.format) == ("Name", True, True, "")
    assert (cost.numeric, cost.shown, cost.format, str(cost.sort)) == (True, False, "number", "price")
    assert (seen.key, seen.format, str(seen.sort), seen.value(PUMP)) == ("seen", "time", "seen", AT)


def test_the_history_calls_a_field_by_its_own_word_or_by_its_label():
    assert dict(history_of(Pump)) == {"name": "Name", "cost": "Price"}
    assert {name: one.event for name, one in edited_of(Pump).items()} == {"cost": "cost"}


def test_a_row_is_read_by_the_names_of_its_fields():
    stored = SimpleNamespace(name="two", cost=None, secret="s", seen=AT, version=3)
    assert view_of(Pump, stored, seen_at=stored.seen) == Pump("two", None, "s", AT, 3)


def test_an_answer_may_have_all_fields_or_further_ones():
    assert "secret" in shape(Pump, "WholePump", whole=True).model_fields
    made = joined(shape(Pump, "ToldPump", told=bool), PUMP, told=True)
    assert made.model_dump(include={"name", "is_dear", "told"}) == {"name": "one", "is_dear": True, "told": True}
