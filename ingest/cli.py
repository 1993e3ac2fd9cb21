"""`attest ingest`: add files and folders to the library; `attest prepare`: add the samples to an empty one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from store.cli import progress_bar

if TYPE_CHECKING:
    from ingest.on_ray import RayWorkers
    from ingest.report import IngestReport
    from ingest.request import IngestRequest
    from store.ownership.owner_client import OwnerClient
    from store.settings import Settings


class _Ingest(click.Command):
    """Lists the readable formats in its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from ingest.readers import READERS

        with formatter.section("Formats"):
            formatter.write_dl([(reader.name, " ".join(reader.suffixes)) for reader in READERS])


@click.command(cls=_Ingest)
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--sync", is_flag=True, help="Also remove documents whose files are gone from the given folders.")
@click.option("--samples", is_flag=True, help="Also put in the sample documents that come with Attest.")
@click.option("--again", is_flag=True, help="Also read the files again that an older version of Attest read.")
@click.option("--collection", help="What the documents belong to; without it, known ones stay where they are.")
@click.option(
    "--ray",
    "ray",
    is_flag=False,
    flag_value="local",
    metavar="[ADDRESS]",
    help="Read and embed on the Ray cluster at ADDRESS; without one, on one that is started here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@click.pass_obj
def ingest(
    settings: Settings,
    /,
    paths: tuple[str, ...],
    sync: bool,
    samples: bool,
    again: bool,
    collection: str | None,
    ray: str | None,
    as_json: bool,
) -> int:
    """Put the files at PATH... into the library, folders with all below them; https://, s3:// and gs:// addresses too.

    A file that did not change is left alone; one that can't be read is named with the reason, the rest goes on, and
    the exit code is 1, as it is where nothing could be read. A sources.yaml beside the files gives their title,
    speaker, published, language and collection.
    """
    if not paths and not samples and not again:
        raise click.UsageError("Name at least one PATH: a file, or a folder of files.")
    report = _ingest(settings, paths, sync=sync, samples=samples, again=again, collection=collection, ray=ray)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        show(report, nothing="No document was read by an older version." if again else None)
    return 1 if report.failed or (report.is_empty and not again) else 0


def _ingest(
    settings: Settings,
    paths: tuple[str, ...],
    *,
    ray: str | None,
    **choices: Any,  # noqa: ANN401 - those of IngestRequest
) -> IngestReport:
    from ingest.remote import checked_address, is_address
    from ingest.request import IngestRequest, carry_out
    from ingest.walk import roots_of
    from store.library import Library
    from store.ownership.owner_client import find_changing_owner

    # Report a wrong path before creating a library or loading a model.
    addresses = tuple(checked_address(path) for path in paths if is_address(path))
    roots = roots_of([path for path in paths if not is_address(path)])
    request = IngestRequest(tuple(map(str, roots)), addresses, **choices)
    if request.sync and addresses:
        raise click.UsageError("--sync follows folders of this machine, not addresses: leave it out, or them.")
    owner = find_changing_owner(settings.home) if ray is None else None
    if owner is not None:
        return _by_owner(owner, settings, request)
    with ExitStack() as stack:
        workers = None if ray is None else stack.enter_context(_workers(settings, ray))
        library = stack.enter_context(Library.open(settings, embedder=workers.embedder if workers else None))
        progress = stack.enter_context(progress_bar("Embedding"))
        return carry_out(library, request, progress, workers.parse_all if workers else None)


def _by_owner(owner: OwnerClient, settings: Settings, request: IngestRequest) -> IngestReport:
    """Let the server that owns the library read the files. Raises the errors from there."""
    from dataclasses import asdict

    from ingest.request import report_of
    from store.ownership.owner_client import OwnerGoneError
    from store.settings import facts_for_ingest

    owner.require(facts_for_ingest(settings))
    with progress_bar("Embedding") as progress:
        for name, values in owner.events("/api/owner/ingest", asdict(request)):
            if name == "finished":
                return report_of(values)
            if progress is not None:
                progress(values["done"], values["known"])
    raise OwnerGoneError(
        "The server that was adding the files has stopped: what it had added is kept. Run the command again for the rest."
    )


@contextmanager
def _workers(settings: Settings, address: str) -> Iterator[RayWorkers]:
    from functools import partial as with_arguments

    from ingest.on_ray import checked_address, ray_workers
    from store.embedding.weights import load_embedder

    address = checked_address(address)
    load = with_arguments(load_embedder, settings.embedding_model)
    with ray_workers(address, load(), load, settings.passage_tokens) as workers:
        yield workers


def show(report: IngestReport, nothing: str | None = None) -> None:
    """Show a report: failures and skipped parts on stderr, each with its reason, then the counts.

    `nothing` is the message if there was nothing to read.
    """
    for failure in report.failed:
        click.echo(f"{failure.path}: {failure.error}", err=True)
    for flagged in report.flagged:
        click.echo(f"{flagged.path} was added, but look at it: {flagged.error}", err=True)
    for partial in report.partial:
        click.echo(f"{partial.path}: {partial.error}", err=True)
    if report.skipped_count:
        click.echo(_skipped(report), err=True)
    if report.is_empty and not report.failed:
        click.echo(nothing or "There was nothing to read.", err=True)
    click.echo(
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed, "
        f"{len(report.failed)} failed; {report.passages} passages in {report.seconds:.1f} s"
    )


def _skipped(report: IngestReport) -> str:
    """Return a sentence that names the files of unknown formats, or only the first of many."""
    from ingest.read import formats_in_words

    names = ", ".join(report.skipped)
    more = report.skipped_count - len(report.skipped)
    rest = f" and {more:,} more" if more else ""
    files = "1 file was" if report.skipped_count == 1 else f"{report.skipped_count:,} files were"
    return f"{files} skipped, of formats that can't be read: {names}{rest}. Readable are {formats_in_words()}."


@click.command()
@click.pass_obj
def prepare(settings: Settings, /) -> int:
    """Add the sample documents to an empty library."""
    report = add_samples(settings)
    if report is None:
        tell_of_older_documents(settings)
        return 0
    click.echo("The library was empty: the sample documents go in.")
    show(report)
    return 1 if report.failed else 0


def tell_of_older_documents(settings: Settings) -> None:
    """Name the documents that an older version read, or only the first of many, and say what to do."""
    from ingest.reread import older_readings
    from store.library import Library

    with Library.open(settings, read_only=True) as library:
        older = older_readings(library)
    if older.count:
        click.echo(older.advice, err=True)


def add_samples(settings: Settings) -> IngestReport | None:
    """Add the samples; do nothing and return None if the library already has documents."""
    from store.library import Library

    # Only read: the page may be open, and then the library has an owner.
    with Library.open(settings, read_only=True) as library:
        if library.statistics().documents:
            return None
    from ingest.pipeline import ingest_samples

    with Library.open(settings) as library, progress_bar("Adding the samples") as progress:
        return ingest_samples(library, progress)
