# Only the named roles, never the whole tooling account. IAM ties such a trust to the role's identity: a role that is
# deleted and made again under the same name is not trusted until this is applied again.

locals {
  trust = {
    for kind, arns in { plan = var.plan_trusted_role_arns, build = var.build_trusted_role_arns } : kind => {
      Version                = "2012-10-17"
      Statement = [
        merge(
          {
            Sid       = "NamedRoles"
            Effect    = "Allow"
            Principal = { AWS = sort(arns) }
            Action    = "sts:AssumeRole"
          },
          var.external_id == null ? {} : { Condition = { StringEquals = { "sts:ExternalId" = var.external_id } } },
        ),
        # Without it AWS refuses an AssumeRole that passes session tags (IAM, "Pass session tags in AWS STS").
        {
          Sid       = "SessionTags"
          Effect    = "Allow"
          Principal = { AWS = sort(arns) }
          Action    = "sts:TagSession"
          Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = sort(var.session_tag_keys) } }
        },
        # A session that carries a source identity carries it on, and AWS refuses to where this is not allowed (IAM,
        # "Monitor and control actions taken with assumed roles"). It grants nothing: CloudTrail names the person by it.
        {
          Sid       = "SourceIdentity"
          Effect    = "Allow"
          Principal = { AWS = sort(arns) }
          Action    = "sts:SetSourceIdentity"
        },
      ]
    }
  }
}
