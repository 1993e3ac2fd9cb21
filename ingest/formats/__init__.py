"""One reader for each format: bytes or a path -> `RawDocument`."""
