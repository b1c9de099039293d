"""Answers of the addresses that need no sign-in."""

from __future__ import annotations

from pydantic import RootModel

from console.inputs.base import OutModel


class HealthOut(OutModel):
    """The process answers."""

    status: str


class MetaOut(OutModel):
    """Where it runs."""

    env: str
    db: str


class ReadyChecks(OutModel):
    """Each part: ok, away, full, locked, read_only, behind, ahead or absent."""

    database: str
    migrations: str
    redis: str


class ReadyOut(OutModel):
    """Whether requests can be served."""

    status: str
    checks: ReadyChecks


class ServiceInfoOut(RootModel[dict[str, str]]):
    """Key to address."""


class ModuleLink(OutModel):
    """A link of a module."""

    label: str
    href: str


class ModuleOut(OutModel):
    """A module of the product."""

    id: str
    name: str
    name_ko: str
    description: str
    kpi_hint: str
    links: list[ModuleLink]


class ModulesOut(OutModel):
    """The public list of modules."""

    title: str
    published_on: str
    public: bool
    main_page: str
    console_html: str
    modules: list[ModuleOut]
