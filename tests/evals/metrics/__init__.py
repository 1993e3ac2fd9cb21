"""Metrics against published definitions and established libraries."""
