"""Plans as text, markdown, HTML and JSON, all made from the one view."""
