"""Labelled cases that the benchmarks read: claims, follow-ups, and pairs of questions one word apart."""
