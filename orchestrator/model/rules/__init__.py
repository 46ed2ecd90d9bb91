"""The rules in `envs/`: read, checked, and what follows from them for a tag."""
