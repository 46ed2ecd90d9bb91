"""Parts that all reports use."""
