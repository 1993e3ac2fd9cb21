"""OpenAI's own client, pointed at Attest."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest

from assistant.types import Answer
from tests.api.conftest import QUESTION, THAI, Served


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=served.v1, api_key="none", max_retries=0) as opened:
        yield opened


def answer_in(reply: Any) -> Answer:
    """The answer object that a reply carries beside OpenAI's own fields."""
    return Answer.model_validate(reply.model_extra["attest"])


def asks(question: str) -> list[Any]:
    return [{"role": "user", "content": question}]


def test_it_lists_its_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["attest", "attest-quotes", "attest-embedding"]  # none writes here
    assert client.models.retrieve("attest").id == "attest"


@pytest.mark.parametrize("question", [QUESTION, THAI, "Hội nghị Vienna diễn ra khi nào?"])
def test_a_chat_is_answered_with_the_whole_answer_object(client: openai.OpenAI, served: Served, question: str) -> None:
    reply = client.chat.completions.create(model="attest", messages=asks(question))
    answer = answer_in(reply)
    assert reply.choices[0].message.content == answer.text
    assert answer.question == question
    assert answer.answered
    for item in answer.evidence:
        assert served.library.text(item.document.id, item.start, item.end) == item.quote
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0


def test_a_stream_ends_with_the_same_answer_object(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="attest", messages=asks(QUESTION), stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    carrying = [chunk for chunk in chunks if "attest" in (chunk.model_extra or {})]
    assert len(carrying) == 1
    assert carrying[0].choices[0].finish_reason == "stop"
    assert text == answer_in(carrying[0]).text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len({chunk.id for chunk in chunks}) == 1


def test_annotations_stand_at_the_claims_that_they_belong_to(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="attest", messages=asks(THAI))
    answer, annotations = answer_in(reply), reply.choices[0].message.annotations or []
    spans = {(claim.start, claim.end): claim for claim in answer.claims}
    assert annotations
    for each in annotations:
        cited = each.url_citation
        assert answer.text[cited.start_index : cited.end_index] == spans[cited.start_index, cited.end_index].text


def test_what_the_documents_do_not_say_is_not_answered(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="attest", messages=asks(QUESTION), extra_body={"attest": {"filter": {"speakers": ["Nobody"]}}}
    )
    answer = answer_in(reply)
    assert not answer.answered
    assert reply.choices[0].message.content == answer.text
    assert not reply.choices[0].message.annotations


def test_earlier_messages_are_the_history(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="attest", messages=asks(QUESTION)).choices[0].message.content
    messages: list[Any] = [
        {"role": "system", "content": "You are a pirate."},
        *asks(QUESTION),
        {"role": "assistant", "content": first},
        {"role": "user", "content": [{"type": "text", "text": "And where?"}]},
    ]
    raw = client.chat.completions.with_raw_response.create(model="attest", messages=messages)
    answer = answer_in(raw.parse())
    assert answer.question == "And where?"
    assert "Vienna" in answer.standalone_question
    assert raw.headers["attest-ignored"] == "messages.system"


def test_what_means_nothing_here_is_accepted_and_named(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="attest", messages=asks(QUESTION), temperature=0.3, top_p=0.5, seed=7, user="lan", max_tokens=5
    )
    assert raw.headers["attest-ignored"] == "max_tokens, seed, temperature, top_p"
    assert answer_in(raw.parse()).answered
    plain = client.chat.completions.with_raw_response.create(model="attest", messages=asks(QUESTION))
    assert "attest-ignored" not in plain.headers


@pytest.mark.parametrize("stream", [False, True])
def test_the_text_ends_before_a_stop_sequence(client: openai.OpenAI, stream: bool) -> None:
    whole = client.chat.completions.create(model="attest", messages=asks(QUESTION)).choices[0].message.content or ""
    stop = whole[10:14]
    reply: Any = client.chat.completions.create(
        model="attest", messages=asks(QUESTION), stop=["never there", stop], stream=stream
    )
    if stream:
        chunks = list(reply)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        answer, reason = answer_in(chunks[-1]), chunks[-1].choices[0].finish_reason
    else:
        text, answer, reason = reply.choices[0].message.content, answer_in(reply), reply.choices[0].finish_reason
    assert (text, reason) == (whole[: whole.index(stop)], "stop")
    assert answer.text == whole


def test_choices_of_attest_s_own(client: openai.OpenAI) -> None:
    choices = {"max_quotes": 1, "answer_language": "vi", "filter": {"languages": ["en"]}}
    reply = client.chat.completions.create(model="attest", messages=asks(QUESTION), extra_body={"attest": choices})
    answer = answer_in(reply)
    assert answer.language == "vi"
    assert [item.language for item in answer.evidence] == ["en"]


def test_errors_are_openai_s(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-4o", messages=asks(QUESTION))
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as blank:
        client.chat.completions.create(model="attest", messages=asks(" \n"))
    assert blank.value.param == "messages"
    assert blank.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError, match="text alone"):
        client.chat.completions.create(
            model="attest",
            messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}],
        )
    with pytest.raises(openai.BadRequestError, match="20,000"):
        client.chat.completions.create(model="attest", messages=asks("why " * 6000), stream=True)
    with pytest.raises(openai.BadRequestError, match="published_from"):
        client.chat.completions.create(
            model="attest",
            messages=asks(QUESTION),
            extra_body={"attest": {"filter": {"published_from": "2023-13"}}},
        )


def test_a_response_has_citations_at_the_right_offsets(client: openai.OpenAI) -> None:
    reply = client.responses.create(model="attest", input=QUESTION)
    answer = answer_in(reply)
    assert reply.output_text == answer.text
    (part,) = [part for item in reply.output if item.type == "message" for part in item.content]
    assert part.type == "output_text"
    evidence = {item.key: item.document.id for item in answer.evidence}
    wanted = [
        (claim.start, claim.end, evidence[key]) for claim in answer.claims for key in claim.citations if claim.text
    ]
    found = []
    for each in part.annotations:
        assert each.type == "file_citation"
        extra = each.model_extra or {}
        assert each.index == extra["end_index"]
        found.append((extra["start_index"], extra["end_index"], each.file_id))
    assert found == wanted


def test_a_streamed_response_builds_up_to_the_whole_one(client: openai.OpenAI) -> None:
    with client.responses.stream(model="attest", input=THAI) as stream:
        events = list(stream)
        final = stream.get_final_response()
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    answer = answer_in(final)
    assert text == final.output_text == answer.text
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    (message,) = final.output
    assert message.type == "message"
    (part,) = message.content
    assert part.type == "output_text"
    added = [event for event in events if event.type == "response.output_text.annotation.added"]
    assert len(added) == len(part.annotations) > 0


def test_a_response_continues_another_one(client: openai.OpenAI) -> None:
    first = client.responses.create(model="attest", input=QUESTION, user="lan")
    second = client.responses.create(model="attest", input="And where?", previous_response_id=first.id, user="lan")
    assert "Vienna" in answer_in(second).standalone_question
    again = client.responses.retrieve(second.id, extra_query={"user": "lan"})
    assert again.output_text == second.output_text
    assert again.previous_response_id == first.id
    unkept = client.responses.create(model="attest", input=QUESTION, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unkept.id)


def test_input_items_are_messages(client: openai.OpenAI) -> None:
    raw = client.responses.with_raw_response.create(
        model="attest",
        instructions="Be brief.",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
            {"role": "assistant", "content": "In Vienna, in 1993."},
            {"role": "user", "content": "And where?"},
        ],
    )
    assert "Vienna" in answer_in(raw.parse()).standalone_question
    assert raw.headers["attest-ignored"] == "instructions"
    with pytest.raises(openai.BadRequestError) as wrong:
        client.responses.create(model="attest", input=[{"role": "wizard", "content": "?"}])  # type: ignore[list-item, misc]
    assert wrong.value.param == "input.0"


def test_embeddings_are_the_library_s_own(client: openai.OpenAI, served: Served) -> None:
    texts = [QUESTION, THAI, "👩‍👩‍👧‍👦"]
    reply = client.embeddings.create(model="attest-embedding", input=texts)  # the client asks for base64
    vectors = np.array([item.embedding for item in reply.data])
    np.testing.assert_allclose(vectors, served.library.embedder.embed_queries(texts), atol=1e-5)
    plain = client.embeddings.create(model="attest-embedding", input=texts[0], encoding_format="float")
    np.testing.assert_allclose(plain.data[0].embedding, vectors[0], atol=1e-5)
    passages = client.embeddings.create(
        model="attest-embedding", input=texts, extra_body={"input_type": "passage"}, encoding_format="base64"
    )
    raw: Any = passages.data[0].embedding
    decoded = np.frombuffer(base64.b64decode(raw), "<f4") if isinstance(raw, str) else np.array(raw)
    assert abs(float(np.linalg.norm(decoded)) - 1) < 1e-4


def test_embeddings_refuse_what_they_can_t_do(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="x")
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        client.embeddings.create(model="attest-embedding", input="x", dimensions=3)
    with pytest.raises(openai.BadRequestError, match="characters"):
        client.embeddings.create(model="attest-embedding", input="x" * 200_001)
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="attest-embedding", input=[[1, 2, 3]])
