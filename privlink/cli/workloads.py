"""`privlink attach` and `privlink detach`: workloads come into a vSwitch and leave it.

Attaching is two halves: the API reserves address and MAC (the account's right), and plugging the
link in is done here, as root on the node's host (the host's right). Neither gives the other.
"""

from __future__ import annotations

import ipaddress
import os
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from privlink.cli.session import (
    client,
    keys,
    output_option,
    print_fields,
    print_json,
    state_option,
)
from privlink.client import Client, RemoteError
from privlink.config import instance_of, load
from privlink.node import plug, resolv_conf
from privlink.node.tap import plug_tap, remove_taps

_PATIENCE = 15.0  # seconds


@click.command()
@click.option("--vswitch", required=True, help="vSwitch to attach to, such as vsw-...")
@click.option("--netns", help="Network namespace of the workload: a name or a path.")
@click.option("--pid", type=int, help="A process in the workload's network namespace.")
@click.option("--tap", help="Name of a tap device to make, for a virtual machine.")
@click.option("--ip", help="Address to have; any free one if left out.")
@click.option("--ipv6", help="IPv6 address to have; any if left out and the vSwitch has IPv6.")
@click.option("--ifname", default="eth0", show_default=True, help="Name of the link inside.")
@click.option(
    "--security-group",
    multiple=True,
    help="Security group to be in, such as sg-...; may be given several times.",
)
@click.option(
    "--no-resolv-conf",
    is_flag=True,
    help="Make no /etc/netns/NAME/resolv.conf, by which `ip netns exec` finds the VPC's names.",
)
@state_option
@output_option
def attach(
    vswitch: str,
    netns: str | None,
    pid: int | None,
    tap: str | None,
    ip: str | None,
    ipv6: str | None,
    ifname: str,
    security_group: tuple[str, ...],
    no_resolv_conf: bool,
    state: Path,
    output: str,
) -> None:
    """Give a network namespace, or a tap, an address in a vSwitch. All or nothing."""
    target = netns if netns is not None else pid
    if (target is None) == (tap is None) or None not in (netns, pid):
        raise click.UsageError("give one of --netns, --pid and --tap")
    if target is not None:
        plug.namespace_path(target)  # a wrong name is better found before anything is made
    _check_is_here(state)
    calls = client(state)
    place = calls.call(
        "CreateAttachment",
        VSwitchId=vswitch,
        PrivateIpAddress=ip,
        Ipv6Address=ipv6,
        SecurityGroupId=security_group,
    )
    plugged = False
    try:
        port = _port(ifname, place)
        if target is not None:
            plug.plug(instance_of(state), place["Number"], target, port)
        else:
            assert tap is not None
            plug_tap(instance_of(state), place["Number"], tap)
        plugged = True
        place = _wait_for(calls, place["AttachmentId"], "Attached") or place
    except BaseException:
        if plugged:  # else that link, if there is one, is somebody's
            remove_taps(instance_of(state), place["Number"])
            plug.unplug(instance_of(state), place["Number"])
        calls.call("DeleteAttachment", AttachmentId=place["AttachmentId"])
        raise
    file = None if netns is None or no_resolv_conf else resolv_conf.resolv_conf(netns)
    _print(place, _point_to_names(file, instance_of(state), place["AttachmentId"]), output)


@click.command()
@click.argument("attachment_id")
@state_option
@output_option
def detach(attachment_id: str, state: Path, output: str) -> None:
    """Take a workload's link away and give its address back."""
    calls = client(state)
    place = calls.call("GetAttachment", AttachmentId=attachment_id)
    calls.call("DeleteAttachment", AttachmentId=attachment_id)
    remove_taps(instance_of(state), place["Number"])
    resolv_conf.withdraw(instance_of(state), attachment_id)
    _wait_for(calls, attachment_id, None)
    if output == "json":
        print_json({"AttachmentId": attachment_id, "Status": "Detached"})
    else:
        click.echo(f"{attachment_id} is detached; its address is free again")


def _port(ifname: str, place: dict[str, Any]) -> plug.Port:
    """The workload's end of an attachment, as the API describes the attachment."""
    ipv6 = None
    if "Ipv6Address" in place:
        ipv6 = plug.Ipv6(
            address=place["Ipv6Address"],
            prefix=ipaddress.IPv6Network(place["Ipv6CidrBlock"]).prefixlen,
            gateway=place["Ipv6Gateway"],
            network=place["VpcIpv6CidrBlock"],
        )
    return plug.Port(
        ifname=ifname,
        mac=place["MacAddress"],
        address=place["PrivateIpAddress"],
        prefix=ipaddress.IPv4Network(place["CidrBlock"]).prefixlen,
        gateway=place["Gateway"],
        network=place["VpcCidrBlock"],
        ipv6=ipv6,
    )


def _check_is_here(state: Path) -> None:
    """Refuse what could only be half done: without root, or by another installation's word."""
    if os.geteuid() != 0:
        raise ValueError("plugging links in takes root: run this as root on the node's host")
    server, ours = keys(state).server, load(state).url
    if server.rstrip("/") != ours:
        raise ValueError(
            f"PRIVLINK_SERVER is {server}, but the installation in {state} is {ours}: links are "
            "plugged in on this host. Name its folder with --state, or unset PRIVLINK_SERVER"
        )


def _wait_for(calls: Client, attachment_id: str, status: str | None) -> dict[str, Any] | None:
    """The attachment once it has a status; None, once it is gone, if that is what is awaited."""
    until, pause = time.monotonic() + _PATIENCE, 0.002
    while True:
        try:
            place = calls.call("GetAttachment", AttachmentId=attachment_id)
        except RemoteError as error:
            if status is None and error.code == "AttachmentNotFound":
                return None
            raise
        if place["Status"] == status:
            return place
        if time.monotonic() > until:
            raise OSError(
                f"the node has not settled {attachment_id} within {_PATIENCE:.0f} s: "
                f"it is {place['Status']}; see `privlink status`"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


class _Names(msgspec.Struct, frozen=True):
    """Where a workload's names are answered, and what has to be done for that."""

    file: str = ""  # that says so in its namespace; empty: nobody has made one
    advice: str = ""


def _point_to_names(file: Path | None, instance: str, attachment: str) -> _Names:
    """Have the workload's resolver in its namespace's file, if there can be one.

    The workload is attached by now: what cannot be written is said, and undoes nothing.
    """
    if file is None:
        return _Names(advice=f"once its resolv.conf says: {resolv_conf.LINE}")
    try:
        if resolv_conf.offer(file, instance, attachment):
            return _Names(str(file))
    except OSError as error:
        return _Names(advice=f"once {file} says: {resolv_conf.LINE}; not written: {error}")
    return _Names(advice=f"once {file}, which is somebody else's, says: {resolv_conf.LINE}")


def _print(place: dict[str, Any], names: _Names, output: str) -> None:
    if output == "json":
        place.pop("RequestId")
        place["NameServer"] = resolv_conf.SERVER
        place["ResolvConf"] = names.file
        print_json(place)
        return
    told = {
        "attachment": "AttachmentId",
        "address": "PrivateIpAddress",
        "ipv6": "Ipv6Address",
        "mac": "MacAddress",
        "gateway": "Gateway",
        "ipv6 gateway": "Ipv6Gateway",
        "status": "Status",
    }
    fields = {name: place[field] for name, field in told.items() if field in place}
    fields["groups"] = ", ".join(place["SecurityGroupIds"]) or "none"
    where = f"in {names.file}" if names.file else names.advice
    print_fields({**fields, "name server": f"{resolv_conf.SERVER}, {where}"})
