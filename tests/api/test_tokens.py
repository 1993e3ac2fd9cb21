"""Programs use tokens: for whom, with which rights, how long, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from tests.security.conftest import PASSWORD, Guarded, Servers
from tests.security.test_endpoints import (
    NEEDS_THE_SOCKET,
    NEEDS_TO_ADD,
    NEEDS_TO_ADMINISTER,
    OPEN_TO_ALL,
    endpoints,
    filled,
    is_ours,
)
from tests.store.building import HashingEmbedder


@pytest.fixture
def people(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """A server with some people, made as new."""
    people = {"Lan": "ask", "สมชาย": "add", "Ada": "administer"}
    fresh = servers.fresh(tmp_path_factory.mktemp("tokens"), people)
    fresh.assistant.library.embedder = HashingEmbedder()
    return fresh


def token(people: Guarded, name: str, *given: object) -> str:
    return people.accounts.tokens.add(people.accounts.register.account(name), *given)[1]  # type: ignore[arg-type]


@pytest.fixture
def visit(people: Guarded) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=people.address, trust_env=False, timeout=120) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("right", "closed"), [("ask", NEEDS_TO_ADD | NEEDS_TO_ADMINISTER), ("add", NEEDS_TO_ADMINISTER)]
)
def test_a_token_reaches_no_further_than_its_right(
    people: Guarded, visit: httpx.Client, right: str, closed: set[tuple[str, str]]
) -> None:
    secret = token(people, "Ada", right)
    documents = dict(people.assistant.library.kept)
    for method, pattern in endpoints(people.app):
        if not is_ours(pattern) or (method, pattern) in OPEN_TO_ALL:
            continue
        reply = visit.request(method, filled(pattern), headers=bearer(secret), json={})
        if (method, pattern) in closed | NEEDS_THE_SOCKET:
            assert reply.status_code == 403, f"{method} {pattern}"
        elif "/api/tokens" in pattern:
            assert reply.status_code in (403, 405), f"{method} {pattern}"  # no token makes another one
        else:
            assert reply.status_code not in (401, 403), f"{method} {pattern}"
    assert people.assistant.library.kept == documents


def test_a_token_has_no_more_than_its_person_has_by_now(people: Guarded, visit: httpx.Client) -> None:
    secret = token(people, "สมชาย", "add")
    assert visit.get("/api/uploads", headers=bearer(secret)).status_code == 200
    people.accounts.register.change("สมชาย", "ask", None, everything=False)
    assert visit.get("/api/uploads", headers=bearer(secret)).status_code == 403
    people.accounts.register.remove("สมชาย")
    assert visit.get("/api/documents", headers=bearer(secret)).status_code == 401


def test_a_token_ends_with_its_last_day_or_when_it_is_removed(people: Guarded, visit: httpx.Client) -> None:
    account = people.accounts.register.account("Lan")
    made, secret = people.accounts.tokens.add(account, "ask", None, "2099-12-31")
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 200
    before = people.clock.now
    people.clock.now = 4_102_444_800.0  # the first second of 2100
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 401
    people.clock.now = before
    people.accounts.tokens.remove(made.id)
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 401


def test_a_wrong_token_is_refused_even_beside_a_right_cookie(people: Guarded, visit: httpx.Client) -> None:
    session = people.accounts.sessions.begin(people.accounts.register.account("Lan"))
    cookie = {"cookie": f"attest_session={session}"}
    assert visit.get("/v1/models", headers=cookie).status_code == 200
    reply = visit.get("/v1/models", headers=cookie | bearer("attest_wrong"))
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["error"]["code"] == "invalid_api_key"


def test_only_the_hash_of_a_token_is_kept(people: Guarded) -> None:
    secret = token(people, "Lan", "ask", None, None, "a script")
    rows = people.accounts._database.all(sa.text("SELECT * FROM tokens"))
    assert rows
    assert all(secret not in str(tuple(row)) and secret.removeprefix("attest_") not in str(tuple(row)) for row in rows)


def test_a_person_makes_and_removes_tokens_of_their_own_alone(people: Guarded, visit: httpx.Client) -> None:
    def cookie(name: str) -> dict[str, str]:
        account = people.accounts.register.account(name)
        return {"cookie": f"attest_session={people.accounts.sessions.begin(account)}"}

    lan, somchai = cookie("Lan"), cookie("สมชาย")
    made = visit.post("/api/tokens", headers=lan, json={"label": "a script", "until": "2099-01-31"})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 200
    assert secret not in visit.get("/api/tokens", headers=lan).text
    assert visit.get("/api/tokens", headers=somchai).json() == []
    place = f"/api/tokens/{made.json()['id']}"
    assert visit.delete(place, headers=somchai).status_code == 404
    assert visit.post("/api/tokens", headers=lan, json={"right": "add"}).status_code == 400
    assert visit.delete(place, headers=lan).status_code == 204
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 401


def test_what_one_person_s_program_keeps_no_other_person_s_reads(people: Guarded, visit: httpx.Client) -> None:
    lan, other = bearer(token(people, "Lan")), bearer(token(people, "สมชาย", "add"))
    reply = visit.post("/api/ask", headers=lan, json={"question": "Where are the warning bells?"}).json()
    response = visit.post(
        "/v1/responses", headers=lan, json={"model": "attest", "input": "And the warning bells?"}
    ).json()
    place = f"/api/conversations/{reply['conversation']}"
    assert visit.get(place, headers=lan).status_code == 200
    refused = [
        visit.get(place, headers=other),
        visit.patch(place, headers=other, json={"title": "mine"}),
        visit.delete(place, headers=other),
        visit.post("/api/feedback", headers=other, json={"turn": reply["turn"], "verdict": "bad"}),
        visit.post("/api/ask", headers=other, json={"question": "And?", "conversation": reply["conversation"]}),
        visit.post("/api/ask", headers=other, json={"question": "And?", "parent": reply["turn"]}),
        visit.get(f"/v1/responses/{response['id']}", headers=other),
        visit.post(
            "/v1/responses",
            headers=other,
            json={"model": "attest", "input": "And?", "previous_response_id": response["id"]},
        ),
    ]
    assert [each.status_code for each in refused] == [404] * len(refused)
    assert visit.get("/api/conversations", headers=other).json()["conversations"] == []
    titles = [each["title"] for each in visit.get("/api/conversations", headers=lan).json()["conversations"]]
    assert titles == ["And the warning bells?", "Where are the warning bells?"]


def test_too_many_requests_are_refused_with_the_time_to_come_again(people: Guarded, visit: httpx.Client) -> None:
    lan, ada = bearer(token(people, "Lan")), bearer(token(people, "Ada"))
    first = visit.get("/v1/models", headers=lan)
    assert first.headers["ratelimit-policy"] == '"requests";q=600;w=60'
    assert first.headers["ratelimit"].startswith('"requests";r=599;t=')
    replies = [visit.get("/v1/models", headers=lan) for _ in range(600)]
    assert [each.status_code for each in replies] == [200] * 599 + [429]
    refused = replies[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert visit.get("/v1/models", headers=ada).status_code == 200


def test_the_command_makes_lists_and_removes_tokens(people: Guarded, visit: httpx.Client) -> None:
    from click.testing import CliRunner

    from assistant.accounts.tokens_cli import tokens
    from store.settings import Settings

    path = people.accounts._database.path
    assert path is not None
    settings = Settings(home=path.parent)

    def run(*words: str) -> str:
        done = CliRunner().invoke(tokens, words, obj=settings, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    secret = run("add", "Lan", "--label", "โปรแกรม", "--until", "2099-01-31").strip()
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 200
    (listed,) = json.loads(run("list", "lan", "--json"))["tokens"]
    assert (listed["label"], listed["name"], listed["right"]) == ("โปรแกรม", "Lan", "ask")
    assert secret not in run("list")
    run("remove", listed["id"])
    assert visit.get("/v1/models", headers=bearer(secret)).status_code == 401


def test_no_password_nor_token_is_in_what_the_command_says_of_others(people: Guarded) -> None:
    secret = token(people, "Lan")
    assert PASSWORD not in repr(people.accounts.tokens.all())
    assert secret not in repr(people.accounts.tokens.all())
