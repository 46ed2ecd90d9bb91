"""The stores of environments, and states brought into them."""
