"""What a release needs, looked at."""
