"""What is read of a root configuration, and the files that take over its backend and credentials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import Backend
from orchestrator.model.terraform.override import (
    GENERATED_FILE,
    UNSET,
    ProviderIdentity,
    backend_override,
    generated_files,
)
from orchestrator.model.terraform.root import (
    OVERRIDE_FILE,
    ROLE_VARIABLE,
    Json,
    ProviderBlock,
    RootBlocks,
    interpret,
    refuse_later_overrides,
)

AWS = "registry.terraform.io/hashicorp/aws"
BACKEND = Backend("b", "k", "us-east-1", "t", True)
IDENTITY = ProviderIdentity("111111111111", "eu-central-1", "INFRA_BUILD", "acme", {"env": "dev"})


def required(**sources: Any) -> Json:
    return {"terraform": [{"required_providers": [{name: {"source": source} for name, source in sources.items()}]}]}


def addresses(files: dict[str, Json]) -> list[str]:
    return [provider.address for provider in interpret(files).providers]


def overridden(files: dict[str, Json], unmanaged: tuple[str, ...] = (), installed: tuple[str, ...] = (AWS,)) -> Json:
    """The `provider` part of the override file."""
    found = generated_files(interpret(files), BACKEND, IDENTITY, unmanaged, installed)[OVERRIDE_FILE].get("provider")
    return {} if found is None else dict(found)


# Reading ------------------------------------------------------------------------------------------------------------


def test_provider_blocks_of_both_syntaxes_are_found() -> None:
    hcl = {"provider": [{"aws": {"region": "r"}}, {"aws": {"alias": "a"}}, {"random": {}}]}
    for one in ({"provider": {"aws": {"alias": "b"}}}, {"provider": [{"aws": [{"alias": "b"}]}]}):
        assert addresses({"main.tf": hcl, "x.tf.json": one}) == ["aws", "aws.a", "aws.b"]


def test_lists_in_lists_are_blocks_and_comments_are_none() -> None:
    """Terraform takes them so (HCL JSON Syntax, "Blocks")."""
    nested = {"//": "a comment", "provider": [[{"aws": [[{"alias": "a"}], []], "//": "comment"}], None]}
    assert addresses({"x.tf.json": nested}) == ["aws.a"]


@pytest.mark.parametrize("body", [{"provider": 1}, {"provider": [["x"]]}, {"provider": {"aws": "x"}}])
def test_what_is_no_block_is_refused(body: Json) -> None:
    with pytest.raises(InvalidInput, match=r"in a JSON file of the configuration is no block"):
        addresses({"x.tf.json": body})


@pytest.mark.parametrize(
    "source",
    [
        "hashicorp/aws",
        "HashiCorp/AWS",
        "aws",
        "registry.terraform.io/hashicorp/aws",
        "Registry.Terraform.io/hashicorp/aws",
        "registry.opentofu.org/hashicorp/aws",
        "mirror.example.com:8443/hashicorp/aws",
        "example/aws",
    ],
)
def test_an_aws_provider_under_another_name_or_source_is_one(source: str) -> None:
    assert addresses({"a.tf": required(corp=source), "b.tf": {"provider": [{"corp": {}}]}}) == ["corp"]


def test_a_provider_that_is_only_called_aws_is_none() -> None:
    files = {"a.tf": required(aws="example/cloud") | {"provider": [{"aws": {}}]}}
    assert interpret(files) == RootBlocks((), {})
    assert overridden(files) == {}


def test_a_requirement_without_source_is_the_official_one() -> None:
    old = {"terraform": [{"required_providers": [{"aws": "~> 5.0", "corp": {"version": "1"}}]}]}
    assert interpret({"a.tf": old}).aws_names == {"aws": "hashicorp/aws"}


@pytest.mark.parametrize(
    "source", ['hashi${"corp"}/aws', '${("hashicorp/aws")}', "\\U00000068ashicorp/aws", "<<X\nhashicorp/aws\nX", 1, ""]
)
def test_a_source_that_may_come_out_as_anything_is_refused(source: object) -> None:
    with pytest.raises(InvalidInput, match=r"source of the provider corp .* is not plain text"):
        interpret({"a.tf": required(corp=source)})


def test_the_source_in_an_override_file_is_the_one_that_counts() -> None:
    base, override = required(corp="example/cloud"), required(corp="hashicorp/aws")
    assert "corp" in interpret({"z.tf": base, "a_override.tf": override}).aws_names
    assert "corp" not in interpret({"z.tf": override, "a_override.tf": base}).aws_names


def test_blocks_of_override_files_are_found() -> None:
    """Terraform takes a default provider block that stands in an override file alone."""
    assert addresses({"a_override.tf": {"provider": [{"aws": {"profile": "x"}}]}}) == ["aws"]


@pytest.mark.parametrize(
    "files",
    [
        {"a.tf": required(aws="hashicorp/aws", corp="Registry.Terraform.io/HashiCorp/aws")},
        {"a.tf": required(aws="hashicorp/aws"), "b.tf": required(corp="hashicorp/aws")},
        {"a.tf": required(corp="hashicorp/aws"), "b.tf": {"provider": {"aws": {"alias": "a"}}}},
    ],
)
def test_two_local_names_of_one_provider_are_refused(files: dict[str, Json]) -> None:
    """Terraform warns only, and then runs aliases of one of the two without any settings."""
    with pytest.raises(InvalidInput, match="several local names for the provider hashicorp/aws: aws, corp"):
        interpret(files)


def test_a_mirrored_provider_beside_the_official_one_is_another_provider() -> None:
    interpret({"a.tf": required(aws="hashicorp/aws", corp="mirror.example.com/hashicorp/aws")})


@pytest.mark.parametrize(
    "name",
    [
        "override.tf",
        "override.tf.json",
        "p_override.tf",
        "orchestrate_override_override.tf",
        "z_override.tofu",
        "z_override.tofu.json",
        "\udcff_override.tf",
        "\n\u00e4_override.tf",
        "p\n_override.tf",
    ],
)
def test_an_override_file_that_would_win_over_ours_is_refused(name: str) -> None:
    if name > OVERRIDE_FILE:
        with pytest.raises(InvalidInput, match="and what it sets would win"):
            refuse_later_overrides(["main.tf", name])
    else:
        refuse_later_overrides([name])


def test_override_files_that_come_before_ours_are_left() -> None:
    refuse_later_overrides([OVERRIDE_FILE, "a_override.tf", "z.tf", "zoverride.tf", "z_override", "z_override.tf~"])


@pytest.mark.parametrize("name", ["p_override.tofu.tf", "overrides.tf", "p_override.tf.tf", "p-override.tf", "main.tf"])
def test_only_what_terraform_takes_for_an_override_file_is_one(name: str) -> None:
    assert addresses({name: {"provider": [{"aws": {"alias": "a"}}]}}) == ["aws.a"]


@pytest.mark.parametrize("file", ["main.tf", "a_override.tf"])
def test_our_own_variable_cannot_be_declared(file: str) -> None:
    with pytest.raises(InvalidInput, match=f"declares the variable {ROLE_VARIABLE}"):
        interpret({file: {"variable": [{ROLE_VARIABLE: {}}]}})


def test_types_of_variables_are_read_and_an_override_changes_only_what_it_says() -> None:
    base = {"variable": [{"a": {"type": "string"}}, {"b": {}}, {"c": {"type": "number"}}]}
    override = {"variable": {"a": {"default": 1}, "c": {"type": "string"}}}
    found = interpret({"main.tf": base, "a_override.tf.json": override})
    assert found.variables == {"a": "string", "b": None, "c": "string"}


# What is generated --------------------------------------------------------------------------------------------------


def test_the_backend_is_what_the_rules_say() -> None:
    assert backend_override(BACKEND) == {
        "terraform": {
            "backend": {
                "s3": {
                    "bucket": "b",
                    "key": "k",
                    "region": "us-east-1",
                    "encrypt": True,
                    "use_lockfile": True,
                    "dynamodb_table": "t",
                }
            }
        }
    }
    assert "dynamodb_table" not in backend_override(Backend("b", "k", "r", None, True))["terraform"]["backend"]["s3"]


def test_every_block_gets_role_and_account_and_loses_its_own_credentials() -> None:
    (default, aliased) = overridden({"m.tf": {"provider": [{"aws": {}}, {"aws": {"alias": "a"}}]}})["aws"]
    for block in (default, aliased):
        assert block["allowed_account_ids"] == ["111111111111"]
        assert block["assume_role"] == [
            {
                "role_arn": f"${{var.{ROLE_VARIABLE}}}",
                "session_name": "INFRA_BUILD",
                "tags": {"env": "dev"},
                "external_id": "acme",
            }
        ]
        assert all(block[name] is None for name in UNSET)
        assert [inner["for_each"] for inner in block["dynamic"].values()] == [[], []]
        assert set(block["dynamic"]) == {"assume_role_with_web_identity", "endpoints"}
    assert (default["region"], default.get("alias")) == ("eu-central-1", None)
    assert (aliased.get("region"), aliased["alias"]) == (None, "a")


def test_arguments_that_only_some_versions_have_are_unset_where_the_root_has_them() -> None:
    first, second = {"aws": {"https_proxy": "x", "max_retries": 1}}, {"aws": {"alias": "a", "no_proxy": "x"}}
    for block in overridden({"m.tf": {"provider": [first, second]}})["aws"]:
        assert (block["https_proxy"], block["no_proxy"]) == (None, None)
        assert "max_retries" not in block
    assert "no_proxy" not in overridden({})["aws"][0]


def test_without_external_id_none_is_sent() -> None:
    assert "external_id" not in ProviderIdentity("1", "r", "s", None, {}).assume_role()


def test_where_the_root_has_no_default_block_modules_still_inherit_one() -> None:
    assert [block.get("alias") for block in overridden({})["aws"]] == [None]
    assert [block.get("alias") for block in overridden({"m.tf": {"provider": {"aws": {"alias": "a"}}}})["aws"]] == [
        "a",
        None,
    ]


def test_the_default_block_has_the_name_that_the_root_gives_the_provider() -> None:
    assert set(overridden({"m.tf": required(corp="hashicorp/aws")})) == {"corp"}
    mirrored = required(corp="mirror.example.com/hashicorp/aws")
    assert set(overridden({"m.tf": mirrored}, installed=("mirror.example.com/hashicorp/aws",))) == {"corp"}


def test_a_root_without_aws_gets_no_provider() -> None:
    assert overridden({}, installed=("registry.terraform.io/hashicorp/random",)) == {}


def test_the_opentofu_registry_serves_the_same_provider() -> None:
    assert set(overridden({}, installed=("registry.opentofu.org/hashicorp/aws",))) == {"aws"}


def test_the_role_is_an_ephemeral_variable() -> None:
    generated = generated_files(interpret({}), BACKEND, IDENTITY, (), ())[GENERATED_FILE]
    assert set(generated) == {"variable"}
    assert generated["variable"][ROLE_VARIABLE]["ephemeral"] is True


def test_unmanaged_providers_stay_as_written() -> None:
    files = {"m.tf": {"provider": [{"aws": {}}, {"aws": {"alias": "dns"}}]}}
    assert [block.get("alias") for block in overridden(files, ("aws.dns",))["aws"]] == [None]
    assert [block.get("alias") for block in overridden(files, ("aws",))["aws"]] == ["dns"]
    assert overridden(files, ("aws", "aws.dns")) == {}


def test_an_unmanaged_provider_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"names aws\.dns, which the root does not have"):
        overridden({}, ("aws.dns",))


def test_a_provider_that_finds_credentials_by_itself_must_be_named_as_unmanaged() -> None:
    cloud_control = "registry.terraform.io/hashicorp/awscc"
    with pytest.raises(InvalidInput, match="the provider awscc, to which orchestrate cannot give a role"):
        overridden({}, installed=(AWS, cloud_control))
    assert set(overridden({}, ("awscc",), (AWS, cloud_control))) == {"aws"}


names = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)


@given(st.lists(st.tuples(st.sampled_from(["corp", "random"]), st.none() | names), max_size=6), st.booleans())
def test_every_aws_block_is_overridden_exactly_once(found: list[tuple[str, str | None]], one_object: bool) -> None:
    pairs = [(name, {} if alias is None else {"alias": alias}) for name, alias in found]
    listed: list[Json] = [{name: block} for name, block in pairs]
    grouped: Json = {}
    for name, block in pairs:
        grouped.setdefault(name, []).append(block)
    files = {"m.tf": required(corp="hashicorp/aws") | {"provider": grouped if one_object else listed}}
    blocks = [(name, block.get("alias")) for name, group in overridden(files).items() for block in group]
    assert len(blocks) == len(set(blocks))
    assert set(blocks) == {pair for pair in found if pair[0] != "random"} | {("corp", None)}


def test_addresses_are_those_of_the_rules() -> None:
    assert [block.address for block in (ProviderBlock("aws", None), ProviderBlock("corp", "x"))] == ["aws", "corp.x"]
