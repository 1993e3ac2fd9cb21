"""Ingest on a Ray cluster: workers read, split and embed; only this process writes to the library.

If a worker dies, Ray starts its task again. A file that kills its worker each time fails alone. If this process
ends, everything written stays, and the next ingest continues from there.
"""

from __future__ import annotations

import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingest.parse import FileOutcome, FileTask, parse_task, reader_failed
from store.embedding.wrapped import WrappedEmbedder
from store.errors import AttestError, EmbeddingModelError, LibraryError, RequestError

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder, PassageText, PassageVectors
    from store.types import Progress

LOCAL = "local"
RETRIES = 3
"""How often a task moves to another worker after one died."""
WINDOW = 4
"""Files per processor that are read ahead of the current one."""
CONNECT_SECONDS = 10
_NO_NODE = "No node info found"
"""In the cause of the error that `ray.init` raises, after a minute, on a machine outside the cluster (Ray 2.60)."""
MOST_PASSAGES = 64
"""Per batch."""

Load = Callable[[], "Embedder"]
"""Loads the embedding model on a worker."""

_loaded: dict[str, Embedder] = {}
"""On a worker: the model, by its fingerprint."""


class RayWorkers:
    """The processors of a Ray cluster, in the form that the pipeline and the library use."""

    def __init__(self, ray: Any, embedder: Embedder, load: Load, passage_tokens: int) -> None:  # noqa: ANN401 - an extra
        self._ray = ray
        self._parse = ray.remote(max_retries=RETRIES)(_parse)
        self._passage_tokens = passage_tokens
        self._model = (load, embedder.fingerprint)
        self.embedder: Embedder = RayEmbedder(ray, embedder, load)

    def parse_all(self, tasks: Iterable[FileTask]) -> Iterator[FileOutcome]:
        """Yield the result for each file, in order; some are read ahead."""
        waiting: deque[tuple[FileTask, Any]] = deque()
        for task in tasks:
            waiting.append((task, self._parse.remote(task, *self._model, self._passage_tokens)))
            if len(waiting) > WINDOW * _processors(self._ray):
                yield self._outcome(*waiting.popleft())
        while waiting:
            yield self._outcome(*waiting.popleft())

    def _outcome(self, task: FileTask, reference: Any) -> FileOutcome:  # noqa: ANN401 - Ray's reference
        try:
            made: FileOutcome = self._ray.get(reference)
        except self._ray.exceptions.WorkerCrashedError as error:
            return FileOutcome(task.file, failure=reader_failed(error))
        except self._ray.exceptions.RayError as error:
            raise _translated(error) from error
        return made


class RayEmbedder(WrappedEmbedder):
    """An embedding model whose passages the workers embed; everything else runs here."""

    def __init__(self, ray: Any, embedder: Embedder, load: Load) -> None:  # noqa: ANN401 - an extra
        super().__init__(embedder)
        self._ray = ray
        self._load = load
        self._embed = ray.remote(max_retries=RETRIES)(_embed)

    def embed_passages(self, passages: Sequence[PassageText], progress: Progress | None = None) -> list[PassageVectors]:
        """Embed passages on the workers, in the order given. Raises EmbeddingModelError, LibraryError."""
        batches = {
            self._embed.remote([passages[number] for number in batch], self._load, self.fingerprint): batch
            for batch in batches_by_length([len(each.text) for each in passages], _processors(self._ray))
        }
        made: dict[int, PassageVectors] = {}
        waiting = list(batches)
        while waiting:
            (done, *_), waiting = self._ray.wait(waiting)
            try:
                made |= zip(batches[done], self._ray.get(done), strict=True)
            except self._ray.exceptions.RayError as error:
                raise _translated(error) from error
            if progress is not None:
                progress(len(made), len(passages))
        return [made[number] for number in range(len(passages))]


def batches_by_length(lengths: Sequence[int], processors: int) -> list[list[int]]:
    """Return the indexes of texts in batches of similar length, longest first, at least one batch per processor.

    Texts in a batch are padded to its longest one, and a long batch at the end would make everyone wait.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    count = max(-(-len(order) // MOST_PASSAGES), min(processors, len(order)))
    ends = [number * len(order) // count for number in range(count + 1)] if count else []
    return [order[start:end] for start, end in pairwise(ends)]


def checked_address(address: str) -> str:
    """Return the address of a cluster. Raises RequestError for anything else, such as a path."""
    if address != LOCAL and not re.fullmatch(r"(ray://)?[^/\s:]+:\d{1,5}", address):
        raise RequestError(
            f"--ray takes the address of a cluster, such as 10.0.0.5:6379, not {address}: "
            "for one on this machine write --ray=local, or put --ray behind the paths."
        )
    return address


@contextmanager
def ray_workers(
    address: str, embedder: Embedder, load: Load, passage_tokens: int, *, processors: int | None = None
) -> Iterator[RayWorkers]:
    """Connect to the cluster at `address`, or start one on this machine, until the block ends.

    `processors` is the size of a started one; None means all. Raises LibraryError if Ray is missing or unreachable.
    """
    ray = _ray()
    cluster = {"num_cpus": processors, "include_dashboard": False} if address == LOCAL else {"address": address}
    try:
        if address != LOCAL:  # Ray itself keeps trying for minutes
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        ray.init(**cluster, log_to_driver=False, logging_level="ERROR", configure_logging=False)
    except (RuntimeError, ValueError, OverflowError, OSError) as error:
        if _NO_NODE in str(error.__cause__):
            host = address.rpartition(":")[0]
            raise LibraryError(
                f"This machine isn't a node of the Ray cluster at {address}: run `ray start --address={address}` on it first, "
                f"or name the port for clients of the cluster's head, as ray://{host}:10001."
            ) from error
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise LibraryError(f"The Ray cluster at {address} can't be reached: {reason}.") from error
    try:
        yield RayWorkers(ray, embedder, load, passage_tokens)
    finally:
        ray.shutdown()


def _ray() -> Any:  # noqa: ANN401 - an extra, without types where it is missing
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise LibraryError('--ray needs Ray, which isn\'t installed: run `pip install "attest[ray]"`.') from error
    return ray


def _processors(ray: Any) -> int:  # noqa: ANN401 - an extra
    """Return the cluster's current number of processors, because machines may join and leave."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _translated(error: Exception) -> AttestError:
    cause = getattr(error, "cause", None)
    if isinstance(cause, AttestError):
        return cause
    reason = str(error).strip().splitlines()[-1].rstrip(".")
    return LibraryError(f"The Ray cluster could not go on ({reason}). What was added stays: run the command again.")


def _model(load: Load, fingerprint: str) -> Embedder:
    """Return this worker's model, loaded once. Raises EmbeddingModelError if it isn't the library's."""
    if fingerprint not in _loaded:
        made = load()
        if made.fingerprint != fingerprint:
            raise EmbeddingModelError(
                f"A Ray worker has another embedding model ({made.name}) than the library: "
                "install the same version of Attest and of the model on all machines."
            )
        _loaded[fingerprint] = made
    return _loaded[fingerprint]


def _parse(task: FileTask, load: Load, fingerprint: str, passage_tokens: int) -> FileOutcome:
    return parse_task(task, _model(load, fingerprint).count_tokens, passage_tokens)


def _embed(passages: list[PassageText], load: Load, fingerprint: str) -> list[PassageVectors]:
    return _model(load, fingerprint).embed_passages(passages)
