"""Render the pages to sign in and to change a password: plain forms without a script, in the page's colors and languages."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from assistant.accounts.account import SHORTEST_PASSWORD
from assistant.server.page_settings import TITLE
from assistant.server.strings import Strings, languages

_STYLE = """
:root { color-scheme: light dark; --paper: #faf9f6; --surface: #fff; --ink: #1f1e1b; --soft: #5f5c55; --line: #8a857b;
  --accent: #0d5f5a; --accent-ink: #fff; --bad: #a3321f; }
@media (prefers-color-scheme: dark) { :root { --paper: #16171a; --surface: #1e2024; --ink: #e9e6df; --soft: #a8a399;
  --line: #7d8188; --accent: #84cfc6; --accent-ink: #0c2321; --bad: #f0a08f; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.7 system-ui, "Noto Sans", "Noto Sans Thai", "Leelawadee UI", Thonburi, sans-serif; }
main { width: min(22rem, 100vw - 2rem); padding: 1rem 0; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; color: var(--accent); }
label { display: block; margin-bottom: .9rem; }
input { display: block; width: 100%; font: inherit; color: inherit; background: var(--surface); padding: .5rem .7rem;
  border: 1px solid var(--line); border-radius: .5rem; }
button { font: inherit; font-weight: 600; width: 100%; padding: .55rem; border: 0; border-radius: .5rem;
  background: var(--accent); color: var(--accent-ink); cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[role=alert] { color: var(--bad); margin: 0 0 1rem; }
small { display: block; color: var(--soft); }
input[readonly] { border-color: transparent; background: none; padding-inline: 0; }
nav { margin-top: 1.5rem; font-size: .9rem; display: flex; gap: 1rem; flex-wrap: wrap; }
a { color: var(--soft); }
"""


def sign_in_page(words: Strings, *, name: str = "", problem: str = "", conversation: str = "") -> str:
    """Return the whole page; `conversation` opens after signing in, `problem` says why signing in failed."""
    on_name, on_password = ("", " autofocus") if name else (" autofocus", "")
    form = f"""<form method="post" action="?{escape(urlencode({"ui": words.language, "c": conversation}))}">
<label>{escape(words("account.name"))}
<input name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" dir="auto" required{on_name}></label>
<label>{escape(words("account.password"))}
<input name="password" type="password" autocomplete="current-password" required{on_password}></label>
<button>{escape(words("account.enter"))}</button></form>"""
    return _page(words, words("account.enter"), TITLE, problem, form, _languages(words, conversation))


def password_page(words: Strings, *, name: str, problem: str = "", is_done: bool = False) -> str:
    """Return the whole page for another password of `name`; `is_done` once it is set."""
    heading = words("account.change")
    back = f'<a href="../">{escape(words("account.back"))}</a>'
    if is_done:
        return _page(words, heading, heading, "", f'<p role="status">{escape(words("account.changed"))}</p>', back)
    form = f"""<form method="post" action="?{escape(urlencode({"ui": words.language}))}">
<label>{escape(words("account.name"))}
<input name="name" value="{escape(name)}" autocomplete="username" dir="auto" readonly></label>
<label>{escape(words("account.old"))}
<input name="old" type="password" autocomplete="current-password" required autofocus></label>
<label>{escape(words("account.new"))}
<input name="new" type="password" autocomplete="new-password" required aria-describedby="least">
<small id="least">{escape(words("account.least", count=SHORTEST_PASSWORD))}</small></label>
<label>{escape(words("account.again"))}
<input name="again" type="password" autocomplete="new-password" required></label>
<button>{escape(words("account.change"))}</button></form>"""
    return _page(words, heading, heading, problem, form, back + _languages(words))


def _languages(words: Strings, conversation: str | None = None) -> str:
    """Return links to the same page in the other languages."""
    more = {} if conversation is None else {"c": conversation}
    return "".join(
        f'<a lang="{tag}" href="?{escape(urlencode({"ui": tag} | more))}">{escape(own)}</a>'
        for tag, own in languages().items()
        if tag != words.language
    )


def _page(words: Strings, named: str, heading: str, problem: str, content: str, links: str) -> str:
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return f"""<!doctype html>
<html lang="{words.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{escape(named)} · {TITLE}</title>
<style>{_STYLE}</style></head>
<body><main><h1>{escape(heading)}</h1>{alert}
{content}
<nav>{links}</nav></main></body></html>
"""
