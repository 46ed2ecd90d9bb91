"""Plans judged by checks and by the plan policy."""
