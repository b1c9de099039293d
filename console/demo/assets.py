"""What the demo company looks after: the same kinds of assets at its four sites, some of them part of others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

from console.demo.automation import Stage, Step
from console.demo.company import MANAGER, SITES
from console.domain.assets.requests import AssetChange, NewAsset
from console.services.assets import change, lists

# Code, name, kind, place, serial number, year in which it was set up, what it is part of.
EVERYWHERE = (
    ("VC-01", "특고압 수전반", "수배전반", "변전실", "LS-VC{n}301", 2014, ""),
    ("TR-01", "변압기 1호", "변압기", "변전실", "HD-TR{n}115", 2014, "VC-01"),
    ("TR-02", "변압기 2호", "변압기", "변전실", "HD-TR{n}116", 2014, "VC-01"),
    ("GE-01", "비상발전기", "발전기", "발전기실", "DS-GE{n}090", 2016, ""),
    ("PU-01", "급수 펌프 1호", "펌프", "지하 2층 기계실", "WL-PU{n}221", 2019, ""),
    ("PU-02", "배수 펌프", "펌프", "지하 2층 펌프실", "WL-PU{n}222", 2019, ""),
    ("FP-01", "화재 수신기", "소방", "방재실", "SB-FP{n}010", 2018, ""),
    ("FP-02", "소화전 펌프", "소방", "지하 1층", "SB-FP{n}011", 2018, "FP-01"),
    ("EL-01", "승강기 1호", "승강기", "승강기 기계실", "HE-EL{n}501", 2012, ""),
    ("EL-02", "승강기 2호", "승강기", "승강기 기계실", "HE-EL{n}502", 2012, ""),
)
# The site whose old fan was taken away.
GONE = ("AH-00", "옥상 배기팬 (구형)", "공조", "옥상", "")


class Assets:
    """The chapter of what there is."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happened, in no order."""
        for number, site in enumerate(SITES, start=1):
            yield Step(self._stage.day(90, 9, number), partial(self._list, site, number))
        yield Step(self._stage.day(30, 15), self._retire)

    def _list(self, site: str, number: int) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            known: dict[str, int] = {}
            for code, name, kind, place, serial, year, part_of in EVERYWHERE:
                new = NewAsset(
                    site=site,
                    code=code,
                    name=name,
                    kind=kind,
                    place=place,
                    serial=serial.format(n=number),
                    installed_on=date(year, number * 2, 15),
                    parent_id=known.get(part_of),
                )
                known[code] = change.create(ctx, new).id
            if site == SITES[3]:
                change.create(ctx, NewAsset(site, *GONE))

    def _retire(self) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            found = lists.id_of(ctx, SITES[3], GONE[0])
            assert found is not None
            change.change(ctx, found, AssetChange(is_active=False))
