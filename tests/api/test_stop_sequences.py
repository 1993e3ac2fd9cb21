"""A text is cut at the same place, however it is streamed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.server.api.openai.chat import StopSequences

# Few letters, so that sequences overlap; of several scripts, composed and not.
TEXT = st.text(alphabet="abก็ế👩ش中", max_size=40)


@given(st.lists(TEXT, max_size=8), st.lists(TEXT.filter(bool), max_size=4))
def test_pieces_come_to_what_the_whole_text_comes_to(pieces: list[str], sequences: list[str]) -> None:
    cutter = StopSequences(sequences)
    shown = "".join([*map(cutter.add, pieces), cutter.end()])
    assert shown == StopSequences(sequences).whole("".join(pieces))


@given(TEXT, st.lists(TEXT.filter(bool), max_size=4))
def test_the_text_ends_where_the_first_sequence_is_complete(text: str, sequences: list[str]) -> None:
    shown = StopSequences(sequences).whole(text)
    ends = [end for end in range(len(text) + 1) if text[:end].endswith(tuple(sequences))] if sequences else []
    if not ends:
        assert shown == text
    else:
        assert any(shown + each == text[: ends[0]] for each in sequences)
        assert not any(each in shown for each in sequences)
