"""Hold the suites that come with the program, for the samples in `ingest/samples`."""
