mock_provider "aws" {
  mock_data "aws_region" {
    defaults = {
      name = "us-east-1"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:111111111111:log-group:mocked"
    }
  }
}

variables {
  name = "dev-research"
  cidr = "10.20.0.0/16"
  zones = {
    us-east-1a = { public = "10.20.0.0/20", private = "10.20.128.0/20" }
    us-east-1b = { public = "10.20.16.0/20", private = "10.20.144.0/20" }
  }
  flow_logs = { role_arn = "arn:aws:iam::111111111111:role/flow-logs" }
}

run "two_zones_without_nat" {
  assert {
    condition     = toset(keys(aws_subnet.public)) == toset(["us-east-1a", "us-east-1b"]) && toset(keys(aws_subnet.private)) == toset(keys(aws_subnet.public))
    error_message = "subnets must be keyed by their zone"
  }

  assert {
    condition     = alltrue([for subnet in merge(aws_subnet.public, aws_subnet.private) : !subnet.map_public_ip_on_launch])
    error_message = "no subnet hands out public addresses by itself"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0 && length(aws_eip.nat) == 0
    error_message = "nat is none by default"
  }

  assert {
    condition     = aws_route.internet.gateway_id == aws_internet_gateway.this.id
    error_message = "public subnets reach the internet gateway"
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "flow logs see all traffic and stay a year"
  }

  assert {
    condition     = aws_vpc_endpoint.gateway["s3"].service_name == "com.amazonaws.us-east-1.s3"
    error_message = "gateway endpoints are those of the provider's Region"
  }
}

run "one_zone" {
  variables {
    zones = { us-east-1a = { public = "10.20.0.0/20", private = "10.20.128.0/20" } }
  }

  assert {
    condition     = length(aws_subnet.public) == 1
    error_message = "one zone is enough for a network"
  }
}

run "six_zones" {
  variables {
    zones = {
      for place, letter in ["a", "b", "c", "d", "e", "f"] : "us-east-1${letter}" => {
        public  = cidrsubnet("10.20.0.0/16", 4, place)
        private = cidrsubnet("10.20.0.0/16", 4, place + 8)
      }
    }
  }

  assert {
    condition     = length(aws_route_table.private) == 6
    error_message = "each zone has a private route table"
  }
}

run "single_nat_serves_every_zone" {
  variables {
    nat = "single"
  }

  assert {
    condition     = toset(keys(aws_nat_gateway.this)) == toset(["us-east-1a"])
    error_message = "the single NAT gateway stands in the first zone by name"
  }

  assert {
    condition     = alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["us-east-1a"].id]) && length(aws_route.nat) == 2
    error_message = "both zones use it"
  }
}

run "nat_per_zone" {
  variables {
    nat = "per_zone"
  }

  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id]) && length(aws_route.nat) == 2
    error_message = "each zone uses its own NAT gateway"
  }
}

run "smallest_network" {
  variables {
    cidr  = "10.20.0.0/27"
    zones = { us-east-1a = { public = "10.20.0.0/28", private = "10.20.0.16/28" } }
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Dev_Research"
  }
  expect_failures = [var.name]
}

run "reject_cidr_that_is_none" {
  command = plan
  variables {
    cidr = "10.20.0.0"
  }
  expect_failures = [var.cidr]
}

run "reject_cidr_with_host_bits" {
  command = plan
  variables {
    cidr = "10.20.0.1/16"
  }
  expect_failures = [var.cidr]
}

run "reject_cidr_of_ipv6" {
  command = plan
  variables {
    cidr = "fd00::/20"
  }
  expect_failures = [var.cidr]
}

run "reject_subnet_of_ipv6" {
  command = plan
  variables {
    zones = { us-east-1a = { public = "fd00::/24", private = "10.20.128.0/20" } }
  }
  expect_failures = [var.zones]
}

run "reject_region_instead_of_a_zone" {
  command = plan
  variables {
    zones = { us-east-1 = { public = "10.20.0.0/20", private = "10.20.128.0/20" } }
  }
  expect_failures = [aws_subnet.public]
}

run "reject_cidr_too_small" {
  command = plan
  variables {
    cidr = "10.20.0.0/28"
  }
  expect_failures = [var.cidr]
}

run "reject_cidr_too_large" {
  command = plan
  variables {
    cidr = "10.0.0.0/8"
  }
  expect_failures = [var.cidr]
}

run "reject_no_zone" {
  command = plan
  variables {
    zones = {}
  }
  expect_failures = [var.zones]
}

run "reject_zone_of_another_region" {
  command = plan
  variables {
    zones = { eu-central-1a = { public = "10.20.0.0/20", private = "10.20.128.0/20" } }
  }
  expect_failures = [aws_subnet.public]
}

run "reject_malformed_subnet" {
  command = plan
  variables {
    zones = { us-east-1a = { public = "10.20.0.0/20", private = "10.20.128.7/20" } }
  }
  expect_failures = [var.zones]
}

run "reject_subnet_too_small" {
  command = plan
  variables {
    zones = { us-east-1a = { public = "10.20.0.0/29", private = "10.20.128.0/20" } }
  }
  expect_failures = [var.zones]
}

run "reject_subnet_outside" {
  command = plan
  variables {
    zones = { us-east-1a = { public = "10.20.0.0/20", private = "10.21.0.0/20" } }
  }
  expect_failures = [aws_vpc.this]
}

run "reject_overlap" {
  command = plan
  variables {
    zones = {
      us-east-1a = { public = "10.20.0.0/20", private = "10.20.128.0/20" }
      us-east-1b = { public = "10.20.16.0/20", private = "10.20.136.0/21" }
    }
  }
  expect_failures = [aws_vpc.this]
}

run "reject_nat" {
  command = plan
  variables {
    nat = "two"
  }
  expect_failures = [var.nat]
}

run "reject_gateway_endpoint" {
  command = plan
  variables {
    gateway_endpoints = ["s3", "sqs"]
  }
  expect_failures = [var.gateway_endpoints]
}

run "reject_flow_logs_role" {
  command = plan
  variables {
    flow_logs = { role_arn = "flow-logs" }
  }
  expect_failures = [var.flow_logs]
}

run "reject_flow_logs_retention" {
  command = plan
  variables {
    flow_logs = { role_arn = "arn:aws:iam::111111111111:role/flow-logs", retention_days = 100 }
  }
  expect_failures = [var.flow_logs]
}

run "reject_flow_logs_traffic" {
  command = plan
  variables {
    flow_logs = { role_arn = "arn:aws:iam::111111111111:role/flow-logs", traffic = "SOME" }
  }
  expect_failures = [var.flow_logs]
}
