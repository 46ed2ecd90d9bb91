"""Terraform states as the `s3` backend keeps them."""
