# ruff: noqa: S104 - nothing is bound there
"""Documents are fetched from allowed web addresses, and others are refused."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.document_editor import DocumentEditor
from assistant.server.intake import Taken
from assistant.server.page_settings import MEBIBYTE, UPLOAD_SUFFIXES, PageSettings
from assistant.server.web_fetch import Address, Fetched, Limits, fetched, is_public
from store.errors import RequestError
from tests.page.conftest import Served, Visit
from tests.page.web_servers import drips, floods, sends, web_server

SUFFIXES = UPLOAD_SUFFIXES
LIMITS = Limits(MEBIBYTE, SUFFIXES, seconds=2)


def any_address(_: Address) -> bool:
    return True


def whole(address: str, limits: Limits = LIMITS, admits: object = any_address) -> tuple[str, bytes]:
    with fetched(address, limits, admits) as document:  # type: ignore[arg-type]
        assert isinstance(document, Fetched)
        return document.name, b"".join(document.pieces)


def test_a_document_is_fetched_under_a_name_of_its_own() -> None:
    text = "บันทึกการประชุม Biên bản cuộc họp".encode()
    with web_server(sends(text, "text/html; charset=utf-8")) as server:
        assert whole(f"{server.address}/papers/%E0%B8%9B%E0%B8%A3%E0%B8%B0%E0%B8%8A%E0%B8%B8%E0%B8%A1.html") == (
            "127.0.0.1-papers-ประชุม.html",
            text,
        )
        assert whole(f"{server.address}/") == ("127.0.0.1.html", text)
        first, second = whole(f"{server.address}/read?id=1")[0], whole(f"{server.address}/read?id=2")[0]
        assert first != second
        assert server.asked[-1] == "/read?id=2"


@pytest.mark.parametrize(
    ("kind", "path", "suffix"),
    [
        ("text/html", "/paper.pdf", ".html"),
        ("application/pdf", "/download", ".pdf"),
        ("text/plain", "/notes.md", ".md"),
        ("text/plain", "/notes", ".txt"),
        ("application/octet-stream", "/report.docx", ".docx"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "/download", ".xlsx"),
        ("text/csv; charset=utf-8", "/export", ".csv"),
    ],
)
def test_what_the_server_says_a_document_is_decides_before_its_name(kind: str, path: str, suffix: str) -> None:
    with web_server(sends(b"words", kind)) as server:
        assert whole(server.address + path)[0].endswith(suffix)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.txt",
        "example.org",
        "http://",
        "gopher://127.0.0.1/",
        "http://[::1",
        "javascript:alert(1)",
        "  ",
        "http://exa mple.org/",
    ],
)
def test_only_addresses_of_the_web_are_asked(address: str) -> None:
    with pytest.raises(RequestError, match=r"no web address|no server named"):
        whole(address)


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(RequestError, match="leave them out"):
        whole("http://me:secret@127.0.0.1/")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"],
)
def test_an_address_inside_this_network_is_not_asked_unless_allowed(host: str) -> None:
    with web_server(sends(b"secret")) as server:
        port = server.address.rsplit(":", 1)[1]
        with pytest.raises(RequestError, match="is inside this network"):
            whole(f"http://{host}:{port}/", admits=is_public)
        assert server.asked == []


def test_a_redirect_leads_nowhere_that_could_not_be_asked_for_directly() -> None:
    def admits(address: Address) -> bool:
        return str(address) == "127.0.0.1"

    with web_server(sends(b"secret"), "127.0.0.2") as inside, web_server(sends(b"words")) as open_to_all:
        for status in (301, 302, 303, 307, 308):
            leads = sends(b"", status=status, Location=f"{inside.address}/admin")
            with web_server(leads) as server, pytest.raises(RequestError, match=r"127\.0\.0\.2 is inside"):
                whole(server.address, admits=admits)
            with web_server(sends(b"", status=status, Location=f"{open_to_all.address}/a.txt")) as server:
                assert whole(server.address, admits=admits) == ("127.0.0.1-a.txt", b"words")
        leads = sends(b"", status=302, Location="file:///etc/passwd")
        with web_server(leads) as server, pytest.raises(RequestError, match="no web address"):
            whole(server.address, admits=admits)
        assert inside.asked == []


def test_redirects_in_a_circle_end() -> None:
    with web_server(sends(b"", status=302, Location="/again")) as server:
        with pytest.raises(RequestError, match="leads from one address to the next"):
            whole(server.address)
        assert len(server.asked) == 6


def test_a_document_over_the_limit_is_refused_though_its_length_was_not_told() -> None:
    with web_server(floods) as server, pytest.raises(RequestError, match="larger than the limit of 1 MiB"):
        whole(server.address)


def test_a_server_that_never_ends_is_left_after_the_time_that_is_given() -> None:
    with web_server(drips) as server, pytest.raises(RequestError, match=r"within 0\.5 seconds"):
        whole(server.address, Limits(MEBIBYTE, SUFFIXES, seconds=0.5))


@pytest.mark.parametrize(
    ("body", "kind", "status", "headers", "says"),
    [
        (b"gone", "text/plain", 404, {}, "answered with 404"),
        (b"MZ", "application/x-msdownload", 200, {}, "sends application/x-msdownload; these can be read: .txt"),
        (b"\x89PNG", "image/png", 200, {}, "sends image/png"),
        (b"MZ", "application/octet-stream", 200, {}, "these can be read"),
        (b"\x1f\x8b", "text/plain", 200, {"Content_Encoding": "gzip"}, "compressed"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(
    body: bytes, kind: str, status: int, headers: dict[str, str], says: str
) -> None:
    with web_server(sends(body, kind, status, **headers)) as server, pytest.raises(RequestError, match=says):
        whole(server.address)


def test_a_server_that_is_not_there_is_said_so() -> None:
    with web_server(sends(b"")) as server:
        address = server.address
    with pytest.raises(RequestError, match="can't be reached"):
        whole(address)
    with pytest.raises(RequestError, match=r"no server named nowhere\.invalid"):
        whole("https://nowhere.invalid/paper.pdf")


def test_a_server_that_can_not_prove_its_name_is_not_believed() -> None:
    with web_server(sends(b"plain, not TLS")) as server, pytest.raises(RequestError):
        whole(server.address.replace("http://", "https://"))


PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")


@given(st.sampled_from(PRIVATE).flatmap(lambda net: st.ip_addresses(network=net)))
def test_no_private_address_passes_for_public_in_any_of_its_forms(address: Address) -> None:
    number = int(address)
    assert not is_public(address)
    assert not is_public(ipaddress.IPv6Address(f"::ffff:{address}"))
    assert not is_public(ipaddress.IPv6Address((0x0064FF9B << 96) | number))
    assert not is_public(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))


@given(st.ip_addresses(v=6, network="fc00::/7") | st.ip_addresses(v=6, network="fe80::/10"))
def test_no_address_of_a_local_ipv6_network_passes_for_public(address: Address) -> None:
    assert not is_public(address)


def test_addresses_of_the_public_web_are_admitted() -> None:
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:2800:220:1::1"))


def test_a_document_is_added_from_a_web_address_on_the_page_and_can_be_asked_about(
    visit: Visit, served: Served
) -> None:
    before = dict(served.assistant.library.kept)
    page = visit.page
    with web_server(sends(b"Bridge\nThe stone bridge was opened in March 1911 by the mayor.\n")) as server:
        page.click("#open-library")
        page.fill("#web-address", f"{server.address}/papers/bridge")
        page.press("#web-address", "Enter")
        page.locator("#intake [data-state='added']", has_text="127.0.0.1-papers-bridge.txt").wait_for()
        assert page.input_value("#web-address") == ""
        page.fill("#web-address", "http://nowhere.invalid/a.pdf")
        page.press("#web-address", "Enter")
        page.wait_for_selector("#intake [data-state='failed'] >> text=nowhere.invalid")
        assert page.input_value("#web-address") == "http://nowhere.invalid/a.pdf"
    page.click("[data-do='view.close']")
    visit.ask("When was the stone bridge opened in March?")
    assert "March 1911" in page.locator(".turn q").first.inner_text()
    served.assistant.library.kept = before
    visit.errors.clear()  # the browser itself notes the refusal


def test_nothing_is_fetched_unless_the_administrator_allows_it(tmp_path: Path) -> None:
    from assistant.server.received_files import WebDocuments

    editor = DocumentEditor(None, lambda path, progress, collection: Taken("added"), tmp_path)  # type: ignore[arg-type]
    with web_server(sends(b"words")) as server:
        for allowed, reason in (("off", "can turn it on"), ("public", "inside this network")):
            web = WebDocuments(editor, PageSettings(web_uploads=allowed))  # type: ignore[arg-type]
            with pytest.raises(RequestError, match=reason):
                web.keep(server.address, None)
        assert server.asked == []
    assert list(tmp_path.iterdir()) == []
