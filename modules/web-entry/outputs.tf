output "dns_name" {
  description = "DNS name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Route 53 zone of the load balancer, for alias records."
  value       = aws_lb.this.zone_id
}

output "url" {
  description = "Address of the page under the load balancer's own name: http, also where that redirects to HTTPS."
  value       = "http://${aws_lb.this.dns_name}/"
}

output "arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "security_group_id" {
  description = "ID of the load balancer's security group."
  value       = aws_security_group.this.id
}

output "log_bucket" {
  description = "Name of the bucket that holds the access logs."
  value       = aws_s3_bucket.logs.id
}
