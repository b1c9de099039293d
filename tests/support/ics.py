"""A strict reader of calendar files (RFC 5545), written apart from the library that makes them: it forgives nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

NAME = re.compile(r"[A-Z0-9-]+")
PARAMETER = re.compile(r';([A-Z-]+)=("[^"]*"|[^";:,]*)')
FORMS = {"DATE": r"\d{8}", "DATE-TIME": r"\d{8}T\d{6}Z?"}


@dataclass
class Part:
    """A component: its name, its properties as `(name, parameters, value)` and the components inside."""

    name: str
    properties: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def one(self, name: str) -> str:
        """Return the value of a property that must stand exactly once."""
        (value,) = [value for key, _parameters, value in self.properties if key == name]
        return value

    def parameters(self, name: str) -> dict[str, str]:
        (found,) = [parameters for key, parameters, _value in self.properties if key == name]
        return found

    def text(self, name: str) -> str:
        """Return a text without its escapes."""
        return re.sub(r"\\([\\;,nN])", lambda mark: "\n" if mark[1] in "nN" else mark[1], self.one(name))

    def named(self, name: str) -> list[Part]:
        return [part for part in self.parts if part.name == name]


def read(body: bytes) -> Part:
    """Return the calendar; raises AssertionError for anything that the standard does not allow."""
    assert body.endswith(b"\r\n")
    physical = body.removesuffix(b"\r\n").split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in physical)
    assert all(len(line) <= 75 for line in physical), max(physical, key=len)
    # A fold may stand between the bytes of a character only if they are joined before they are read.
    lines = body.removesuffix(b"\r\n").replace(b"\r\n ", b"").decode("utf-8").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    whole = Part("")
    open_parts = [whole]
    for line in lines:
        name, parameters, value = _property(line)
        if name == "BEGIN":
            open_parts.append(Part(value))
        elif name == "END":
            done = open_parts.pop()
            assert done.name == value
            open_parts[-1].parts.append(done)
        else:
            open_parts[-1].properties.append((name, parameters, value))
    assert len(open_parts) == 1
    (calendar,) = whole.parts
    _check(calendar)
    return calendar


def _property(line: str) -> tuple[str, dict[str, str], str]:
    name = NAME.match(line)
    assert name, line
    parameters, end = {}, name.end()
    while (found := PARAMETER.match(line, end)) is not None:
        parameters[found[1]] = found[2].strip('"')
        end = found.end()
    assert line[end] == ":", line
    value = line[end + 1 :]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value)
    return name[0], parameters, value


def _check(calendar: Part) -> None:
    assert calendar.one("VERSION") == "2.0"
    assert calendar.one("PRODID")
    zones = {zone.one("TZID") for zone in calendar.named("VTIMEZONE")}
    uids = [event.one("UID") for event in calendar.named("VEVENT")]
    assert len(uids) == len(set(uids)) > 0
    for event in calendar.named("VEVENT"):
        assert re.fullmatch(r"\d{8}T\d{6}Z", event.one("DTSTAMP"))
        for text in ("SUMMARY", "DESCRIPTION"):
            assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", event.one(text)), event.one(text)
        for name in ("DTSTART", "DTEND"):
            parameters, value = event.parameters(name), event.one(name)
            assert re.fullmatch(FORMS[parameters.get("VALUE", "DATE-TIME")], value)
            if "TZID" in parameters:
                assert parameters["TZID"] in zones
            elif "VALUE" not in parameters:
                assert value.endswith("Z"), "no hour floats"
        assert moment(event, "DTSTART") < moment(event, "DTEND")


def moment(event: Part, name: str) -> datetime:
    """Return a start or an end as it stands there, without its zone."""
    value = event.one(name).removesuffix("Z")
    return datetime.fromisoformat(value)
