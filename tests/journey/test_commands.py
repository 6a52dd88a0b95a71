"""The command line as its users meet it: what it prints, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alibabacloud_ecs20140526 import models as ecs
from click.testing import CliRunner

from demo.cloud import Cloud
from privlink.cli.main import main
from privlink.config import instance_of
from privlink.node import purge
from tests.journey.installation import CLIENT, PORT, PRIVLINK, Installation, Stage, workload
from tests.kernel import lab


def test_env_makes_a_shell_and_the_sdks_ready(installation: Installation) -> None:
    exports = installation.run("env")
    show = f"{exports}\n{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    shell = subprocess.run(["sh", "-c", show], check=True, capture_output=True, text=True)
    variables = json.loads(shell.stdout)
    assert variables["PRIVLINK_SERVER"] == f"http://{installation.listen}"
    for product in ("PRIVATELINK", "SLB", "NLB", "RAM", "STS", "RESOURCEMANAGER", "LOCATION"):
        assert variables[f"{product}_ENDPOINT"] == installation.listen
        assert variables[f"ALIBABA_CLOUD_ENDPOINT_{product}"] == installation.listen
    Cloud(
        variables["PRIVATELINK_ENDPOINT"],
        variables["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        variables["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    ).network("by-environment")


def test_env_speaks_json(installation: Installation) -> None:
    spoken = json.loads(installation.run("env", "-o", "json"))
    exported = dict(
        line.removeprefix("export ").partition("=")[::2]
        for line in installation.run("env").splitlines()
    )
    assert {name: shlex.split(value)[0] for name, value in exported.items()} == spoken


def test_status_names_what_there_is(installation: Installation, stage: Stage) -> None:
    _, endpoint = stage.connected_endpoint()
    status = installation.run("status")
    assert "in step" in status
    for name in (endpoint, stage.client.attachment, f"privlink-{installation.instance}"):
        assert name in status


def test_an_account_is_created_once(installation: Installation) -> None:
    printed = installation.run("account", "create", "team-a")
    assert [line.split()[0] for line in printed.splitlines()] == [
        "account_id",
        "access_key_id",
        "access_key_secret",
    ]
    again = installation.attempt("account", "create", "team-a")
    assert again.returncode == 1
    assert "team-a" in again.stderr
    assert "AccountExists" in again.stderr


def test_a_quota_is_set_for_one_account_and_reset(installation: Installation) -> None:
    made = json.loads(installation.run("account", "create", "team-q", "-o", "json"))
    assert made["account_id"] in installation.run("account", "list")
    name = "vpc_quota_vpcs"
    said = installation.run("quota", "set", name, "3", "--account", made["account_id"])
    assert said == f"{name} is 3 for account {made['account_id']}\n"

    def limit() -> int:
        listed = installation.run("quota", "list", "--account", made["account_id"], "-o", "json")
        return {each["QuotaName"]: each["Limit"] for each in json.loads(listed)}[name]

    assert limit() == 3
    installation.run("quota", "reset", name, "--account", made["account_id"])
    assert limit() > 3  # what everybody may have
    refused = installation.attempt("quota", "set", "vpcs", "3")
    assert refused.returncode == 1
    assert "QuotaNotFound" in refused.stderr


def test_accounts_do_not_see_each_other(installation: Installation, stage: Stage) -> None:
    _, other = installation.account("team-b")
    _, endpoint = stage.connected_endpoint()
    with pytest.raises(Exception, match="EndpointNotFound"):
        other.connection_status(endpoint)


def test_detach_takes_the_link_away_and_frees_the_address(
    installation: Installation, stage: Stage
) -> None:
    with workload(installation, stage.consumer, "leaver", "10.0.0.9") as leaver:
        assert "eth0" in lab.run(leaver.netns, "ip", "-br", "link")
        installation.run("detach", leaver.attachment)
        lab.eventually(lambda: "eth0" not in lab.run(leaver.netns, "ip", "-br", "link"))
        lab.eventually(lambda: leaver.attachment not in installation.run("status"))
    with workload(installation, stage.consumer, "heir", "10.0.0.9") as heir:
        assert heir.address == "10.0.0.9"


def test_attach_says_who_answers_for_names_and_has_ip_netns_exec_know(
    installation: Installation, stage: Stage
) -> None:
    with lab.namespace("asking") as netns:
        file = Path("/etc/netns") / netns / "resolv.conf"
        place = ("--vswitch", stage.consumer.vswitch, "--netns", netns)
        said = installation.run("attach", *place)
        assert f"100.100.2.136, in {file}" in said
        assert "nameserver 100.100.2.136" in lab.run(netns, "cat", "/etc/resolv.conf")
        shown = dict(line.split(maxsplit=1) for line in said.splitlines())
        installation.run("detach", shown["attachment"])
        assert not file.parent.exists()

        told = json.loads(installation.run("attach", *place, "--no-resolv-conf", "-o", "json"))
        assert (told["NameServer"], told["ResolvConf"]) == ("100.100.2.136", "")
        assert not file.parent.exists()
        installation.run("detach", told["AttachmentId"])

        file.parent.mkdir(parents=True)
        file.write_text("nameserver 192.0.2.53\n")
        said = installation.run("attach", *place)
        assert f"once {file}, which is somebody else's, says: nameserver 100.100.2.136" in said
        shown = dict(line.split(maxsplit=1) for line in said.splitlines())
        installation.run("detach", shown["attachment"])
        assert file.read_text() == "nameserver 192.0.2.53\n"
        file.unlink()
        file.parent.rmdir()


def test_a_workload_is_attached_in_security_groups(
    installation: Installation, stage: Stage
) -> None:
    request = ecs.CreateSecurityGroupRequest(
        region_id="local", vpc_id=stage.consumer.vpc, security_group_type="enterprise"
    )
    groups = sorted(
        stage.cloud.ecs.create_security_group(request).body.security_group_id for _ in range(2)
    )
    before = attachments(installation.run("status", "-o", "json"))
    chosen = [part for group in groups for part in ("--security-group", group)]
    with lab.namespace("grouped") as netns:
        place = ("--vswitch", stage.consumer.vswitch, "--netns", netns)
        refused = installation.attempt("attach", *place, "--security-group", "sg-none")
        assert refused.returncode == 1
        assert "SecurityGroupNotFound" in refused.stderr
        assert attachments(installation.run("status", "-o", "json")) == before
        said = installation.run("attach", *place, *chosen)
        shown = dict(line.split(maxsplit=1) for line in said.splitlines())
        assert (shown["groups"], shown["status"]) == (", ".join(groups), "Attached")
        installation.run("detach", shown["attachment"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--netns", "plt-nowhere"), "ip netns add plt-nowhere"),
        (("--pid", "1999999999"), "is process 1999999999 running?"),
        ((), "--netns, --pid and --tap"),
    ],
)
def test_a_workload_that_is_not_there_is_not_attached(
    installation: Installation, stage: Stage, arguments: tuple[str, ...], said: str
) -> None:
    before = installation.run("status", "-o", "json")
    refused = installation.attempt("attach", "--vswitch", stage.consumer.vswitch, *arguments)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert attachments(installation.run("status", "-o", "json")) == attachments(before)


def test_an_attachment_that_cannot_be_plugged_in_leaves_nothing(
    installation: Installation, stage: Stage
) -> None:
    before = attachments(installation.run("status", "-o", "json"))
    again = installation.attempt(
        "attach", "--vswitch", stage.consumer.vswitch, "--netns", stage.client.netns
    )
    assert again.returncode == 1
    assert "eth0" in again.stderr
    lab.eventually(lambda: attachments(installation.run("status", "-o", "json")) == before)


def test_a_second_up_on_the_same_state_is_refused(installation: Installation) -> None:
    refused = installation.attempt("up", "--listen", installation.listen)
    assert refused.returncode == 1
    assert "runs already" in refused.stderr


def test_a_port_in_use_is_refused_in_one_line(installation: Installation, tmp_path: Path) -> None:
    refused = installation.attempt(
        "up", "--state", str(tmp_path / "other"), "--listen", installation.listen
    )
    assert refused.returncode == 1
    assert f"cannot listen on {installation.listen}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--listen", "8680"),
        ("--region", "Local!"),
        ("--zones", "a,a"),
        ("--domain", "Bad Domain"),
        ("--database", "postgresql://db/privlink"),
    ],
)
def test_a_bad_setting_is_named(
    installation: Installation, tmp_path: Path, option: str, value: str
) -> None:
    refused = installation.attempt("up", "--state", str(tmp_path / "other"), option, value)
    assert refused.returncode == 1
    assert option in refused.stderr
    assert not (tmp_path / "other").exists()


def test_without_root_one_line_says_what_is_missing(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # nobody can read this interpreter's files, so the command runs in this process
        os.setresuid(65534, 65534, 65534)
        done = CliRunner().invoke(main, ["up", "--state", str(tmp_path / "other")])
        os.write(writer, f"{done.exit_code} {done.stderr}".encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        code, _, sentence = said.read().partition(" ")
    assert code == "1"
    assert len(sentence.splitlines()) == 1
    assert sentence.startswith("root is missing")


def test_two_installations_run_side_by_side(
    installation: Installation, stage: Stage, tmp_path: Path
) -> None:
    stage.connected_endpoint()
    second = Installation(tmp_path / "second")
    second.up()
    try:
        with workload(second, second.cloud().network("same"), "same", CLIENT) as other:
            with pytest.raises(OSError):
                lab.connect(other.netns, "10.0.0.80", PORT, timeout=0.3)
            assert lab.ask(stage.client.netns, "10.0.0.80", PORT, b"x") == b"x"
    finally:
        second.tear_down()
    assert lab.ask(stage.client.netns, "10.0.0.80", PORT, b"y") == b"y"
    assert installation.is_ready()


def test_purge_ends_traffic_and_start_brings_it_back_from_the_state(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    own.up()
    network = own.cloud().network("kept")
    own.run("down", "--purge")
    assert purge.traces(instance_of(own.state)) == []
    own.up()
    assert network.vswitch in own.cloud().vswitches()
    own.tear_down()


def test_deleting_the_state_needs_purge_and_spares_other_files(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    own.up()
    (own.state / "notes.txt").write_text("mine")
    refused = own.attempt("down", "--delete-state")
    assert refused.returncode == 2
    assert "--purge" in refused.stderr
    own.run("down", "--purge", "--delete-state")
    assert [file.name for file in own.state.iterdir()] == ["notes.txt"]


def test_the_first_keys_are_taken_from_the_environment(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    keys = {
        "PRIVLINK_ACCESS_KEY_ID": "LTAI5tMineMineMine",
        "PRIVLINK_ACCESS_KEY_SECRET": "MySecretMySecretMySecretMySecr",
    }
    command = [PRIVLINK, "up", "-d", "--state", own.state, "--listen", own.listen]
    subprocess.run(command, env=os.environ | keys, check=True, capture_output=True)
    try:
        Cloud(own.listen, *keys.values()).network("mine")
    finally:
        own.tear_down()


@pytest.mark.parametrize("command", ["up", "down", "attach", "detach", "status", "env", "account"])
def test_every_command_explains_itself(installation: Installation, command: str) -> None:
    assert "Usage: privlink" in installation.run(command, "--help")


def runs(process: int) -> bool:
    """Whether a process is more than an entry that nobody has collected."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def attachments(status: str) -> list[str]:
    """The attachments in `status -o json`."""
    return [each["AttachmentId"] for each in json.loads(status)["Attachments"]]


def test_a_killed_up_takes_its_processes_with_it(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    own.up()
    processes = [own.process(module) for module in ("privlink.server", "privlink.node")]
    os.kill(int((own.state / "up.lock").read_text()), signal.SIGKILL)
    own.tear_down()
    assert not any(runs(process) for process in processes)


def test_a_moved_installation_starts_where_it_is(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    own.up()
    network = own.cloud().network("kept")
    own.run("down", "--purge")
    own.state.rename(tmp_path / "moved")
    moved = Installation(tmp_path / "moved")
    moved.up()
    assert network.vswitch in moved.cloud().vswitches()
    moved.tear_down()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("credentials.json", "up"),
        ("node.json", "up"),
        ("dns.json", "up"),
        ("config.json", "status"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, command: str) -> None:
    own = Installation(tmp_path / "own")
    own.state.mkdir()
    (own.state / name).write_text("")
    listen = ["--listen", own.listen, "--dns-listen", own.dns] if command == "up" else []
    refused = own.attempt(command, *listen)
    assert refused.returncode == 1
    assert str(own.state / name) in refused.stderr


def test_a_proxy_of_the_shell_does_not_matter(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    command = [PRIVLINK, "up", "-d", "--state", own.state, "--listen", own.listen]
    proxy = {"http_proxy": "http://127.0.0.1:9"}
    subprocess.run(command, env=os.environ | proxy, check=True, capture_output=True)
    own.tear_down()


def test_a_lock_of_a_stranger_is_nobodys(installation: Installation) -> None:
    assert (installation.state / "up.lock").stat().st_mode & 0o077 == 0
    assert (installation.state / "running.lock").stat().st_mode & 0o077 == 0


def test_attach_does_not_mix_two_installations(
    installation: Installation, stage: Stage, tmp_path: Path
) -> None:
    second = Installation(tmp_path / "second")
    second.up()
    try:
        variables = json.loads(second.run("env", "-o", "json")) | {
            "PRIVLINK_STATE": str(installation.state)
        }
        place = ["--vswitch", stage.consumer.vswitch, "--netns", stage.client.netns]
        refused = subprocess.run(
            [PRIVLINK, "attach", *place],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 1
        assert "PRIVLINK_SERVER" in refused.stderr
    finally:
        second.tear_down()
    assert "eth0" in lab.run(stage.client.netns, "ip", "-br", "link")


def test_children_have_nothing_of_roots_terminal_or_environment(
    installation: Installation,
) -> None:
    for module in ("privlink.server", "privlink.node"):
        process = Path(f"/proc/{installation.process(module)}")
        variables = (process / "environ").read_bytes().split(b"\0")
        assert {variable.partition(b"=")[0] for variable in variables} <= {b"PATH", b"LANG", b""}
        for number in (0, 1, 2):
            assert (process / "fd" / str(number)).readlink().name.startswith(("pipe:", "null"))


def test_lost_credentials_come_back_with_the_same_account(tmp_path: Path) -> None:
    own = Installation(tmp_path / "own")
    own.up()
    network = own.cloud().network("kept")
    before = json.loads((own.state / "credentials.json").read_text())
    own.run("down")
    (own.state / "credentials.json").unlink()
    own.up()
    after = json.loads((own.state / "credentials.json").read_text())
    assert after["account_id"] == before["account_id"]
    assert after["access_key_id"] != before["access_key_id"]
    assert network.vswitch in own.cloud().vswitches()
    own.tear_down()
