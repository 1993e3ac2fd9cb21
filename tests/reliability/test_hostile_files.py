"""Broken, enormous and harmful files are reported with their reason, and the others are added."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.pipeline import ingest_paths
from store.library import Library
from tests.conftest import ROOT
from tests.ingest import files
from tests.ingest.old_encodings import encode
from tests.store.building import HashingEmbedder

ENGLISH = "The council met in spring and agreed that river {} needs a warning bell before the rain."
THAI = "ที่ประชุมเห็นพ้องกันว่าประเทศกำลังพัฒนาควรได้รับความช่วยเหลือมากขึ้นในปีหน้า"
VIETNAMESE = "Hội nghị thống nhất rằng các nước đang phát triển cần được giúp đỡ nhiều hơn trong năm tới."
JAPANESE = "会議では、開発途上国への支援を来年さらに増やすべきだという点で一致した。"
CHINESE = "与会者一致认为，明年应当向发展中国家提供更多的援助，并且加强各国之间的合作。"
VIQR = "Ho^.i nghi. tho^'ng nha^'t ra(`ng ca'c nu+o+'c ddang pha't trie^?n ca^`n ddu+o+.c giu'p ddo+~."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def _ingest(folder: Path, home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What went in, by name, and what failed, by name."""
    with Library.open(home, embedder=HashingEmbedder()) as library:
        report = ingest_paths(library, [folder])
        documents = library.documents(limit=1000).documents
        texts = {Path(each.uri).name: library.text(each.id) for each in documents}
    return texts, {Path(each.path).name: each.error for each in report.failed}


def test_of_fifty_files_with_three_bad_ones_forty_seven_go_in(folder: Path, tmp_path: Path) -> None:
    for number in range(47):
        (folder / f"{number:02}.txt").write_text(ENGLISH.format(number), encoding="utf-8")
    (folder / "corrupt.pdf").write_bytes(files.pdf([[ENGLISH] * 9])[:200])
    (folder / "encrypted.pdf").write_bytes(files.encrypted_pdf())
    (folder / "empty.txt").write_bytes(b"")
    texts, failed = _ingest(folder, tmp_path / "home")
    assert len(texts) == 47
    assert failed.keys() == {"corrupt.pdf", "encrypted.pdf", "empty.txt"}
    assert "damaged" in failed["corrupt.pdf"]
    assert "encrypted: remove its password" in failed["encrypted.pdf"]
    assert "empty" in failed["empty.txt"]


def test_old_encodings_are_decoded_rightly_or_refused_never_garbled(folder: Path, tmp_path: Path) -> None:
    written = {
        "tcvn.txt": (encode(VIETNAMESE, "TCVN3"), VIETNAMESE),
        "viscii.txt": (encode(VIETNAMESE, "VISCII"), VIETNAMESE),
        "tis-620.txt": (THAI.encode("tis-620"), THAI),
        "shift-jis.txt": (JAPANESE.encode("shift_jis"), JAPANESE),
        "gb2312.txt": (CHINESE.encode("gb2312"), CHINESE),
        "viqr.txt": (VIQR.encode("ascii"), None),
        "vps.txt": (_vps(VIETNAMESE), None),
        "invalid-utf-8.txt": (THAI.encode()[:-1] + b"\xff\xfe\xc0" + THAI.encode(), None),
        "half-of-each.txt": (THAI.encode() + b"\n" + THAI.encode("tis-620"), None),
    }
    for name, (data, _) in written.items():
        (folder / name).write_bytes(data)
    texts, failed = _ingest(folder, tmp_path / "home")
    for name, (data, expected) in written.items():
        if expected is not None:
            assert texts[name] == expected, name
        elif name in texts:  # nothing but what stands in the bytes may be shown
            assert texts[name] in (VIETNAMESE, VIQR, data.decode("utf-8", "ignore")), name
        else:
            assert failed[name].endswith("."), name
    assert {"invalid-utf-8.txt", "half-of-each.txt"} <= failed.keys()


def _vps(text: str) -> bytes:
    """Vietnamese in single bytes after the manner of VPS, a code page that is not known here."""
    letters = {"ộ": 0xB6, "ị": 0xCE, "ố": 0xD3, "ấ": 0xC3, "ằ": 0xA2, "ư": 0xDC, "ớ": 0xA7, "đ": 0xC7, "ể": 0x8C}
    letters |= {"ầ": 0xC0, "ợ": 0xAE, "ỡ": 0xAA, "ề": 0x8B, "ơ": 0xD6, "ă": 0xE6, "ú": 0xFA, "á": 0xE1, "ê": 0xEA}
    return bytes(letters.get(c, ord(c) if ord(c) < 256 else 0x3F) for c in text)


READ = """
import json, resource, sys
from pathlib import Path
from ingest.normalize import normalize
from ingest.read import read_document
from store.errors import ReadError
from tests.memory import begin, peak_megabytes
read_document(Path("warm.html"), b"<p>warm</p>")
before = begin()
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for name in sys.argv[1:]:
    try:
        said = f"{sum(len(block.text) for block in read_document(Path(name)).blocks)} characters"
    except ReadError as error:
        said = str(error)
    # A PDF is read in a process of its own.
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    grown = max(peak_megabytes(), child) - before
    print(json.dumps({"name": Path(name).name, "said": said, "megabytes": grown}))
"""


def test_bombs_and_loops_are_refused_in_little_memory(folder: Path) -> None:
    """Read in a process that may not have more than two gigabytes of addresses."""
    prolog = '<!DOCTYPE b [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 9}">' for n in range(20)
    )
    bombs = {
        "lies.docx": files.lying_zip_bomb(),
        "blanks.docx": files.docx_with_body("<w:p/>" + " " * 100 * 2**20),
        "entities.docx": files.docx_with_body("<w:p><w:r><w:t>safe &u;</w:t></w:r></w:p>", prolog + "]>"),
        "nested.html": b"<div>" * 100_000 + b"x",
        "lists.html": b"<b><ul><li>" * 100_000 + b"x",
        "quotes.md": b"> " * 100_000 + b"x",
        "loop.pdf": files.pdf_with_a_loop(),
    }
    for name, data in bombs.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, sorted(folder.iterdir()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["name"] for each in seen} == bombs.keys()
    for each in seen:
        assert each["megabytes"] < 500, each
        if each["name"] == "entities.docx":
            assert "haha" not in each["said"], each
        else:
            assert "limit" in each["said"] or "damaged" in each["said"] or "scan" in each["said"], each


def test_a_gigabyte_of_text_and_a_line_of_a_hundred_megabytes_are_refused_by_a_named_limit(
    folder: Path, tmp_path: Path
) -> None:
    with (folder / "gigabyte.txt").open("wb") as file:
        file.truncate(2**30)
    with (folder / "line.txt").open("wb") as file:
        file.write(b"x" * 100)
        file.truncate(100 * 2**20)
    texts, failed = _ingest(folder, tmp_path / "home")
    assert texts == {}
    assert failed["gigabyte.txt"] == "This file is 1,024 MB long; the limit is 32 MB."
    assert failed["line.txt"] == "This file is 100 MB long; the limit is 32 MB."


LINE = """
import sys
from pathlib import Path
from ingest.pipeline import ingest_paths
from store.library import Library
from tests.memory import peak_megabytes
from tests.store.building import HashingEmbedder
with Library.open(Path(sys.argv[1]), embedder=HashingEmbedder()) as library:
    report = ingest_paths(library, [sys.argv[2]])
    hits = library.search("bell 77777", 3).hits
    print(report.added, report.failed, len(hits), peak_megabytes())
"""


@pytest.mark.hard
def test_the_longest_line_that_is_taken_costs_bounded_memory(folder: Path, tmp_path: Path) -> None:
    words = " ".join(f"bell {number}" for number in range(1_200_000))[:15_000_000]
    (folder / "line.txt").write_text(words, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LINE, str(tmp_path / "home"), str(folder / "line.txt")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    added, *_, megabytes = done.stdout.split()
    assert added == "1", done.stdout
    assert int(megabytes) < 1_000


def test_a_folder_with_ways_out_of_it_gives_only_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("The password is swordfish.", encoding="utf-8")
    (folder / "inside.txt").write_text(ENGLISH, encoding="utf-8")
    (folder / "inner").mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe.txt")
    if os.geteuid() == 0:
        os.mknod(folder / "zero.txt", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        report = ingest_paths(library, [folder / "inner" / ".."])
        assert (report.added, report.failed) == (1, ())
        assert all("swordfish" not in hit.text for hit in library.search("password swordfish", 10).hits)
        named = ingest_paths(library, [folder / "pipe.txt", *([folder / "zero.txt"] if os.geteuid() == 0 else [])])
        assert named.added == 0
        assert all("device" in each.error for each in named.failed)
        assert named.failed
