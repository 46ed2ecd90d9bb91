"""Releases and tooling on AWS."""
