mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "111111111111"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }

  mock_data "aws_region" {
    defaults = {
      name = "us-east-1"
    }
  }

  mock_resource "aws_lb" {
    defaults = {
      arn      = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/mocked/0123456789abcdef"
      dns_name = "mocked.us-east-1.elb.amazonaws.com"
    }
  }
}

variables {
  name        = "dev-research"
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_ids  = { us-east-1a = "subnet-00000000000000001", us-east-1b = "subnet-00000000000000002" }
  page        = { body = "Region: us-east-1" }
  access_logs = { bucket = "dev-research-logs-111111111111-use1" }
}

run "plain_http" {
  assert {
    condition     = aws_lb_listener.http.default_action[0].fixed_response[0].message_body == "Region: us-east-1"
    error_message = "port 80 answers with the page"
  }

  assert {
    condition     = length(aws_lb_listener.https) == 0 && length(aws_vpc_security_group_ingress_rule.https) == 0
    error_message = "without a certificate nothing listens on 443"
  }

  assert {
    condition     = !aws_lb.this.internal && aws_lb.this.enable_deletion_protection && aws_lb.this.drop_invalid_header_fields
    error_message = "external, protected against deletion, strict about headers"
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == aws_s3_bucket.logs.id
    error_message = "access is logged"
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 0
    error_message = "no web ACL unless one is given"
  }
}

run "log_bucket_takes_load_balancer_logs_by_tls" {
  command = plan

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_s3_bucket_policy.logs.policy).Statement :
      statement.Effect == "Allow" &&
      statement.Resource == "arn:aws:s3:::dev-research-logs-111111111111-use1/AWSLogs/111111111111/*"
    ])
    error_message = "logs are delivered below the account's own prefix"
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_s3_bucket_policy.logs.policy).Statement :
      statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])
    error_message = "plain HTTP to the bucket is denied"
  }
}

run "https_with_redirect" {
  variables {
    certificate = { arn = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000000" }
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" && length(aws_lb_listener.http.default_action[0].fixed_response) == 0
    error_message = "port 80 redirects"
  }

  assert {
    condition     = aws_lb_listener.https["certificate"].default_action[0].fixed_response[0].message_body == "Region: us-east-1"
    error_message = "port 443 answers with the page"
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.https) == 1
    error_message = "port 443 is open to the allowed ranges"
  }
}

run "web_acl" {
  variables {
    web_acl = { arn = "arn:aws:wafv2:us-east-1:111111111111:regional/webacl/main/00000000-0000-0000-0000-000000000000" }
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this["acl"].resource_arn == aws_lb.this.arn
    error_message = "the web ACL stands before the load balancer"
  }
}

run "may_be_torn_down" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_lb.this.enable_deletion_protection && aws_s3_bucket.logs.force_destroy
    error_message = "without protection neither the load balancer nor its logs stand in the way of a destroy"
  }
}

run "protected" {
  command = plan

  assert {
    condition     = !aws_s3_bucket.logs.force_destroy
    error_message = "logs outlive a mistaken destroy"
  }
}

run "reject_certificate_of_another_region" {
  command = plan
  variables {
    certificate = { arn = "arn:aws:acm:eu-central-1:111111111111:certificate/00000000-0000-0000-0000-000000000000" }
  }
  expect_failures = [aws_lb_listener.https]
}

run "reject_web_acl_of_another_account" {
  command = plan
  variables {
    web_acl = { arn = "arn:aws:wafv2:us-east-1:222222222222:regional/webacl/main/00000000-0000-0000-0000-000000000000" }
  }
  expect_failures = [aws_wafv2_web_acl_association.this]
}

run "reject_allowed_cidrs_of_ipv6" {
  command = plan
  variables {
    allowed_cidrs = ["::/0"]
  }
  expect_failures = [var.allowed_cidrs]
}

run "reject_name_that_a_security_group_may_not_have" {
  command = plan
  variables {
    name = "sg-research"
  }
  expect_failures = [var.name]
}

run "reject_name" {
  command = plan
  variables {
    name = "internal-research"
  }
  expect_failures = [var.name]
}

run "reject_one_zone" {
  command = plan
  variables {
    subnet_ids = { us-east-1a = "subnet-00000000000000001" }
  }
  expect_failures = [aws_lb.this]
}

run "reject_page_too_long" {
  command = plan
  variables {
    page = { body = join("", [for number in range(103) : "0123456789"]) }
  }
  expect_failures = [var.page]
}

run "reject_content_type" {
  command = plan
  variables {
    page = { body = "x", content_type = "image/png" }
  }
  expect_failures = [var.page]
}

run "reject_allowed_cidrs" {
  command = plan
  variables {
    allowed_cidrs = []
  }
  expect_failures = [var.allowed_cidrs]
}

run "reject_certificate" {
  command = plan
  variables {
    certificate = { arn = "example.com" }
  }
  expect_failures = [var.certificate]
}

run "reject_old_tls" {
  command = plan
  variables {
    certificate = {
      arn        = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000000"
      ssl_policy = "ELBSecurityPolicy-2016-08"
    }
  }
  expect_failures = [var.certificate]
}

run "reject_web_acl_of_cloudfront" {
  command = plan
  variables {
    web_acl = { arn = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/main/00000000-0000-0000-0000-000000000000" }
  }
  expect_failures = [var.web_acl]
}

run "reject_log_bucket" {
  command = plan
  variables {
    access_logs = { bucket = "Logs" }
  }
  expect_failures = [var.access_logs]
}

run "reject_log_retention" {
  command = plan
  variables {
    access_logs = { bucket = "dev-research-logs", retention_days = 0 }
  }
  expect_failures = [var.access_logs]
}
