"""A web page's text is what a careful person sees in a browser, value by value."""

from __future__ import annotations

import pytest

from tests.ingest.reading import lines

THAI = "ราคาต่อวัน"
ARABIC = "السعر اليومي"
CHINESE = "每日价格"


def table(*rows: str) -> str:
    return f"<table>{''.join(f'<tr>{row}' for row in rows)}</table>"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (table("<th>Name<td>Una", "<th>Built<td>1990"), ["Name: Una", "Built: 1990"]),
        (table(f"<th>{THAI}<td>420", f"<th>{ARABIC}<td>٩٠٠"), [f"{THAI}: 420", f"{ARABIC}: ٩٠٠"]),
        (
            table("<th>Name<td>Una<th>Built<td>1990", "<th>Length<td>12<th>Crew<td>3"),
            ["Name: Una | Built: 1990", "Length: 12 | Crew: 3"],
        ),
        (
            table("<td><td>Una<td>Drina", "<th>Price<td>420<td>900", "<th>Crew<td>3<td>"),
            ["Price | Una: 420 | Drina: 900", "Crew | Una: 3"],
        ),
        (
            table("<th>Boat<td>Una<td>Drina", "<th>Price<td>420<td>900"),
            ["Boat: Una | Price: 420", "Boat: Drina | Price: 900"],
        ),
        (
            table("<th>Ward<th>2023<th>2024", "<th scope=row>Surgery<td>24<td>25", "<th scope=row>Eye<td><td>9"),
            ["Ward: Surgery | 2023: 24 | 2024: 25", "Ward: Eye | 2024: 9"],
        ),
        (
            table("<td>Ward<td>2023", "<th>Surgery<td>24", "<th>Eye<td>9"),
            ["Ward: Surgery | 2023: 24", "Ward: Eye | 2023: 9"],
        ),
        (table("<td><b>Name</b><td>Una", "<td><b>Built</b><td>1990"), ["Name: Una", "Built: 1990"]),
        (table("<td>Name:<td>Una", "<td>Built:<td>1990"), ["Name: Una", "Built: 1990"]),
        (table("<td>Name<td>Una", "<td>Built<td>1990"), ["Name | Una", "Built | 1990"]),
        (table("<td>Ward<td>2023<td>2024", "<td>Eye<td>8<td>9"), ["Ward: Eye | 2023: 8 | 2024: 9"]),
        (
            "<div role=table><div role=row><span role=columnheader>Boat</span><span role=columnheader>Price</span></div>"
            "<div role=row><span role=rowheader>Una</span><span role=cell>420</span></div></div>",
            ["Boat: Una | Price: 420"],
        ),
    ],
)
def test_a_value_stands_beside_the_header_of_its_row_and_its_column(page: str, expected: list[str]) -> None:
    assert lines("a.html", page) == expected


def test_a_header_over_the_whole_width_names_the_rows_below_it() -> None:
    page = table(
        "<th>Boat<th>Price",
        f"<th colspan=2>{THAI}",
        "<td>Una<td>420",
        "<td>Sava<td>430",
        f"<th colspan=2>{CHINESE}",
        "<td>Drina<td>900",
    )
    assert lines("a.html", page) == [
        f"{THAI} | Boat: Una | Price: 420",
        f"{THAI} | Boat: Sava | Price: 430",
        f"{CHINESE} | Boat: Drina | Price: 900",
    ]
    title = table("<th colspan=2>Prices 2024", "<th>Boat<th>Price", "<td>Una<td>420", "<td colspan=2>Tax included.")
    assert lines("a.html", title) == ["Prices 2024 | Boat: Una | Price: 420", "Tax included."]


def test_what_names_a_group_of_rows_or_spans_it_ends_with_it() -> None:
    page = (
        "<table><thead><tr><th>Ward<th>Beds<tbody><tr><th colspan=2>East<tr><td rowspan=0>Surgery<td>24<tr><td>25"
        "<tbody><tr><td rowspan=9>Eye<td>9<tfoot><tr><td>All<td>58<tr><th>Ward<th>Beds</table>"
    )
    assert lines("a.html", page) == [
        "East | Ward: Surgery | Beds: 24",
        "East | Ward: Surgery | Beds: 25",
        "Ward: Eye | Beds: 9",
        "Ward: All | Beds: 58",
    ]


def test_headers_in_the_middle_of_a_table_name_what_is_below_them() -> None:
    page = table("<th>Boat<th>Price", "<td>Una<td>420", "<th>Car<th>Fee", "<td>Jeep<td>9", "<th>Total<th>429")
    assert lines("a.html", page) == ["Boat: Una | Price: 420", "Car: Jeep | Fee: 9", "Car: Total | Fee: 429"]


def test_a_table_in_a_table_keeps_its_headers() -> None:
    inner = table("<th>Boat<th>Price", "<td>Una<td>420")
    assert lines("a.html", table(f"<td>left<td>{inner}")) == ["left", "Boat: Una | Price: 420"]
    outer = table("<th>Owner<th>Boats", f"<td>Lan<td>{inner}")
    assert lines("a.html", outer) == ["Owner: Lan | Boats: Boat: Una, Price: 420"]


def test_style_sheets_raise_hide_and_strike() -> None:
    page = (
        "<style>.up{vertical-align:super;font-size:70%} .low{vertical-align:sub} .a{display:none} .b{visibility:hidden}"
        ".c{text-decoration:red line-through} #d{display:none!important} @media (max-width:600px){p{display:none}}"
        "@media print{p{display:none}} p:hover{display:none}</style>"
        f"<p>480<span class=up>3</span> H<span class=low>2</span>O {THAI}<span class=a>no</span>"
        "<span class=b>no<i style='visibility:visible'> yes</i></span><span class=c>no</span>"
        "<span id=d style='display:inline'>no</span>"
    )
    assert lines("a.html", page) == [f"480³ H₂O {THAI} yes"]


def test_the_more_specific_rule_of_a_style_sheet_holds() -> None:
    page = "<style>p.open{display:block} p{display:none} .x.y{display:none} .y{display:block}</style>"
    assert lines("a.html", f"{page}<p>no<p class=open>yes<div class='x y'>no</div>") == ["yes"]


def test_text_in_the_color_of_its_background_or_without_size_is_no_text() -> None:
    page = (
        "<p><font color=white>no</font> <b style='color:#fefefe'>no</b><i style='font-size:0'>no</i>"
        "<i style='color:transparent'>no</i><i style='color:#fff;background:#000'>yes</i>"
    )
    assert lines("a.html", page) == ["yes"]
    # Where the background isn't known, white letters may well be seen.
    assert lines("a.html", "<div style='background:url(x.png)'><p style='color:white'>yes</div>") == ["yes"]
    assert lines("a.html", "<link rel=stylesheet href=x.css><p style='color:white'>yes") == ["yes"]


def test_fractions_powers_and_indices_of_formulas_stand_apart() -> None:
    half = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
    power = "<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>a</mi><mn>10</mn></msub></math>"
    root = "<math><msqrt><mi>a</mi><mo>+</mo><mn>1</mn></msqrt></math>"
    assert lines("a.html", f"<p>{half} or 3{half}, {power}, {root}") == ["1/2 or 3 1/2, x² + a₁₀, √(a + 1)"]


def test_letters_with_readings_above_them_stay_whole() -> None:
    assert lines("a.html", "<p><ruby>東<rt>とう<rt></rt>京<rt>きょう</ruby>に住む") == ["東京(とうきょう)に住む"]
    assert lines("a.html", "<p><ruby>漢<rp>(</rp><rt>hàn</rt><rp>)</rp>字<rt>zì</rt></ruby>") == ["漢字 (hàn zì)"]


def test_bars_links_to_elsewhere_and_consent_are_no_text() -> None:
    links = "<ul><li><a href=x>Another story</a><li><a href=y>One more story</a></ul>"
    page = (
        "<body><a href='#c'>Skip to content</a>"
        "<div id=CybotCookiebotDialog><h2>This site uses cookies</h2><table><tr><th>a<td>b</table></div>"
        "<div class=cc-window>We store things</div><div id=onetrust-banner-sdk>We value you</div>"
        "<div role=dialog aria-modal=true>Accept?</div><section><p>เว็บไซต์นี้ใช้คุกกี้<button>ยอมรับ</button></section>"
        f"<ol class=breadcrumb><li><a>Home</a><li>Una</ol><main id=c><h1>{THAI}</h1><p>{CHINESE}</p>"
        "<p><a href='https://www.facebook.com/sharer/sharer.php?u=x'>Facebook</a> <a href='https://wa.me/?text=x'>WhatsApp</a>"
        f"</main><aside><h3>Related</h3>{links}</aside><div class=related-posts>{links}</div>"
    )
    assert lines("a.html", page) == [THAI, CHINESE]
    kept = (
        "<div class=menu><p>Pad Thai 60 baht</div><aside><p>Bring a hat.</aside><p class=share-price>Shares cost 9.</p>"
    )
    assert lines("a.html", kept) == ["Pad Thai 60 baht", "Bring a hat.", "Shares cost 9."]


def test_lists_are_numbered_as_their_style_says_and_struck_items_count() -> None:
    page = (
        "<style>.t{list-style-type:thai} .r{list-style:lower-roman inside} .n{list-style:none}</style>"
        "<ol class=t><li>a<li value=7>b<li>c</ol><ol class=r><li>d</ol><ol class=n><li>e</ol>"
        "<ol type=A><li>f<li style='text-decoration:line-through'>no<li>g</ol><ol><li><s>no</s></ol><p>h"
    )
    assert lines("a.html", page) == ["๑. a", "๗. b", "๘. c", "i. d", "e", "A. f", "C. g", "h"]


def test_no_term_is_lost_and_each_stands_before_what_explains_it() -> None:
    page = f"<dl><dt>a<dt>{THAI}<dd>c<dd>d<dt>alone</dl><p>next"
    assert lines("a.html", page) == [f"a, {THAI}: c", f"a, {THAI}: d", "alone", "next"]


def test_what_a_style_sets_apart_is_not_glued() -> None:
    page = (
        "<div style='display:flex'><span>Price</span><span>420</span></div>"
        "<p><span style='display:block'>one</span><span style='display:block'>two</span>"
        "<p>480<span style='margin-left:1em'>3</span><p style='white-space:pre-line'>x\ny<p>中文\n中文"
    )
    assert lines("a.html", page) == ["Price 420", "one", "two", "480 3", "x", "y", "中文中文"]


def test_forms_show_what_was_filled_in_and_quotations_their_marks() -> None:
    page = "<p><input type=checkbox checked> Rowing<p><input type=radio> Sailing<p>Name: <input value=Una><p><q>b</q>"
    assert lines("a.html", page) == ["☑ Rowing", "☐ Sailing", "Name: Una", "“b”"]


def test_a_footnote_of_several_paragraphs_stays_together() -> None:
    page = "<p>Fee<sup><a href='#n'>1</a></sup>.<p>More.<ol><li id=n><p>Since <s>June</s> May.<p>Or so. <a href=#r>↩</a></ol>"
    assert lines("a.html", page) == ["Fee [1].", "[1] Since May.", "Or so.", "More."]


def test_words_and_numbers_that_a_style_sheet_adds_are_read() -> None:
    page = (
        "<style>ol{list-style:none;counter-reset:i} li{counter-increment:i} li::before{content:'ข้อ ' counter(i,thai) '.'}"
        "body{counter-reset:h} h2{counter-increment:h;counter-reset:s} h2::before{content:counter(h) '. '}"
        "h3{counter-increment:s} h3::before{content:counter(h) '.' counter(s) ' '} .p::after{content:' บาท'}"
        ".i::before{content:'→ '} div{counter-reset:d} p{counter-increment:d} p.n::before{content:counters(d,'-') ' '}</style>"
        "<ol><li>a<li style='text-decoration:line-through'>no<li>b</ol><h2>A</h2><h3>x</h3><h3>y</h3><h2>B</h2><h3>z</h3>"
        "<span class='i p'>420</span><div><p>m<div><p class=n>n</div></div>"
    )
    assert lines("a.html", page) == [
        "ข้อ ๑. a", "ข้อ ๓. b", "1. A", "1.1 x", "1.2 y", "2. B", "2.1 z", "420 บาท", "m", "1-1 n",
    ]  # fmt: skip


def test_brackets_and_raised_numbers_around_links_are_footnote_marks() -> None:
    notes = "<ol><li id=n1><b><a href='#r'>^</a></b> Smith<li id=n2>Lan</ol>"
    page = f"<p>a<sup>[<a href='#n1'>1</a>]</sup> b<a href='#n2'><sup>2</sup></a>{notes}"
    assert lines("a.html", page) == ["a [1] b [2]", "[1] Smith", "[2] Lan"]


def test_a_formula_is_read_once_also_where_it_is_drawn_or_pictured() -> None:
    math = "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    drawn = f"<p>a <span><span class=katex-mathml>{math}</span><span class=katex-html aria-hidden=true>x2</span></span>"
    assert lines("a.html", drawn) == ["a x²"]
    assert lines("a.html", f"<p>a <span><span style='display:none'>{math}</span><img alt='x^2'></span>") == ["a x²"]


def test_letters_with_a_stroke_of_their_own_are_struck_out() -> None:
    struck = "".join(f"{letter}\u0336" for letter in "350 บาท")
    for name in ("a.txt", "a.md", "a.html"):
        assert lines(name, f"{THAI} {struck} 420, 3 ≠ 4") == [f"{THAI} 420, 3 ≠ 4"]
