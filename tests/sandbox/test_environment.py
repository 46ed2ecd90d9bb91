from __future__ import annotations

import subprocess

from orchestrate_sandbox import environment

KEYS = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "drawn"}
SANDBOX = environment.environment("http://127.0.0.1:1", "http://127.0.0.1:2", "eu-central-1", KEYS)


def test_nothing_of_another_aws_leaks_in() -> None:
    surroundings = {
        "PATH": "/bin",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_REGION": "us-west-2",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    within = environment.within(surroundings, SANDBOX)
    assert {name for name in within if name.startswith("AWS_")} == {n for n in SANDBOX if n.startswith("AWS_")}
    assert within["AWS_REGION"] == within["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert within["AWS_CONFIG_FILE"] == within["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert (within["PATH"], within["HTTPS_PROXY"]) == ("/bin", "http://proxy.example:3128")


def test_the_credentials_do_not_look_like_real_ones() -> None:
    assert not SANDBOX["AWS_ACCESS_KEY_ID"].startswith(("AKIA", "ASIA"))


def test_hosts_that_need_no_proxy_stay_reachable() -> None:
    surroundings = {"no_proxy": "pypi.bank.example, 127.0.0.1,,*.amazonaws.com,.com,*,10.0.0.0/8"}
    value = environment.within(surroundings, SANDBOX)["no_proxy"]
    assert value == "127.0.0.1,localhost,::1,pypi.bank.example,10.0.0.0/8"
    assert environment.within({"NO_PROXY": "a.example"}, SANDBOX)["NO_PROXY"].endswith(",a.example")


def test_a_shell_reads_back_what_was_quoted() -> None:
    value = 'it\'s $HOME `id` \\ \n "x"'
    script = "\n".join(environment.shell_lines({"A": value}, ["AWS_PROFILE"])) + '\nprintf %s "$A${AWS_PROFILE-}"'
    done = subprocess.run(
        ["sh", "-c", script], env={"AWS_PROFILE": "prod", "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert done.stdout.decode() == value


def test_only_names_that_a_shell_knows_are_unset() -> None:
    names = environment.names_to_unset({"AWS_X": "", "AWS_Y;id": "", "AWS_REGION": ""}, SANDBOX)
    assert "AWS_X" in names
    assert "AWS_PROFILE" in names
    assert not {"AWS_Y;id", "AWS_REGION"} & set(names)
