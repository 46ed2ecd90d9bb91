output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "IPv4 range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "IDs of the public subnets, by availability zone."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }

  # What is put into them needs the way out from the first, and must be gone before it can be taken away: AWS refuses an
  # external load balancer in a VPC without an internet gateway.
  depends_on = [aws_route.internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "IDs of the private subnets, by availability zone."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }

  depends_on = [aws_route.nat, aws_route_table_association.private]
}

output "nat_public_ips" {
  description = "Public addresses that private subnets are seen with, by availability zone; empty without NAT."
  value       = { for zone, address in aws_eip.nat : zone => address.public_ip }
}

output "flow_log_group_name" {
  description = "Name of the log group that holds the flow logs."
  value       = aws_cloudwatch_log_group.flow.name
}
