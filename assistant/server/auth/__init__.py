"""Who asks, and what they may see and do: sign-in, permissions, and the library as one visitor may use it."""
