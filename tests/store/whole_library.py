"""Make a library with something in every table, and compare its content and answers."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from assistant.accounts.database import Database as AccountsDatabase
from assistant.accounts.register import Register
from assistant.accounts.sessions import Lifetime, Sessions
from assistant.accounts.tokens import Tokens
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.catalog.row_copy import TABLES, LibraryDatabases
from store.doctor import checks as health
from store.library import Library
from store.moving.move import place_of
from store.settings import Settings
from tests.store.building import SCRIPTS, HashingEmbedder, add, many, parsed

DOCUMENTS = [
    *(parsed(f"text:{name}", *texts, language=name[:2], published="2023-06") for name, texts in SCRIPTS.items()),
    *many(30, passages=4),
]
QUESTIONS = [SCRIPTS["en"][0], SCRIPTS["th"][1], SCRIPTS["vi-nfd"][0], DOCUMENTS[20].text.split("\n")[0]]
Held = dict[str, list[tuple[object, ...]]]


def fill(settings: Settings) -> None:
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        library.remove(DOCUMENTS[9].document.id)
    where = place_of(settings)
    with closing(Conversations.open(where / FILE if isinstance(where, Path) else where)) as conversations:
        for name in ("Lan", "สมชาย", "👩‍👩‍👧‍👦"):
            conversation = conversations.start(name, "ฟอรัม")
            turn = conversations.ask(conversation.id, None, "Diễn đàn khai mạc khi nào?", "{}")
            conversations.close_turn(turn.id, "finished", '{"answered": true}')
            conversations.ask(conversation.id, turn.id, "และที่ไหน", "{}")
            conversations.give_feedback(turn.id, "good", comment="ดี")
    with closing(AccountsDatabase.open(where)) as database:
        for name in ("Lan", "สมชาย"):
            account = Register(database).add(name, "three old bells ring")
            Tokens(database).add(account, label="a program")
            Sessions(database, Lifetime(3600, 7200), time.time).begin(account)
    (settings.home / "uploads").mkdir(exist_ok=True)
    (settings.home / "uploads" / "รายงาน.txt").write_text("ฟอรัม", encoding="utf-8")
    (settings.home / "attest.toml").write_text("# ours\npassage_tokens = 100\n", encoding="utf-8")


def in_postgresql(source: Settings, url: URL, folder: Path, **changes: object) -> Settings:
    (folder / "password").write_text(str(url.password))
    address = f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"
    return source.model_copy(update={"database_url": address, "database_password_file": folder / "password", **changes})


def held(settings: Settings) -> Held:
    """Every row of every table, and the facts that a copy shares."""
    with LibraryDatabases.opened(place_of(settings)) as databases, databases.moment() as moment:
        rows = {table.name: [tuple(row) for row in moment.rows(table)] for table in TABLES}
        own = {"id", "vectors_generation", "keywords_generation", "clean", "terms_version", "revision", "place"}
        rows["library"] = sorted((name, value) for name, value in moment.facts().items() if name not in own)
    return rows


def answers(settings: Settings) -> list[str]:
    """What is found first for each question; the doctor finds nothing wrong."""
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        assert health.check(library) == []
        return [library.search(question, 5).hits[0].text for question in QUESTIONS]
