"""Hold labelled cases for the benchmarks: claims, follow-ups, and pairs of questions one word apart."""
