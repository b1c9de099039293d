"""The one assertion about the shape of a policy answer; every policy of the console is held to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def assert_policy_shape(
    answer: Mapping[str, Any],
    *,
    key: str,
    scope: str | None = None,
    site: str | None = None,
    fields: tuple[str, ...] | None = None,
    phase: str | None = None,
    policy_kind: str | None = None,
    endpoint: str | None = None,
) -> None:
    """Assert the published envelope.

    `key` is the whole key of a global policy and the prefix of one that sites have. `scope` is the family name of a
    global policy; `phase`, `policy_kind` and `endpoint` are those of an adoption policy.
    """
    meta = answer["meta"]
    applies_to = site or "global"
    expected = {
        "version": "v1",
        "scope": scope or ("site" if site else "global"),
        "applies_to": applies_to,
        "policy_key": answer["policy_key"],
        "updated_at": answer["updated_at"],
    }
    assert {name: meta[name] for name in expected} == expected
    assert answer["policy_key"].startswith(key)
    assert isinstance(meta["revision"], int)
    assert meta["revision"] >= 0
    assert answer["updated_at"].endswith("+00:00")
    assert datetime.fromisoformat(answer["updated_at"]).utcoffset() is not None
    assert isinstance(answer["policy"], dict)
    assert isinstance(answer["warnings"], list)
    assert answer["source"] in {"site", "global", "built_in"}
    if fields is not None:
        assert tuple(answer["policy"])[: len(fields)] == fields
    if phase is not None:
        scope_type = "site" if site else "global"
        assert (answer["version"], answer["site"], answer["applies_to"]) == ("v1", site, applies_to)
        assert answer["scope"] == {"type": scope_type, "site": site, "policy_key": answer["policy_key"]}
        adoption = {
            "schema": "adoption_policy_response",
            "schema_version": "v1",
            "phase": phase,
            "policy_kind": policy_kind,
            "endpoint": endpoint,
            "scope_type": scope_type,
        }
        assert {name: meta[name] for name in adoption} == adoption
