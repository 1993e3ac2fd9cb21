"""List the licences of all installed packages, from their own metadata.

python -m tests.project.licences > docs/licences.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

ALLOWED = {
    "0BSD",
    "AFL-2.1",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
"""Licences under which a program may be used and shared together with ours, whatever it is used for. MPL-2.0 and
LGPL-3.0 (psycopg, in the extra `server`) ask for changes of their own files only."""
SPELLED = {
    "3-clause bsd license": "BSD-3-Clause",
    "academic free license (afl)": "AFL-2.1",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
"""What metadata of older packages say, in lower case, as SPDX has it."""
KNOWN = {
    "axe-playwright-python": "MIT",
    "click-default-group": "BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "pytest-timeout": "MIT",
}
"""Read in the licence files of packages whose metadata don't say it in a form that can be compared."""


@dataclass(frozen=True, slots=True)
class Licensed:
    """A distribution that is pinned."""

    name: str
    version: str
    licence: str | None
    """In SPDX's terms; None where it isn't installed on this machine."""

    @property
    def parts(self) -> set[str]:
        """The licences that the expression names."""
        plain = re.sub(r"[()]", " ", self.licence or "")
        return {part.strip() for part in re.split(r"\bAND\b|\bOR\b", plain) if part.strip()}


def licensed() -> list[Licensed]:
    """All that `constraints.txt` pins, in its order, each once."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = dict.fromkeys(canonicalize_name(Requirement(line).name) for line in lines)
    return [_licensed(name) for name in names]


def _licensed(name: str) -> Licensed:
    try:
        known = metadata(name).json
    except PackageNotFoundError:
        return Licensed(name, "", None)
    version = str(known["version"])
    if name in KNOWN:
        return Licensed(name, version, KNOWN[name])
    if expression := known.get("license_expression"):
        return Licensed(name, version, str(expression))
    classifiers = [line.rpartition(" :: ")[2] for line in known.get("classifier", ()) if "License ::" in line]
    plain = str(known.get("license") or "?").splitlines()[0]
    said = [each for each in classifiers if each != "OSI Approved"] or [plain]
    return Licensed(name, version, " OR ".join(SPELLED.get(each.lower(), each) for each in said))


def main() -> None:
    """Print the list as Markdown."""
    found = licensed()
    print(
        "# Licences of what is installed\n\n"
        "Made by `make licences` from the packages' own metadata; a test holds it to `constraints.txt` and to the list\n"
        "of licences that are allowed (`tests/project/licences.py`). What tests and benchmarks need is included.\n\n"
        "| package | version | licence |\n| --- | --- | --- |"
    )
    for each in found:
        if each.licence is not None:
            print(f"| {each.name} | {each.version} | {each.licence} |")
    absent = ", ".join(each.name for each in found if each.licence is None)
    print(
        "\nPinned for other platforms or Pythons, and not looked into here: "
        f"{absent}. Those of NVIDIA come with PyTorch's builds for graphics cards and are proprietary; its builds for\n"
        "processors bring none of them."
    )


if __name__ == "__main__":
    main()
