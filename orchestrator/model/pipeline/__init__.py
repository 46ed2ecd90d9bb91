"""The pipeline's executions."""
