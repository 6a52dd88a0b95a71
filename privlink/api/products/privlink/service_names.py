"""Private names of services: what a provider calls its service, and how it proves that it may.

A name is a claim until somebody vouches for it: the DNS, where whoever has the name has published
what was asked for, or the operator.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from privlink import errors
from privlink.api import naming, ours
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.outside import Question
from privlink.api.paging import MaxResults, NextToken, by_token
from privlink.api.wire import Answer
from privlink.kinds import KINDS, fitting
from privlink.model.chosen_names import NameState, ServicePrivateName, Verifier
from privlink.model.ids import new_challenge
from privlink.model.privatelink import EndpointService
from privlink.rules import names
from privlink.store import chosen_names

_MOST_SHOWN = 3

Name = Annotated[
    str,
    msgspec.Meta(
        max_length=255,
        description="it is the name of a host, such as db.vendor.example, or *.vendor.example.",
    ),
]


class PrivateNameAnswer(Answer):
    service_id: str
    name: str
    state: str
    txt_record_name: str
    txt_record_value: str
    verified_by: str
    create_time: str
    verify_time: str | msgspec.UnsetType


class ListedPrivateName(PrivateNameAnswer):
    owner_id: str
    endpoint_count: int  # that have it on


class PrivateNamesAnswer(Answer):
    service_private_names: list[ListedPrivateName]
    total_count: int
    max_results: int
    next_token: str | msgspec.UnsetType


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpointservice/{service_id}")
def set_service_private_name(call: Call, *, service_id: str, name: Name) -> PrivateNameAnswer:
    """Give your service a name of yours, which consumers may switch on in their VPCs.

    A `*.` may stand before it, for all names below. It is Pending until it is verified: publish
    `TxtRecordValue` as a TXT record of `TxtRecordName`, and call `VerifyServicePrivateName`; or
    have the operator approve it. Another name takes the place of the one before, which answers
    nowhere any more.
    """
    service = _named_service(call, service_id)
    chosen = naming.chosen(call, name, wild=True)
    present = chosen_names.of_service(call.tx, service.id)
    if present is not None and present.name == chosen:
        return PrivateNameAnswer(**_shown(present))
    made = ServicePrivateName(
        service_id=service.id,
        account_id=service.account_id,
        name=chosen,
        challenge=new_challenge(),
        state=NameState.PENDING,
        verified_by=Verifier.NOBODY,
        created_at=call.now,
        verified_at="",
    )
    chosen_names.set_service_name(call.tx, made)
    return PrivateNameAnswer(**_shown(made))


def _question(call: Call, service_id: str) -> Question | None:
    """What has to be known to verify a service's name; None: it is verified."""
    present = _own_name(call, service_id)
    if present.state is NameState.VERIFIED:
        return None
    return Question(names.challenge_name(present.name))


@action(
    PRIVLINK,
    writes=True,
    resource="privatelink:vpcendpointservice/{service_id}",
    asks=_question,
)
def verify_service_private_name(call: Call, *, service_id: str) -> PrivateNameAnswer:
    """Have the DNS asked for the TXT record that proves that the name of your service is yours.

    One that is Verified stays so, and nobody is asked.
    """
    present = _own_name(call, service_id)
    if present.state is NameState.VERIFIED:
        return PrivateNameAnswer(**_shown(present))
    record, value = names.challenge_name(present.name), names.challenge(present.challenge)
    found = call.found
    if found is None or found.question.name != record:
        raise errors.NoNameServer(record=record, why="it was set while another was looked up.")
    if found.why:
        raise errors.NoNameServer(record=record, why=found.why)
    if value not in found.texts:
        seen = _seen(record, found.texts)
        raise errors.VerificationFailed(name=present.name, found=seen, value=value, record=record)
    return _verified(call, present, Verifier.DNS)


@action(
    PRIVLINK,
    writes=True,
    who=Who.OPERATOR,
    resource="privatelink:vpcendpointservice/{service_id}",
)
def approve_service_private_name(call: Call, *, service_id: str, name: Name) -> PrivateNameAnswer:
    """Vouch for the name of a service, whosever it is, where the DNS cannot.

    `Name` is the one that you approve: if the service has another by now, nothing happens.
    """
    present = chosen_names.of_service(call.tx, service_id)
    if present is None:
        raise errors.ServicePrivateNameNotFound(service_id=service_id)
    if naming.chosen(call, name, wild=True) != present.name:
        raise errors.ServicePrivateNameChanged(service_id=service_id, name=present.name, given=name)
    if present.state is NameState.VERIFIED:
        return PrivateNameAnswer(**_shown(present))
    return _verified(call, present, Verifier.OPERATOR)


@action(PRIVLINK, writes=True, resource="privatelink:vpcendpointservice/{service_id}")
def delete_service_private_name(call: Call, *, service_id: str) -> Answer:
    """Take the name of your service away. It answers in no VPC any more."""
    present = _own_name(call, service_id)
    chosen_names.delete_service_name(call.tx, present.service_id)
    return Answer()


@action(PRIVLINK, resource="privatelink:vpcendpointservice/*")
def list_service_private_names(
    call: Call, *, max_results: MaxResults = 50, next_token: NextToken = ""
) -> PrivateNamesAnswer:
    """List the private names of your services; the operator sees those of every account."""
    caller = call.caller.account
    assert caller is not None
    found = (
        chosen_names.every(call.tx)
        if caller.operator
        else chosen_names.of_account(call.tx, caller.id)
    )
    page, following = by_token(found, lambda each: each.service_id, max_results, next_token)
    on = chosen_names.switched_on_count(call.tx, [each.service_id for each in page])
    return PrivateNamesAnswer(
        service_private_names=[
            ListedPrivateName(
                **_shown(each), owner_id=each.account_id, endpoint_count=on[each.service_id]
            )
            for each in page
        ],
        total_count=len(found),
        max_results=max_results,
        next_token=following,
    )


def _named_service(call: Call, service_id: str) -> EndpointService:
    service = ours.service(call, service_id)
    if not KINDS[fitting(service.resource_type)].NAMED:
        raise errors.ServiceTypeNotNamed(service_id=service.id)
    return service


def _own_name(call: Call, service_id: str) -> ServicePrivateName:
    service = ours.service(call, service_id)
    present = chosen_names.of_service(call.tx, service.id)
    if present is None:
        raise errors.ServicePrivateNameNotFound(service_id=service.id)
    return present


def _verified(call: Call, present: ServicePrivateName, by: Verifier) -> PrivateNameAnswer:
    changed = msgspec.structs.replace(
        present, state=NameState.VERIFIED, verified_by=by, verified_at=call.now
    )
    chosen_names.change_service_name(call.tx, changed)
    return PrivateNameAnswer(**_shown(changed))


def _seen(record: str, texts: tuple[str, ...]) -> str:
    """What was found in the place of what was wanted."""
    if not texts:
        return f"{record} has no TXT record."
    more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
    return f"{record} says {', '.join(map(repr, texts[:_MOST_SHOWN]))}{more}."


def _shown(name: ServicePrivateName) -> dict[str, Any]:
    return {
        "service_id": name.service_id,
        "name": name.name,
        "state": name.state,
        "txt_record_name": names.challenge_name(name.name),
        "txt_record_value": names.challenge(name.challenge),
        "verified_by": name.verified_by,
        "create_time": name.created_at,
        "verify_time": name.verified_at or msgspec.UNSET,
    }


ACTIONS = (
    set_service_private_name,
    verify_service_private_name,
    approve_service_private_name,
    delete_service_private_name,
    list_service_private_names,
)
