"""What people leave behind: ended sessions, tokens that no longer work but are switched on, keys of sent forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, delete, func, not_, or_, select

from console.core.context import Context
from console.domain.identity import tokens
from console.models.identity import Token, User, WebSession
from console.services.common import sent_forms
from console.services.identity.callers import disable, facts_of, live_token, session_policy, token_policy

TOKENS_AT_ONCE = 500


@dataclass(frozen=True)
class CleanUp:
    """What was (or, in a dry run, would be) cleaned up."""

    sessions_deleted: int
    tokens_disabled: int
    token_ids: tuple[int, ...]
    keep_days: int
    dry_run: bool
    forms_deleted: int = 0


def clean_up(ctx: Context, *, keep_days: int = 30, dry_run: bool = False) -> CleanUp:
    """Delete browser sessions that ended more than `keep_days` ago and switch off tokens past one of their dates.

    Tokens are judged again when they are presented; doing it here as well keeps lists and figures true. At most
    500 tokens a run. One-time keys of forms go when they expire. A dry run reports the same and changes nothing.
    """
    now, policy = ctx.now(), session_policy(ctx.config)
    limit = now - timedelta(days=keep_days)
    ended = or_(
        WebSession.expires_at < limit, WebSession.revoked_at < limit, WebSession.last_seen_at < limit - policy.idle
    )
    if dry_run:
        sessions = ctx.session.scalar(select(func.count(WebSession.id)).where(ended)) or 0
    else:
        sessions = len(ctx.session.scalars(delete(WebSession).where(ended).returning(WebSession.id)).all())
    rules = token_policy(ctx.config)
    lapsed = ctx.session.execute(
        select(Token, User.is_active)
        .join(User, User.id == Token.user_id)
        .where(Token.is_active, not_(and_(*live_token(ctx.config, now))))
        .order_by(Token.id)
        .limit(TOKENS_AT_ONCE)
    ).all()
    switched = []
    for token, user_is_active in lapsed:
        reason = tokens.judge(facts_of(token, user_is_active=user_is_active), rules, now)
        if reason is None:
            continue
        switched.append(token.id)
        if not dry_run:
            disable(ctx, token.id, reason)
    forms = sent_forms.clean_up(ctx, dry_run=dry_run)
    return CleanUp(sessions, len(switched), tuple(switched), keep_days, dry_run, forms)
