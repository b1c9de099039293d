"""The policies of the weeks W09 to W15 for automation (API contract, policy APIs): the same routes for each."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag
from pydantic import RootModel

from console.inputs.policies import PolicyOut, RevisionOut
from console.inputs.programme_policies import WeekPolicyIn, WeekPolicyPut, WeekPolicyQuery
from console.services.policies.kinds import PolicyView, envelope
from console.services.programme import policies
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

api = ApiBlueprint(
    "programme_policies_api",
    __name__,
    abp_tags=[Tag(name="programme policies", description="Thresholds of the weeks: of a site, of all, or built in")],
)


class WeekRevisionList(RootModel[list[RevisionOut]]):
    """Changes of a policy, newest first."""


def _answered(found: PolicyView) -> Response:
    return answer(envelope(found), PolicyOut, headers={"ETag": found.etag})


def _mount(code: str) -> None:
    kind = policies.KINDS[code]
    assert kind.adoption is not None
    path, name = kind.adoption.endpoint, f"{code}_policy"

    @access(*kind.read)
    def get(query: WeekPolicyQuery) -> Response:
        """Return the policy that counts, and where it comes from; nothing is stored."""
        return _answered(policies.view(web_context(), code, query.site))

    @access(*kind.write)
    def put(query: WeekPolicyPut, body: WeekPolicyIn) -> Response:
        """Change any part of the policy of a site, or of the global one; with `If-Match` only that revision (412)."""
        made = policies.put(web_context(), code, body.root, site=query.site, if_match=if_match(), reason=query.reason)
        return _answered(made)

    @access(*kind.write)
    def delete(query: WeekPolicyPut) -> Response:
        """Take a site's own values away: it inherits again; 404 where it has none."""
        return _answered(policies.remove(web_context(), code, site=query.site, reason=query.reason))

    @access(*kind.read)
    def revisions(query: WeekPolicyQuery) -> Response:
        """Return who changed what of the policy, newest first."""
        return answer(list(policies.revisions(web_context(), code, query.site)), RevisionOut)

    for method, view in ((api.get, get), (api.put, put), (api.delete, delete)):
        view.__name__ = f"{view.__name__}_{name}"
        method(path, responses={200: PolicyOut})(view)
    revisions.__name__ = f"{name}_revisions"
    api.get(f"{path}/revisions", responses={200: WeekRevisionList})(revisions)


for _code in policies.KINDS:
    _mount(_code)
