"""``/v1/embeddings``: compute vectors with the library's own embedding model."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from assistant.server.api.openai.errors import OpenAIRoute, ParameterError, unknown_model
from assistant.server.api.openai.messages import ignored_parameters
from assistant.server.api.openai.models import EMBEDDING
from assistant.server.api.openai.replies import ERRORS, EmbeddingList, ignored_header
from assistant.server.auth.route_guard import require
from assistant.server.dependencies import Caller
from assistant.server.services import Services
from store.embedding import FloatArray
from store.embedding.embedder import Embedder, PassageText
from store.errors import RequestError

MOST_TEXTS = 256
MOST_CHARACTERS = 200_000
"""For all texts of a request together."""
_UNDERSTOOD = frozenset({"model", "input", "encoding_format", "dimensions", "input_type"})

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_TEXTS)]


class EmbeddingRequest(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="allow")

    model: str
    input: Text | Texts
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None
    """Only the model's own number is accepted."""
    input_type: Literal["query", "passage"] = "query"
    """The kind of texts: questions, which is also right for comparing texts with each other, or passages to find."""


def embeddings_router(services: Services) -> APIRouter:
    """Return the route ``/v1/embeddings``."""
    router = APIRouter(route_class=OpenAIRoute, dependencies=[require("ask")])

    @router.post("/embeddings", response_model=EmbeddingList, responses=ERRORS)
    async def embed(body: EmbeddingRequest, caller: Caller) -> Response:
        """Embed texts: unit-length vectors, in the order of the texts."""
        if body.model != EMBEDDING:
            raise unknown_model(body.model)
        texts = (body.input,) if isinstance(body.input, str) else body.input
        if sum(map(len, texts)) > MOST_CHARACTERS:
            raise ParameterError(
                "input",
                RequestError(
                    "The texts have more than {most} characters: send fewer at once.",
                    code="texts_long",
                    most=f"{MOST_CHARACTERS:,}",
                ),
            )
        embedder = services.assistant.library.embedder
        if body.dimensions not in (None, embedder.dimensions):
            raise ParameterError(
                "dimensions",
                RequestError(
                    "This model's vectors have {dimensions} dimensions.",
                    code="dimensions",
                    dimensions=embedder.dimensions,
                ),
            )
        vectors, tokens = await run_in_threadpool(_embedded, embedder, texts, as_queries=body.input_type == "query")
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, body.encoding_format)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        headers = ignored_header(ignored_parameters(body, _UNDERSTOOD))
        return JSONResponse({"object": "list", "model": EMBEDDING, "data": data, "usage": usage}, headers=headers)

    return router


def _embedded(embedder: Embedder, texts: tuple[str, ...], *, as_queries: bool) -> tuple[FloatArray, int]:
    """Return vectors of shape (texts, dimensions), and the number of tokens."""
    tokens = sum(map(embedder.count_tokens, texts))
    if as_queries:
        return embedder.embed_queries(texts), tokens
    return np.stack([made.passage for made in embedder.embed_passages([PassageText(text) for text in texts])]), tokens


def _encoded(vector: FloatArray, encoding: str | None) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
    return [float(value) for value in vector]
