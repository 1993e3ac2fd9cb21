"""The suites that come with the program, over the samples in `ingest/samples`."""
