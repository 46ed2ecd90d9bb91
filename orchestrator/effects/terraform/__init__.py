"""Terraform: the program, its folders, its files."""
