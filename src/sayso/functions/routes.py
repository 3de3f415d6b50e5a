"""The REST API of external functions (contract §2.6)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Path

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.bodies import EXTENSION
from sayso.config import Settings
from sayso.functions.schema import (
    DeletedFunction,
    FunctionChanges,
    FunctionView,
    NewFunction,
    NewTrial,
    TrialView,
)
from sayso.functions.service import Functions

_ID = Path(alias="functionId", description="The function's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)


def function_routes(functions: Functions, access: Access, settings: Settings) -> APIRouter:
    """The routes below `/api/v1/external-functions`."""
    router = APIRouter(prefix="/external-functions", tags=["external functions"])
    anybody = access.account()
    trier = access.account("try function", settings.try_function_per_min)

    @router.post("", status_code=201, summary="Create an external function")
    async def create_function(
        body: NewFunction, account: Account = Depends(anybody)
    ) -> FunctionView:
        """Its endpoint is not called. An agent may call it once it has it among its `actions`."""
        return await functions.create(account, body)

    @router.get("", summary="List your external functions, newest first")
    async def list_functions(account: Account = Depends(anybody)) -> list[FunctionView]:
        """All of them; there are no pages."""
        return await functions.read_all(account)

    @router.get("/{functionId}", summary="Read an external function")
    async def get_function(
        function_id: str = _ID, account: Account = Depends(anybody)
    ) -> FunctionView:
        """Fixed values are masked."""
        return await functions.get(account, function_id)

    @router.patch("/{functionId}", summary="Change an external function")
    async def update_function(
        body: FunctionChanges, function_id: str = _ID, account: Account = Depends(anybody)
    ) -> FunctionView:
        """Only the keys sent change; `parameters` change as a whole, a mask keeps its value."""
        return await functions.update(account, function_id, body)

    @router.delete("/{functionId}", summary="Delete an external function")
    async def delete_function(
        function_id: str = _ID, account: Account = Depends(anybody)
    ) -> DeletedFunction:
        """It is taken out of the `actions` of all your agents; the answer names them."""
        return await functions.delete(account, function_id)

    @router.post(
        "/{functionId}/try", summary="Call an external function now", openapi_extra=_EXTENSION
    )
    async def try_function(
        body: NewTrial, function_id: str = _ID, account: Account = Depends(trier)
    ) -> TrialView:
        """The endpoint is called for real; a call that fails is answered with 200 as well."""
        return await functions.try_out(account, function_id, body)

    return router
