"""Questions that the documents answer: what people are offered to ask, and what a suite can be begun with."""
