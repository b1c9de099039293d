"""Blueprints of the JSON API that describe themselves when somebody asks for the OpenAPI document, not at the start."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.types import ParametersTuple


class ApiBlueprint(APIBlueprint):
    """An APIBlueprint that knows its routes at once and their descriptions after `describe`.

    The schemas of all inputs and answers take longer to build than a page takes to draw, and few ever ask for them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._undescribed: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def _collect_openapi_info(self, rule: str, func: Callable[..., Any], **options: Any) -> ParametersTuple:
        self._undescribed.append((rule, func, options))
        return super()._collect_openapi_info(rule, func, doc_ui=False)

    def describe(self) -> None:
        """Describe the routes that were added since the last time."""
        waiting, self._undescribed = self._undescribed, []
        for rule, func, options in waiting:
            super()._collect_openapi_info(rule, func, **options)


class DescribedLater(OpenAPI):
    """An application whose OpenAPI document is built when it is asked for the first time."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._apis: list[ApiBlueprint] = []

    def register_api(self, api: APIBlueprint, **options: Any) -> None:
        """Register a blueprint; what it says of itself is asked for later."""
        super().register_api(api, **options)
        if isinstance(api, ApiBlueprint):
            self._apis.append(api)

    def generate_spec_json(self) -> None:
        """Build the document from what all blueprints say of themselves."""
        # The blueprints are shared by all applications of a process.
        with _describing:
            for api in self._apis:
                api.describe()
                self.tags += [tag for tag in api.tags if tag.name not in self.tag_names]
                self.tag_names += [tag.name for tag in api.tags if tag.name not in self.tag_names]
                self.paths.update(api.paths)
                self.components_schemas.update(api.components_schemas)
            super().generate_spec_json()


_describing = Lock()
