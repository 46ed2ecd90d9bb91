resource "aws_security_group" "this" {
  name        = "${var.name}-entry"
  description = "Web entry ${var.name}: HTTP from the allowed ranges"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-entry" }
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each = var.allowed_cidrs

  security_group_id = aws_security_group.this.id
  description       = "HTTP from ${each.value}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_lb" "this" {
  name                       = var.name
  internal                   = false
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.this.id]
  subnets                    = values(var.subnet_ids)
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) >= 2
      error_message = "An application load balancer needs subnets in two availability zones; subnet_ids holds ${length(var.subnet_ids)}. Add a zone to the network."
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = var.page.content_type
      message_body = var.page.body
      status_code  = "200"
    }
  }
}
