"""The stages of a release, and the releases that follow from others."""
