"""A report for each reader: the terminal, a browser, a CI server, a pull request, and other tools."""
