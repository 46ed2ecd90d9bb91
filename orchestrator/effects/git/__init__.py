"""Git: the repository, its objects and tags, the working tree, signatures."""
