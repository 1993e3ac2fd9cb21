"""Read Word documents (.docx): paragraphs with their numbers, tables, text boxes and notes."""
