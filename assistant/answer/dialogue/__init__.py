"""Handle turns of a conversation: decide the kind of each, and build answers that need no search for a quote."""
