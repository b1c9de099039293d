"""Names that the tests of the board share, and what they read from its answers."""

import csv
import io
import json
import re

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def shown(response):
    """The numbers of the items in an answer, in their order."""
    found = re.findall(r"GR-(\d{3})</span>", response.text)
    return [int(number) for number in dict.fromkeys(found)]


def heard(response):
    return json.loads(response.headers.get("HX-Trigger", "{}"))


def csv_of(answer):
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))
