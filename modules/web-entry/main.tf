resource "aws_security_group" "this" {
  #checkov:skip=CKV_AWS_260: a public web entry; a plan over what stands shows the ingress rules below as its own
  name        = "${var.name}-entry"
  description = "Web entry ${var.name}: HTTP from the allowed ranges"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-entry" }
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  #checkov:skip=CKV_AWS_260: a public web entry; port 80 answers with a redirect where a certificate is given, else with the page
  for_each = var.allowed_cidrs

  security_group_id = aws_security_group.this.id
  description       = "HTTP from ${each.value}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = var.certificate == null ? [] : var.allowed_cidrs

  security_group_id = aws_security_group.this.id
  description       = "HTTPS from ${each.value}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# No way out: a fixed response has no targets. What puts targets behind the entry adds an egress rule to them.
resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_20: redirects wherever a certificate is given; without a domain name there can be none
  #checkov:skip=CKV2_AWS_28: a web ACL is associated where one is given (web_acl); the page is static
  #checkov:skip=CKV2_AWS_76: the rules of a given web ACL are its owner's, who scans them where they are written
  name                       = var.name
  internal                   = false
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.this.id]
  subnets                    = values(var.subnet_ids)
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) >= 2
      error_message = "An application load balancer needs subnets in two availability zones; subnet_ids holds ${length(var.subnet_ids)}. Add a zone to the network."
    }
  }

  # The load balancer writes a test object as soon as logging is switched on.
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_listener" "http" {
  #checkov:skip=CKV_AWS_2: HTTP redirects to HTTPS wherever a certificate is given; without a domain name there can be none
  #checkov:skip=CKV_AWS_103: TLS does not apply to port 80; the HTTPS listener takes TLS 1.2 and 1.3 only
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = var.certificate == null ? "fixed-response" : "redirect"

    dynamic "fixed_response" {
      for_each = var.certificate == null ? [var.page] : []

      content {
        content_type = fixed_response.value.content_type
        message_body = fixed_response.value.body
        status_code  = "200"
      }
    }

    dynamic "redirect" {
      for_each = var.certificate == null ? [] : ["https"]

      content {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  for_each = var.certificate == null ? {} : { certificate = var.certificate.arn }

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.certificate.ssl_policy
  certificate_arn   = each.value

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = var.page.content_type
      message_body = var.page.body
      status_code  = "200"
    }
  }

  lifecycle {
    precondition {
      condition     = can(regex("^arn:[^:]+:(acm:${local.region}|iam:):${local.account}:", each.value))
      error_message = "certificate.arn is ${each.value}: a load balancer takes certificates of its own Region and account only. Give one of ${local.region} in account ${local.account}; set certificate where one Region alone reads it."
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = var.web_acl == null ? {} : { acl = var.web_acl.arn }

  resource_arn = aws_lb.this.arn
  web_acl_arn  = each.value

  lifecycle {
    precondition {
      condition     = can(regex("^arn:[^:]+:wafv2:${local.region}:${local.account}:", each.value))
      error_message = "web_acl.arn is ${each.value}: a load balancer takes web ACLs of its own Region and account only. Give one of ${local.region} in account ${local.account}; set web_acl where one Region alone reads it."
    }
  }
}
