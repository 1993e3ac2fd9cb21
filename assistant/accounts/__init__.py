"""Manage accounts, their sessions, and attempts to sign in, in their own database."""
