output "arn" {
  description = "ARN of the role."
  value       = aws_iam_role.this.arn

  # Who is given the role can use it: its permissions are there.
  depends_on = [aws_iam_role_policy.this]
}

output "name" {
  description = "Name of the role."
  value       = aws_iam_role.this.name
}
