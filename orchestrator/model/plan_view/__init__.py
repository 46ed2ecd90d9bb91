"""What a plan would do, as the one value that every review of it is made from."""
