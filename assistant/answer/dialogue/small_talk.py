"""Answer courtesies, questions about Attest itself, feedback and everything that isn't a question."""

from __future__ import annotations

from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.library_facts import count, holdings, narrowed, newest
from assistant.answer.dialogue.phrases import phrases
from assistant.answer.dialogue.turn_parts import find
from assistant.answer.question import Question
from assistant.suggested_questions.saved import kept_questions
from assistant.types import Answer
from store.library import Library

CANDIDATES = 12
"""Saved questions to examine, to find one about a document that the user may see."""


def reply(asked: Question, phrase: str, library: Library) -> Answer:
    """Return the phrase of that name with the contents of the library and two questions that it can answer."""
    draft = Draft(asked, "talk", library)
    held = holdings(library, asked.options.filter)
    if not held.documents:
        draft.say(draft.phrases.say(phrase, holdings=draft.phrases.say("nothing_held")))
        draft.say_empty()
        return draft.answer()
    languages = draft.phrases.joined([draft.phrases.language_name(tag) for tag in held.languages[:4]])
    said = draft.phrases.documents(held.documents)
    draft.say(draft.phrases.say(phrase, holdings=draft.phrases.say("holdings", documents=said, languages=languages)))
    if phrase != "feedback":
        suggest(draft, asked, library)
    return draft.answer()


def greet(asked: Question, library: Library) -> Answer:
    """Return an answer to a greeting, or to thanks."""
    thanked = find("thanks", asked.asked, asked.language) is not None
    return reply(asked, "thanks" if thanked else "hello", library)


def suggest(draft: Draft, asked: Question, library: Library) -> None:
    """Add two questions that the library answers; the first is from a document, if one is known."""
    said, where = phrases(asked.language), asked.options.filter
    sure = [
        each.text
        for each in kept_questions(library, said.language, CANDIDATES)
        if count(library, narrowed(where, documents=[each.document_id]))
    ]
    titled = newest(library, where, 1)
    draft.name(titled, bullets=False)
    first = sure[:1] or [said.say("try_overview", title=each.title) for each in titled]
    for question in (*first, said.say("try_library")):
        draft.say(f"- {question}", "\n")
