"""The text of CSV, JSON and mail files has every value as written, next to its name."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.normalize import normalize
from ingest.parse import page_notices
from ingest.read import read_document
from tests.ingest.reading import lines

THAI = "ราคาต่อวัน"
VIETNAMESE = "Giá mỗi ngày"


@pytest.mark.parametrize("number", ["1e3", "1.10", "-0", "0.1000000000000000055511151231257827", "9" * 40, "1E-7"])
def test_numbers_of_json_stay_as_they_are_written(number: str) -> None:
    assert lines("a.json", f'{{"{THAI}": {number}, "all": [{number}, 2.0]}}') == [
        f"{THAI}: {number} | all: {number}, 2.0"
    ]
    assert lines("a.jsonl", f'{{"a": {number}}}\n{{"a": 2.50}}\n') == [f"a: {number}", "a: 2.50"]


def test_no_value_of_json_is_lost() -> None:
    assert lines("a.json", '{"a": 1, "a": 2, "road": "1 Sala Road\\nHue"}') == ["a: 1 | a: 2 | road: 1 Sala Road Hue"]
    assert lines("a.json", f'[["Boat", "{THAI}"], ["Una", 4.20], ["Drina", null]]') == [
        f"Boat: Una | {THAI}: 4.20",
        "Boat: Drina",
    ]
    listed = '{"country": "Laos", "rivers": [{"name": "Mekong", "km": 1898}, {"name": "Ou", "km": 448}]}'
    assert lines("a.json", listed) == [
        "country: Laos",
        "rivers, name: Mekong | rivers, km: 1898",
        "rivers, name: Ou | rivers, km: 448",
    ]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sep=;\nBoat;Price\nUna;4,20\n", ["Boat: Una | Price: 4,20"]),
        ('\ufeff"sep=,"\r\nBoat,Price\r\nUna,420\r\n', ["Boat: Una | Price: 420"]),
        (f"\ufeff{THAI}\n\nBoat,Price\nUna,420\n", [THAI, "Boat: Una | Price: 420"]),
        ("Prices, 2024\nBoat,Price,Crew\nUna,420,3\n", ["Prices, 2024", "Boat: Una | Price: 420 | Crew: 3"]),
        (f'{THAI};;\nBoat;Price;Crew\n"Una\nthe first";420;3\n', [THAI, "Boat: Una the first | Price: 420 | Crew: 3"]),
        ("Ward,2023,2024\nEye,24,25\n", ["Ward: Eye | 2023: 24 | 2024: 25"]),
        ("ตำบล,๒๕๖๖,๒๕๖๗\nสะลา,๒๔,๒๕\n", ["ตำบล: สะลา | ๒๕๖๖: ๒๔ | ๒๕๖๗: ๒๕"]),
        ("Name,Phone,Phone\nLan,01,02\n", ["Name: Lan | Phone: 01 | Phone: 02"]),
        ('Boat,Note\nUna,"open\nDrina,x\n', ['Boat: Una | Note: "open', "Boat: Drina | Note: x"]),
        ('Boat,Note\n12" plank,x\n', ['Boat: 12" plank | Note: x']),
    ],
)
def test_every_row_of_a_csv_file_names_its_columns(table: str, expected: list[str]) -> None:
    assert lines("a.csv", table) == expected


def mail(body: str, kind: str = "text/plain; charset=utf-8") -> str:
    return f"From: a@example.org\nSubject: s\nMIME-Version: 1.0\nContent-Type: {kind}\n\n{body}"


def test_attached_messages_and_nameless_files_are_told_by_what_they_are() -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"] = VIETNAMESE
    inner.set_content("x")
    outer["From"], outer["Subject"] = "a@example.org", "s"
    outer.set_content(THAI)
    outer.add_attachment(inner)
    outer.add_attachment(b"x", maintype="application", subtype="pdf")
    document = read_document(Path("a.eml"), outer.as_bytes())
    assert page_notices(document) == (f"Its attachments were not read: {VIETNAMESE}, application/pdf.",)
    assert normalize(document.blocks).text.endswith(THAI)


def test_all_parts_of_a_message_are_read_in_order() -> None:
    part = "--B\nContent-Type: text/plain; charset=utf-8\n\n{}\n"
    body = part.format(THAI) + "--B\nContent-Type: image/png; name=x.png\n\nx\n" + part.format(VIETNAMESE) + "--B--\n"
    assert lines("a.eml", mail(body, "multipart/mixed; boundary=B"))[2:] == [THAI, VIETNAMESE]
    picture = "--B\nContent-Type: text/html\n\n<img src=x>\n--B--\n"
    assert lines("a.eml", mail(part.format(THAI) + picture, "multipart/alternative; boundary=B"))[2:] == [THAI]


def test_lines_that_flow_are_joined() -> None:
    flowed = "text/plain; charset=utf-8; format=flowed"
    assert lines("a.eml", mail("It costs \n420 baht.\nYes.\n> so \n> he said\n", flowed))[2:] == [
        "It costs 420 baht.",
        "Yes.",
        "> so he said",
    ]
    assert lines("a.eml", mail("การ \nประชุม\n", f"{flowed}; delsp=yes"))[2:] == ["การประชุม"]
