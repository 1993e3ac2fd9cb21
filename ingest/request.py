"""Hold the request of `attest ingest` as one value, to carry out here or in the process that owns the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from ingest.pipeline import ingest_paths, ingest_samples
from ingest.report import Failure, IngestReport
from ingest.reread import ingest_again

if TYPE_CHECKING:
    from ingest.parse import ParseAll
    from store.library import Library, Progress

_FAILURES = ("failed", "flagged", "partial")


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """Files and folders to put into a library, and the options for them."""

    paths: tuple[str, ...] = ()
    """Absolute."""
    addresses: tuple[str, ...] = ()
    """Files elsewhere, in the form for `ingest.remote`."""
    sync: bool = False
    samples: bool = False
    again: bool = False
    collection: str | None = None


def carry_out(
    library: Library,
    request: IngestRequest,
    progress: Progress | None = None,
    parse_all: ParseAll | None = None,
) -> IngestReport:
    """Put the files into the library. Raises what `ingest_paths` and `ingest_addresses` raise."""
    report = IngestReport()
    if request.samples:
        report += ingest_samples(library, progress, request.collection)
    if request.paths:
        report += ingest_paths(
            library,
            request.paths,
            sync=request.sync,
            progress=progress,
            collection=request.collection,
            parse_all=parse_all,
        )
    if request.addresses:
        from ingest.remote import ingest_addresses

        report += ingest_addresses(
            library, request.addresses, progress=progress, collection=request.collection, parse_all=parse_all
        )
    if request.again:
        report += ingest_again(library, progress)
    return report


def report_values(report: IngestReport) -> dict[str, Any]:
    """Return a report as JSON values, without the errors behind its sentences."""
    listed = {name: [{"path": each.path, "error": each.error} for each in getattr(report, name)] for name in _FAILURES}
    return asdict(replace(report, failed=(), flagged=(), partial=())) | listed


def report_of(values: Mapping[str, Any]) -> IngestReport:
    """Return the report from `values`, which `report_values` made."""
    given = {each.name: values[each.name] for each in fields(IngestReport)}
    for name in _FAILURES:
        given[name] = tuple(Failure(each["path"], each["error"]) for each in values[name])
    return IngestReport(**(given | {"skipped": tuple(values["skipped"])}))
