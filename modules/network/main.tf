data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.outside) == 0
      error_message = "zones holds subnets outside the VPC's range ${var.cidr}: ${join(", ", local.outside)}. Move them inside, or change cidr."
    }

    precondition {
      condition     = length(local.overlapping) == 0
      error_message = "zones holds subnets that overlap: ${join(", ", local.overlapping)}. Give each a range of its own."
    }
  }
}

# Closed: no rule means no traffic. What needs traffic gets a group of its own.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-closed" }
}

resource "aws_subnet" "public" {
  for_each = var.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.public
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-${each.key}" }

  lifecycle {
    precondition {
      # us-east-1a, or a local zone that has been opted into (us-west-2-lax-1a).
      condition     = can(regex("^${data.aws_region.current.name}([a-z]|-[a-z0-9-]+)$", each.key))
      error_message = "${each.key} is not a zone of ${data.aws_region.current.name}, where the provider works. Name the zones of that Region, such as ${data.aws_region.current.name}a."
    }
  }
}

resource "aws_subnet" "private" {
  for_each = var.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value.private
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-private-${each.key}" }
}
