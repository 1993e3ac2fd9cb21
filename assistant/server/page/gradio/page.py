"""The page as Gradio blocks: one component that is the page. What it asks and shows goes by our own routes.

Imported only by what serves the page: Gradio takes seconds to load.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from assistant.server.settings import DEFAULTS, PageSettings

STATIC = Path(__file__).parents[1] / "static"

_MOUNT = """
import(new URL('attest/static/page.js', document.baseURI).href).then(page => page.mount(element));
"""


def create_page(settings: PageSettings = DEFAULTS) -> gr.Blocks:
    """Return the page's blocks."""
    page: gr.Blocks
    with gr.Blocks(analytics_enabled=False, title=settings.title, fill_width=True) as page:
        gr.HTML(
            value={},
            html_template=(STATIC / "shell.html").read_text(encoding="utf-8"),
            js_on_load=_MOUNT,
            apply_default_css=False,
            elem_id="attest-page",
        )
    return page
