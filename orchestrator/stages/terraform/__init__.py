"""Workspaces in which Terraform plans and applies."""
