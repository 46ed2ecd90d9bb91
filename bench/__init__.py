"""What `orchestrate` costs beside Terraform itself: `make bench`."""
