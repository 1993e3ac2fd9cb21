"""Hold the suites shipped with Attest, for the samples in `ingest/samples`."""
