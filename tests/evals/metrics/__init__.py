"""Test metrics against published definitions and established libraries."""
