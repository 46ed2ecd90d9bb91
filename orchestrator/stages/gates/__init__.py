"""What may stop a release: each module but `gate`, `context` and `registry` is one gate."""
