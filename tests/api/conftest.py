"""Gives each operation that schemathesis tests an id of its own.

xdist runs one of those tests that share an id, and schemathesis names an operation beside it only:
without this, `make test` would try the first operation of 64.
"""

from __future__ import annotations

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put the operation into its id."""
    if isinstance(item, SchemathesisFunction):
        item._id = item._id.with_params(item.operation_label)
