"""Coordinate which process has a library open."""
