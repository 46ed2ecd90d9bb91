"""What is kept about a target, compared and told: evidence, bundle, timeline."""
