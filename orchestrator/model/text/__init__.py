"""Text and bytes: one form for digests, decoding by threads, quoting, masking."""
