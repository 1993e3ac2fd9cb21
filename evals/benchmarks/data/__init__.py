"""Hold labelled cases for the benchmarks: claims, follow-ups, and pairs of questions that differ in one word."""
