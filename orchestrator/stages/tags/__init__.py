"""From a tag's name to a release, and from a wish to tags."""
