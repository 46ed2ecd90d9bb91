"""What Terraform reads and says: roots, lock files, plans, states, its output and errors."""
