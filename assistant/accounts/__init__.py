"""Who may come in, and what for: accounts, their sessions, and attempts at signing in, in a file of their own."""
