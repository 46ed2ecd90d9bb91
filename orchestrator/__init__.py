"""Releases Terraform to many AWS accounts and Regions from git tags."""

__version__ = "0.2.0"
