"""Read texts: find whether a text answers a question, and with which words."""
