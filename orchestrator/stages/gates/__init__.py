"""What may stop a plan or an apply."""
