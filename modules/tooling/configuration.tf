# The configuration, and the defaults that orchestrator/model/rules/config.py has for what it leaves out.

locals {
  envs  = startswith(var.envs, "/") ? var.envs : "${path.module}/${var.envs}"
  files = { for file in fileset(local.envs, "*.yaml") : trimsuffix(file, ".yaml") => yamldecode(file("${local.envs}/${file}")) }

  environments = { for env, settings in local.files : env => settings if env != "orchestrate" }
  project = merge(local.files["orchestrate"], {
    state = merge({ layout = "central", locking = "both", encryption = "kms" }, local.files["orchestrate"].state)
  })
  source = merge(
    { kind = "codecommit", repository = "infrastructure", branch = "main" },
    try(local.project.tooling.source, {}),
  )
  workload_roles = merge({ plan = "InfraPlanRole", apply = "InfraBuildRole" }, try(local.project.workload.roles, {}))

  central = local.project.state.layout == "central"
  home    = var.region == local.project.state.region
  stem    = local.central ? local.project.state.prefix : "${local.project.state.prefix}-${module.names.region_short}"

  # Where each environment has stores, and so a pipeline; the tooling of this Region has those that are here.
  store_regions = {
    for env, settings in local.environments :
    env => local.central ? [local.project.state.region] : distinct(concat([settings.global_resource_deploy_from_region], settings.regions))
  }
  regions = toset(concat([local.project.state.region], flatten(values(local.store_regions))))
  here    = { for env, settings in local.environments : env => settings if contains(local.store_regions[env], var.region) }

  # With layout regional each Region's pipeline takes its own tags; the central one takes all.
  tag_prefixes = {
    for env, settings in local.here : env => local.central ? ["${env}_"] : concat(
      contains(settings.regions, var.region) ? ["${env}_${var.region}/"] : [],
      settings.global_resource_deploy_from_region == var.region ? ["${env}_global/"] : [],
    )
  }

  approvals = {
    for env, settings in local.here :
    env => try(settings.approval.required, false) ? try(settings.approval.count, 1) : 0
  }
}
