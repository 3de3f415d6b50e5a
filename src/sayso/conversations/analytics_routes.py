"""Analytics by REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, Query

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.clock import Clock
from sayso.conversations.analytics import MAX_DAYS, MAX_HOURLY_DAYS, Analytics
from sayso.conversations.analytics_schema import AnalyticsView, Bucket, Span
from sayso.conversations.schema import QueryTime, in_utc

USUAL_DAYS = 7
"""What is counted where nobody says how much, in days up to now."""

_EXTENSION: dict[str, Any] = {"x-sayso-extension": True}


def analytics_routes(analytics: Analytics, access: Access, clock: Clock) -> APIRouter:
    """The route `/api/v1/analytics`."""
    router = APIRouter(tags=["conversations"])
    anybody = access.account()

    @router.get("/analytics", summary="Count your conversations", openapi_extra=_EXTENSION)
    async def get_analytics(
        agent_id: str | None = Query(None, alias="agentId", description="Only of this agent."),
        since: QueryTime | None = Query(
            None, alias="from", description=f"Default: {USUAL_DAYS} days before `to`."
        ),
        before: QueryTime | None = Query(None, alias="to", description="Default: now."),
        bucket: Bucket = Query(
            "day",
            description=f"Up to {MAX_DAYS} days by the day, {MAX_HOURLY_DAYS} by the hour; UTC.",
        ),
        account: Account = Depends(anybody),
    ) -> AnalyticsView:
        """How many, how long, how quick, how often they failed and whose fault that was."""
        until = in_utc(before, "to") or clock.utc()
        begin = in_utc(since, "from") or until - timedelta(days=USUAL_DAYS)
        return await analytics.count(account, Span(begin, until, bucket, agent_id))

    return router
