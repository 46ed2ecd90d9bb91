#!/bin/sh
# What a person would write in the place of `orchestrate plan`: a fresh export of the tag, init, plan, show -json.
# Usage: plan.sh REPOSITORY TAG ROOT FOLDER; FOLDER holds `settings` (the files with the backend, the provider's role
# and the variables) and keeps Terraform's data folder between runs. The role comes with TF_VAR_orchestrate_role_arn.
set -eu

repository=$1 tag=$2 root=$3 folder=$4

rm -rf "$folder/source"
mkdir -p "$folder/source"
git -C "$repository" archive "refs/tags/$tag" | tar -x -C "$folder/source"
cp "$folder"/settings/*.tf.json "$folder/source/$root/"

cd "$folder/source/$root"
export TF_DATA_DIR="$folder/data"
terraform init -input=false -lockfile=readonly -no-color
terraform plan -input=false -no-color -var-file="$folder/settings/orchestrate.tfvars.json" -out="$folder/plan.tfplan"
terraform show -json "$folder/plan.tfplan" >"$folder/plan.json"
