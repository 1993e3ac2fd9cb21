"""The page as Gradio blocks: one component that is the page, and unseen ones that carry what comes to it.

Imported only by what serves the page: Gradio takes seconds to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from assistant.server.dependencies import visitor_of_request
from assistant.server.page.answer_stream import PageAnswers, State
from assistant.server.settings import DEFAULTS, PageSettings

STATIC = Path(__file__).parents[1] / "static"

_MOUNT = """
import(new URL('attest/static/page.js', document.baseURI).href).then(page => page.mount(element, trigger, upload));
"""

_WIRE = """
import(new URL('attest/static/page.js', document.baseURI).href).then(page =>
  watch('value', () => page.receive('NAME', props.value)));
"""


def create_page(answering: PageAnswers, settings: PageSettings = DEFAULTS) -> gr.Blocks:
    """The page's blocks: render the events of answers as they come."""

    def ask(event: gr.EventData, request: gr.Request) -> Iterator[State]:
        assert request.request is not None  # noqa: S101 - every event comes in a request
        yield from answering.states(event._data, visitor_of_request(request.request))

    page: gr.Blocks
    with gr.Blocks(analytics_enabled=False, title=settings.title, fill_width=True) as page:
        shell = gr.HTML(
            value={},
            html_template=(STATIC / "shell.html").read_text(encoding="utf-8"),
            js_on_load=_MOUNT,
            apply_default_css=False,
            elem_id="attest-page",
        )
        answers = gr.HTML(
            value={}, html_template="<i></i>", js_on_load=_WIRE.replace("NAME", "answer"), visible="hidden"
        )
        asking = shell.submit(
            ask,
            None,
            answers,
            concurrency_limit=settings.answers_at_once,
            trigger_mode="multiple",
            show_progress="hidden",
            api_visibility="private",
        )
        asking.failure(None, None, None, js="() => window.dispatchEvent(new Event('attest:refused'))")
        shell.stop(None, None, None, cancels=[asking], api_visibility="private")
    page.queue(max_size=settings.queue_size, api_open=False)
    # Of each session Gradio holds the components with the last answer in them, which no later question needs.
    page.state_session_capacity = settings.queue_size + settings.answers_at_once
    return page
