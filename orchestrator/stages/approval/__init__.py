"""Approvals asked for, given and counted."""
