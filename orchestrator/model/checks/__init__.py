"""Checks of code: findings, what they cover, and which of them count."""
