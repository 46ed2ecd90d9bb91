locals {
  managed = {
    for kind in ["role", "policy", "instance-profile"] : kind => [
      for pattern in sort(var.managed_names) : "${local.prefix}:${kind}/${pattern}"
    ]
  }

  carries_service_boundary = {
    StringEquals = { "iam:PermissionsBoundary" = "${local.prefix}:policy/${var.service_boundary_name}" }
  }

  iam_actions = {
    read = ["iam:Get*", "iam:List*"]
    bounded = [
      "iam:AttachRolePolicy",
      "iam:CreateRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
    ]
    roles = [
      "iam:DeleteRole",
      "iam:PassRole",
      "iam:TagRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    others = [
      "iam:AddRoleToInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:CreatePolicy",
      "iam:CreatePolicyVersion",
      "iam:DeleteInstanceProfile",
      "iam:DeletePolicy",
      "iam:DeletePolicyVersion",
      "iam:RemoveRoleFromInstanceProfile",
      "iam:SetDefaultPolicyVersion",
      "iam:TagInstanceProfile",
      "iam:TagPolicy",
      "iam:UntagInstanceProfile",
      "iam:UntagPolicy",
    ]
    linked = ["iam:CreateServiceLinkedRole"]
  }

  build_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Services"
        Effect   = "Allow"
        Action   = [for service in sort(var.services) : "${service}:*"]
        Resource = "*"
      },
      {
        Sid      = "ReadIam"
        Effect   = "Allow"
        Action   = local.iam_actions.read
        Resource = "*"
      },
      # What a role may do changes only while it carries the boundary (IAM, "Delegating responsibility to others using
      # permissions boundaries").
      {
        Sid       = "BoundedRoles"
        Effect    = "Allow"
        Action    = local.iam_actions.bounded
        Resource  = local.managed["role"]
        Condition = local.carries_service_boundary
      },
      {
        Sid      = "RolesByName"
        Effect   = "Allow"
        Action   = local.iam_actions.roles
        Resource = local.managed["role"]
      },
      {
        Sid      = "PoliciesAndProfilesByName"
        Effect   = "Allow"
        Action   = local.iam_actions.others
        Resource = concat(local.managed["policy"], local.managed["instance-profile"])
      },
      # AWS services make these for themselves at first use, with permissions that AWS fixes.
      {
        Sid      = "ServiceLinkedRoles"
        Effect   = "Allow"
        Action   = local.iam_actions.linked
        Resource = "${local.prefix}:role/aws-service-role/*"
      },
    ]
  }
}
