"""Hold the revisions of the catalog, applied by `store.catalog.schema`."""
