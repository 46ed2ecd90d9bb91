"""The programs that a release needs, and mirrors of Terraform's providers: found, installed."""
