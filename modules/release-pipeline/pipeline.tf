locals {
  with_execution = [
    { name = "TAG", type = "PLAINTEXT", value = "#{variables.TAG}" },
    { name = "COMMIT", type = "PLAINTEXT", value = "#{variables.COMMIT}" },
    { name = "EXECUTION_ID", type = "PLAINTEXT", value = "#{codepipeline.PipelineExecutionId}" },
  ]
  with_plan = concat(local.with_execution, [{ name = "DIGEST", type = "PLAINTEXT", value = "#{plan.DIGEST}" }])

  check_builds = {
    for check in local.checks : title(check) => { step = check, inputs = ["source"], outputs = [check], variables = local.with_execution, namespace = null }
  }
  builds = merge(local.check_builds, {
    Plan   = { step = "plan", inputs = concat(["source"], local.checks), outputs = [], variables = local.with_execution, namespace = "plan" }
    Apply  = { step = "apply", inputs = ["source"], outputs = [], variables = local.with_plan, namespace = null }
    Verify = { step = "verify", inputs = ["source"], outputs = [], variables = local.with_plan, namespace = null }
  })
  # A plan that changes nothing needs no approval and no apply.
  if_changes = ["Approve", "Apply"]
  order      = concat([for check in local.checks : title(check)], ["Plan"], var.approvals > 0 ? ["Approve"] : [], ["Apply", "Verify"])
}

resource "aws_codepipeline" "this" {
  name           = var.name
  role_arn       = aws_iam_role.this["runner"].arn
  pipeline_type  = "V2"
  execution_mode = "PARALLEL"

  variable {
    name        = "TAG"
    description = "The tag to release; each step resolves it again"
  }

  variable {
    name        = "COMMIT"
    description = "The commit that submit found for it; each step compares"
  }

  artifact_store {
    type     = "S3"
    location = var.stores.release_bucket

    dynamic "encryption_key" {
      for_each = var.stores.kms_key_arn == null ? [] : [var.stores.kms_key_arn]

      content {
        type = "KMS"
        id   = encryption_key.value
      }
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "S3"
      version          = "1"
      output_artifacts = ["source"]

      # Submit names the object and its version when it starts an execution; nothing is looked for.
      configuration = {
        S3Bucket                    = var.stores.release_bucket
        S3ObjectKey                 = "sources/given-by-submit.zip"
        PollForSourceChanges        = "false"
        AllowOverrideForS3ObjectKey = "true"
      }
    }
  }

  dynamic "stage" {
    for_each = local.order

    content {
      name = stage.value

      dynamic "before_entry" {
        for_each = contains(local.if_changes, stage.value) ? ["SKIP"] : []

        content {
          condition {
            result = before_entry.value

            rule {
              name = "Changes"
              configuration = {
                Variable = "#{plan.CHANGES}"
                Value    = "true"
                Operator = "EQ"
              }

              rule_type_id {
                category = "Rule"
                owner    = "AWS"
                provider = "VariableCheck"
                version  = "1"
              }
            }
          }
        }
      }

      dynamic "action" {
        for_each = stage.value == "Approve" ? range(1, var.approvals + 1) : []

        content {
          name               = "Approve-${action.value}"
          category           = "Approval"
          owner              = "AWS"
          provider           = "Manual"
          version            = "1"
          run_order          = 1
          timeout_in_minutes = var.plan_expiry_hours * 60

          configuration = {
            NotificationArn    = aws_sns_topic.this.arn
            CustomData         = "#{plan.MESSAGE}"
            ExternalEntityLink = "#{plan.RECEIPT_URL}"
          }
        }
      }

      dynamic "action" {
        for_each = contains(keys(local.builds), stage.value) ? [local.builds[stage.value]] : []

        content {
          name             = stage.value
          category         = "Build"
          owner            = "AWS"
          provider         = "CodeBuild"
          version          = "1"
          namespace        = action.value.namespace
          input_artifacts  = action.value.inputs
          output_artifacts = action.value.outputs

          configuration = merge(
            {
              ProjectName          = aws_codebuild_project.this[action.value.step].name
              EnvironmentVariables = jsonencode(action.value.variables)
            },
            length(action.value.inputs) > 1 ? { PrimarySource = action.value.inputs[0] } : {},
          )
        }
      }
    }
  }

  # The role's rights are there before the first execution.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.accounts]
}
