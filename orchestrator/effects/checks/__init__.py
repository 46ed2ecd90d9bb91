"""The programs that check code."""
