"""Report to each reader: the terminal, a browser, a CI server, a pull request, and other tools."""
