"""What every stage works with: the release, its stores, the targets."""
