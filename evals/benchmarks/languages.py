"""How often the language of a text is told rightly: paragraphs in 31 languages, questions in three.

python -m evals.benchmarks.languages ../shared/data
"""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from store.text.language import UNKNOWN, detect_language

SHORT = 20
"""Code points below which a text of the declaration is mostly "Article 5"."""


def declaration(data: Path) -> Iterator[tuple[str, str]]:
    """(language, text) of every paragraph, list item and heading of the Universal Declaration in `data`."""
    from selectolax.lexbor import LexborHTMLParser

    for path in sorted((data / "udhr/html").glob("*.html")):
        page = LexborHTMLParser(path.read_text(encoding="utf-8"))
        root = page.css_first("html")
        tag = str(root.attributes["lang"] if root else UNKNOWN)
        for node in page.css("h1, h2, h3, p, li"):
            if text := node.text(strip=True):
                yield tag.split("-", maxsplit=1)[0], text


def questions(data: Path, language: str) -> Iterator[tuple[str, str]]:
    """(language, text) of every question of XQuAD's half in `data`."""
    articles = json.loads((data / f"xquad-dev/xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    for article in articles:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield language, question["question"]


def without_marks(text: str) -> str:
    """Vietnamese as it is typed on a keyboard without its letters."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


def _print(name: str, texts: Iterable[tuple[str, str]]) -> None:
    texts = list(texts)
    start = time.perf_counter()
    found = [(language, detect_language(text)) for language, text in texts]
    each = (time.perf_counter() - start) / len(texts) * 1_000
    right = sum(language == detected for language, detected in found) / len(texts)
    unknown = sum(detected == UNKNOWN for _, detected in found)
    wrong = Counter(pair for pair in found if pair[0] != pair[1] and pair[1] != UNKNOWN).most_common(4)
    print(f"| {name} | {len(texts)} | {right:.4f} | {unknown} | {each:.2f} ms | {wrong} |")


def main() -> None:
    """Print a table."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    detect_language("The first call loads the model.")
    print("| texts | number | right | unknown | each | most common errors |\n| --- | --- | --- | --- | --- | --- |")
    _print("declaration", declaration(data))
    _print(f"declaration, {SHORT} characters or more", [each for each in declaration(data) if len(each[1]) >= SHORT])
    for language in ("en", "th", "vi"):
        _print(f"questions, {language}", questions(data, language))
    _print("questions, vi without marks", [("vi", without_marks(text)) for _, text in questions(data, "vi")])


if __name__ == "__main__":
    main()
