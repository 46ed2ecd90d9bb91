variable "region" {
  description = "The tooling Region: `state.region`; with layout regional, each Region that has pipelines of its own."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\", which is not the name of an AWS Region: write it as in us-east-1."
  }

  validation {
    condition     = local.project.state.layout == "regional" || var.region == local.project.state.region
    error_message = "region is ${var.region}, but with layout central all tooling is in ${local.project.state.region} (state.region in envs/orchestrate.yaml)."
  }
}

variable "envs" {
  description = "Folder of the configuration; relative to this module, or absolute."
  type        = string
  default     = "../../envs"

  validation {
    condition     = fileexists("${startswith(var.envs, "/") ? "" : "${path.module}/"}${var.envs}/orchestrate.yaml")
    error_message = "envs is \"${var.envs}\", which holds no orchestrate.yaml: name the folder of the configuration."
  }
}

variable "package" {
  description = "Folder with the wheel of orchestrate and the requirements.txt that pins it and its dependencies by SHA-256; `orchestrate tooling` makes it."
  type        = string

  validation {
    condition     = fileexists("${var.package}/requirements.txt") && length(fileset(var.package, "orchestrate-*.whl")) == 1
    error_message = "package is \"${var.package}\": it must hold requirements.txt and one wheel of orchestrate. `orchestrate tooling plan` makes such a folder."
  }
}

variable "build" {
  description = "The image and size of builds."
  type        = object({ image = string, compute_type = string })
  default     = { image = "aws/codebuild/amazonlinux-x86_64-standard:5.0", compute_type = "BUILD_GENERAL1_SMALL" }
  nullable    = false

  validation {
    condition     = can(regex("[:@]", var.build.image)) && startswith(var.build.compute_type, "BUILD_")
    error_message = "build has the image ${var.build.image} and the size ${var.build.compute_type}: pin the image's version or digest, and give a CodeBuild compute type."
  }
}
