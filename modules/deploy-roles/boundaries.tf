# A boundary grants nothing. It is what a role can do at most, whatever policies it is given later.

locals {
  services_only = {
    Sid      = "Services"
    Effect   = "Allow"
    Action   = [for service in sort(var.services) : "${service}:*"]
    Resource = "*"
  }

  # Listed although nothing allows it, so that it stays forbidden when the services above grow.
  never = [
    {
      Sid      = "NotTheAccount"
      Effect   = "Deny"
      Action   = ["account:*", "organizations:*", "sts:AssumeRole*"]
      Resource = "*"
    },
    {
      Sid       = "NotItself"
      Effect    = "Deny"
      NotAction = ["iam:Get*", "iam:List*"]
      Resource  = local.own_arns
    },
  ]

  build_boundary = {
    Version = "2012-10-17"
    Statement = concat(
      [
        local.services_only,
        {
          Sid      = "Iam"
          Effect   = "Allow"
          Action   = flatten([for kind, actions in local.iam_actions : actions if kind != "bounded"])
          Resource = "*"
        },
        # Here as well as in the role's own policy: a policy that somebody attaches to it later does not lift this.
        {
          Sid       = "BoundedRoles"
          Effect    = "Allow"
          Action    = local.iam_actions.bounded
          Resource  = "*"
          Condition = local.carries_service_boundary
        },
      ],
      local.never,
      [
        {
          Sid    = "NoWayAround"
          Effect = "Deny"
          Action = [
            "iam:*AccessKey*",
            "iam:*AccountPasswordPolicy",
            "iam:*Group*",
            "iam:*LoginProfile",
            "iam:*MFADevice",
            "iam:*Provider*",
            "iam:*ServiceSpecificCredential*",
            "iam:*SigningCertificate*",
            "iam:*User*",
            "iam:DeleteRolePermissionsBoundary",
          ]
          Resource = "*"
        },
      ],
    )
  }

  service_boundary = {
    Version = "2012-10-17"
    Statement = concat(
      [local.services_only],
      local.never,
      [
        {
          Sid      = "NoIam"
          Effect   = "Deny"
          Action   = "iam:*"
          Resource = "*"
        },
      ],
    )
  }
}

resource "aws_iam_policy" "build_boundary" {
  name        = var.build_boundary_name
  description = "The most that ${var.build_role_name} can ever do"
  policy      = jsonencode(local.build_boundary)
}

resource "aws_iam_policy" "service_boundary" {
  name        = var.service_boundary_name
  description = "The most that roles made by ${var.build_role_name} can ever do"
  policy      = jsonencode(local.service_boundary)
}
