"""What the tests of the Terraform modules share."""
