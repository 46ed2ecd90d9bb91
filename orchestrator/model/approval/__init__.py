"""Approvals: who may say yes to a plan, and acting alone."""
