variable "kind" {
  description = "Where the repository is: `codecommit` (made here), or `github`, `gitlab` or `bitbucket` (linked through CodeConnections)."
  type        = string

  validation {
    condition     = contains(["codecommit", "github", "gitlab", "bitbucket"], var.kind)
    error_message = "kind is \"${var.kind}\": it is codecommit, github, gitlab or bitbucket."
  }
}

variable "repository" {
  description = "Name of the repository; owner/name where it is linked."
  type        = string

  validation {
    condition     = can(regex(var.kind == "codecommit" ? "^[A-Za-z0-9._-]{1,100}$" : "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$", var.repository))
    error_message = "repository is \"${var.repository}\": a CodeCommit repository has a plain name, any other owner/name."
  }
}

variable "branch" {
  description = "The protected branch."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.branch))
    error_message = "branch is \"${var.branch}\", which is not the name of a branch such as main."
  }
}

variable "stem" {
  description = "What the names of everything here begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,46}$", var.stem))
    error_message = "stem is \"${var.stem}\": use at most 47 lower-case letters, digits and hyphens."
  }
}

variable "logs" {
  description = "Log groups: days that they are kept, and ARN of the KMS key that encrypts them and the repository."
  type        = object({ retention_days = number, kms_key_arn = string })
}

variable "home" {
  description = "Whether people push to this Region's repository; elsewhere it only receives copies."
  type        = bool
  default     = true
}

variable "replicas" {
  description = "Regions whose repositories of the same name get a copy of everything that is pushed to this one."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.replicas) == 0 || (var.kind == "codecommit" && var.home)
    error_message = "replicas is [${join(", ", var.replicas)}]: only the home repository in CodeCommit is copied; others are read by every Region."
  }
}

variable "build" {
  description = "The image and size of builds."
  type        = object({ image = string, compute_type = string })
}
