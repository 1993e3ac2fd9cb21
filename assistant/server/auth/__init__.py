"""Identify visitors and limit what they see and do: sign-in, permissions, and a visitor's view of the library."""
