"""An agent's `knowledge` field: the owner's own retrieval server, as it is sent and answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from sayso.agents.fields import SECRET_VALUES, ApiKey, Headers, ServerUrl, check_headers
from sayso.bodies import Body, ToWhole, View
from sayso.security.masks import MASK

MAX_TOP_K = 20
SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS = 50, 5000
MAX_KNOWLEDGE_ID_CHARS = 250


class Knowledge(Body):
    """Your own retrieval server, asked before each answer."""

    closed = True
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    base_url: ServerUrl = Field(
        description="`/retrieval` is added to it. Values in its query are sealed, shown and kept "
        "as headers are.",
        examples=["https://search.example.com"],
    )
    api_key: ApiKey | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), ToWhole] = Field(
        default=4, description="The most records that are asked for."
    )
    timeout_ms: Annotated[int, Field(ge=SHORTEST_TIMEOUT_MS, le=LONGEST_TIMEOUT_MS), ToWhole] = (
        Field(
            default=1000,
            description="How long a caller waits for it; at most `SAYSO_OWN_RETRIEVAL_TIMEOUT_S`.",
        )
    )
    headers: Annotated[Headers | None, AfterValidator(check_headers)] = Field(
        default=None,
        description="Sent with each request. A value may hold `{{variables}}`. " + SECRET_VALUES,
    )
    knowledge_id: Annotated[str, Field(min_length=1, max_length=MAX_KNOWLEDGE_ID_CHARS)] | None = (
        Field(default=None, description="Which of your collections is meant; null: the agent's id.")
    )


class KnowledgeView(View):
    """An agent's `knowledge` as it is answered, its secrets masked."""

    base_url: str
    api_key: str | None = Field(examples=[f"{MASK}abcd"])
    top_k: int
    timeout_ms: int
    headers: dict[str, str | None] | None
    knowledge_id: str | None
