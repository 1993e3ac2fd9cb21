"""Give overviews in the documents' own sentences: of a document, the library, or a speaker's position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.centrality import centered, centrality, diverse
from assistant.answer.dialogue.library_facts import first, holdings, narrowed, newest
from assistant.answer.dialogue.speakers import named_speakers
from assistant.answer.dialogue.subjects import document_meant
from assistant.answer.dialogue.topics import topics
from assistant.answer.dialogue.turn_parts import find
from assistant.answer.question import Question
from assistant.answer.retrieval import Finder
from assistant.extractive_qa.candidates import Candidate
from assistant.extractive_qa.structure import is_heading
from assistant.types import Answer
from store.embedding import FloatArray
from store.library import Library
from store.types import Document, Filter, Hit, SentenceHit

SENTENCES = 5
"""In an overview of one document, or of one speaker's position."""
DOCUMENTS = 8
"""In an overview of the library."""
MOST_PASSAGES = 150
"""Passages examined per document, spread evenly over a longer one."""
SHORTEST_SENTENCE = 20
"""Code points; a shorter sentence is a label."""
POSITION_PASSAGES = 20
NEAR = 0.3
"""How far a sentence of a position may score below the best one."""
UNRELATED = 0.02
"""A search for a position that is less sure than this found nothing on its subject. Over one speaker of the samples, four
subjects that it doesn't speak of, in three languages, got .01 at most, eight that it does .03 at least."""


def answer(asked: Question, library: Library, finder: Finder, spoken_of: Document | None) -> Answer | None:
    """Return the overview that the turn asks for; None if no document is close to what it names.

    `spoken_of` is the document that "this document" means.
    """
    where, text = asked.options.filter, asked.alone
    held = holdings(library, where)
    if not held.documents:
        draft = Draft(asked, "overview", library)
        draft.say_empty()
        return draft.answer(abstain_reason="empty_library")
    subject = (find("overview", text, asked.language) or {}).get("subject", "")
    pointed = not subject or find("this", subject, asked.language) is not None
    if subject and not pointed and find("everything", subject, asked.language) is None:
        meant = document_meant(subject, where, finder)
        return of_document(asked, meant, library) if meant else None
    if not pointed or find("everything", text, asked.language) is not None:
        return of_library(asked, library)
    if spoken_of is None and held.documents == 1:
        spoken_of = first(library, where, 1)[0]
    return of_document(asked, spoken_of, library) if spoken_of else _which(asked, library)


def of_document(asked: Question, document: Document, library: Library) -> Answer:
    """Return the most central sentences of a document, in its order."""
    draft = Draft(asked, "overview", library)
    chosen = carrying(document, library, SENTENCES)
    draft.verify(chosen)
    draft.say(draft.phrases.say("overview_document", title=document.title))
    keys = draft.quote(chosen)
    draft.section(document.title, keys, [document.id])
    draft.name([document], bullets=False)
    return draft.answer()


def of_library(asked: Question, library: Library) -> Answer:
    """Return what the library holds, by speaker: each of its latest documents with its most central sentence."""
    draft = Draft(asked, "overview", library)
    where = asked.options.filter
    held = holdings(library, where)
    by_speaker: dict[str, list[Document]] = defaultdict(list)
    for document in newest(library, where, DOCUMENTS):
        by_speaker[document.speaker or document.title].append(document)
    carried = {each.id: carrying(each, library, 1) for documents in by_speaker.values() for each in documents}
    draft.verify(sentence for chosen in carried.values() for sentence in chosen)
    names = draft.phrases.joined([draft.phrases.language_name(tag) for tag in held.languages])
    counted = draft.phrases.documents(held.documents)
    draft.say(draft.phrases.say("overview_library", documents=counted, languages=names))
    draft.total = held.documents
    _map(draft, library, where)
    for speaker, documents in by_speaker.items():
        keys = [key for each in documents for key in draft.quote(carried[each.id])]
        draft.section(speaker, keys, [each.id for each in documents])
        draft.name(documents, bullets=False)
    if held.documents > DOCUMENTS:
        draft.say(draft.phrases.say("library_more", count=held.documents - DOCUMENTS))
    return draft.answer()


def _map(draft: Draft, library: Library, where: Filter) -> None:
    """Add the topics with the number of documents for each, if there are several."""
    found = topics(library, where)
    if len(found) < 2:
        return
    said = [f"{each.name} ({draft.phrases.documents(each.documents)})" for each in found]
    draft.say(draft.phrases.say("overview_topics", topics="; ".join(said)))
    for each, title in zip(found, said, strict=True):
        draft.section(title, document_ids=each.document_ids)
    with library.snapshot() as snapshot:
        ids = list(dict.fromkeys(key for each in found for key in each.document_ids))
        draft.name(list(snapshot.documents_by_id(ids).values()), bullets=False)


def of_position(asked: Question, library: Library, finder: Finder) -> Answer | None:
    """Return what a speaker says about a subject; None if the turn names no speaker of the library."""
    where = asked.options.filter
    parts = find("position", asked.alone, asked.language)
    speakers = named_speakers(parts["speaker"], where, library) if parts else ()
    if not parts or not speakers:
        return None
    looked = finder.by_search(parts["subject"] or asked.alone, narrowed(where, speakers=speakers), POSITION_PASSAGES)
    if looked.confidence < UNRELATED:
        return None  # looked up as a question
    ordered = [each for each in looked.ordered if telling(each)]
    near = [each for each in ordered if each.score >= ordered[0].score - NEAR][: 4 * SENTENCES]
    if not near:
        return None
    vectors = _vectors(near, library)
    scores = np.array([1 + (each.score - near[0].score) / NEAR for each in near], np.float32)
    chosen = _in_order([near[at] for at in diverse(vectors, scores, SENTENCES)])
    draft = Draft(asked, "overview", library)
    draft.verify(chosen)
    quoted = [speaker for speaker in speakers if any(each.hit.document.speaker == speaker for each in chosen)]
    said = draft.phrases.joined(quoted)
    draft.say(draft.phrases.say("overview_position", speaker=said, subject=parts["subject"]))
    for speaker in quoted:
        own = [each for each in chosen if each.hit.document.speaker == speaker]
        draft.section(speaker, draft.quote(own), list(dict.fromkeys(each.hit.document.id for each in own)))
    return draft.answer()


def carrying(document: Document, library: Library, count: int) -> list[Candidate]:
    """Return the `count` most central sentences of a document, in its order."""
    with library.snapshot() as snapshot:
        passages = snapshot.passages(document.id)
        step = max(1, -(-len(passages) // MOST_PASSAGES))
        stored = snapshot.stored_passages([each.id for each in passages[::step]])
    sentences: list[Candidate] = []
    vectors: list[FloatArray] = []
    for rank, each in enumerate(stored.values(), start=1):
        hits = tuple(SentenceHit(span, 0.0, 0.0, 0.0) for span in each.passage.sentences)
        hit = Hit(rank, each.passage, each.document, each.text, 0.0, 0.0, 0.0, hits)
        for sentence, vector in zip(hits, each.vectors[1:], strict=True):
            candidate = Candidate(sentence, hit, 0.0, is_heading(hit, sentence.span))
            if telling(candidate):
                sentences.append(candidate)
                vectors.append(vector)
    if not sentences:
        return []
    rows = centered(np.stack(vectors), [each.hit.passage.language for each in sentences], library)
    return _in_order([sentences[at] for at in diverse(rows, centrality(rows), count)])


def telling(each: Candidate) -> bool:
    """Return whether a sentence has content of its own: neither a heading nor a label."""
    return not each.heading and len(each.words.strip()) >= SHORTEST_SENTENCE


def _in_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Return sentences by document, in the order of each text."""
    documents = list(dict.fromkeys(each.hit.document.id for each in chosen))
    return sorted(chosen, key=lambda each: (documents.index(each.hit.document.id), each.sentence.span.start))


def _vectors(chosen: Sequence[Candidate], library: Library) -> FloatArray:
    with library.snapshot() as snapshot:
        stored = snapshot.stored_vectors(list({each.hit.passage.id for each in chosen}))
    rows = [stored[each.hit.passage.id].vectors[1 + each.hit.sentences.index(each.sentence)] for each in chosen]
    return centered(np.stack(rows), [each.hit.passage.language for each in chosen], library)


def _which(asked: Question, library: Library) -> Answer:
    draft = Draft(asked, "overview", library)
    where: Filter = asked.options.filter
    held = holdings(library, where)
    draft.say(draft.phrases.say("overview_which", documents=draft.phrases.documents(held.documents)))
    draft.total = held.documents
    draft.name(newest(library, where, DOCUMENTS))
    return draft.answer()
