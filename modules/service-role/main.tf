module "names" {
  source = "../names"

  name   = "role"
  region = coalesce(var.region, "us-east-1")
}

locals {
  suffix = (
    var.region != null ? "-${module.names.region_short}" :
    var.role_version != null ? "-v${var.role_version}" : ""
  )
  name = "${var.name}${local.suffix}"
}

resource "aws_iam_role" "this" {
  name                 = local.name
  description          = var.description
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = sort(var.trusted_services) }
      },
      # The service acts for this account alone (IAM, "The confused deputy problem").
      var.source_account == null ? {} : {
        Condition = { StringEquals = { "aws:SourceAccount" = var.source_account } }
      },
    )]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = var.policies

  name   = each.key
  role   = aws_iam_role.this.id
  policy = each.value
}

moved {
  from = aws_iam_role_policy.this
  to   = aws_iam_role_policy.this["permissions"]
}
