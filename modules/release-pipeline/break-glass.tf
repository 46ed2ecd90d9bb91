# That somebody breaks the glass is told to a topic which the rules name: by whoever breaks it, and by the role that
# applies for it.

locals {
  tells_of_glass = flatten([
    for topic in var.break_glass_topic == null ? [] : [var.break_glass_topic] : [
      {
        Sid      = "TellOfBrokenGlass"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = topic
      },
      # Its key, where it has one, is its owner's to choose, and used for this topic alone: SNS encrypts with the topic's
      # ARN as context ("Securing Amazon SNS data with server-side encryption").
      {
        Sid      = "EncryptForIt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource = "arn:${local.partition}:kms:${split(":", topic)[3]}:${split(":", topic)[4]}:key/*"
        Condition = {
          StringEquals = { "kms:EncryptionContext:aws:sns:topicArn" = topic }
          StringLike   = { "kms:ViaService" = "sns.${split(":", topic)[3]}.*" }
        }
      },
    ]
  ])

  appliers = merge(
    { apply = aws_iam_role.this["apply"].id },
    { for kind, role in aws_iam_role.people : kind => role.id if kind == "deploy" },
  )
}

# Beside their other rights, which are near the limit of a role's policy where teams are many.
resource "aws_iam_role_policy" "tells_of_glass" {
  for_each = var.break_glass_topic == null ? {} : local.appliers

  name   = "break-glass"
  role   = each.value
  policy = jsonencode({ Version = "2012-10-17", Statement = local.tells_of_glass })
}
