# A single folder with a default and two aliased providers, each with credentials of its own that must not be used.
terraform {
  backend "local" {
    path = "/nonexistent/terraform.tfstate"
  }
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region  = "eu-west-3"
  profile = "somebody-else"
}

provider "aws" {
  alias                 = "here"
  region                = var.region
  forbidden_account_ids = ["999999999999"]
}

provider "aws" {
  alias  = "there"
  region = "eu-central-1"
  assume_role {
    role_arn = "arn:aws:iam::999999999999:role/SomebodyElse"
  }
}

variable "region" {
  type = string
}

variable "environment" {
  type    = string
  default = "unset"
}

resource "aws_ssm_parameter" "default" {
  name  = "/two/default-${var.environment}"
  type  = "String"
  value = "x"
}

resource "aws_ssm_parameter" "here" {
  provider = aws.here
  name     = "/two/here"
  type     = "String"
  value    = "x"
}

resource "aws_ssm_parameter" "there" {
  provider = aws.there
  name     = "/two/there"
  type     = "String"
  value    = "x"
}

data "aws_caller_identity" "here" {
  provider = aws.here
}

data "aws_caller_identity" "there" {
  provider = aws.there
}

output "callers" {
  value = [data.aws_caller_identity.here.arn, data.aws_caller_identity.there.arn]
}

output "secret" {
  value     = "hunter2-hunter2"
  sensitive = true
}
