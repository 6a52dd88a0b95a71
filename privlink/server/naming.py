"""The actions of whoever answers names: PullNames (which documents changed) and ConfirmNames (which
are in its answers). Its key is for these two and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import msgspec

from privlink import errors
from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.wire import Answer
from privlink.config import Config
from privlink.model.account import Resolver
from privlink.model.naming import AnyDocument
from privlink.plane import naming as compiler
from privlink.server import control
from privlink.server.compiling import Compiler, of_parts, present
from privlink.server.feed import LONGEST_WAIT, Revision
from privlink.store import changes, name_servers, naming, resolvers
from privlink.store.changes import Audience

log = logging.getLogger(__name__)


class DocumentAnswer(Answer):
    key: str
    item: AnyDocument | None


class NamesAnswer(Answer):
    life: int
    revision: int
    full: bool
    items: list[DocumentAnswer]


@action(PRIVLINK, who=Who.RESOLVER, resource="resolver/{node_id}")
def pull_names(
    call: Call,
    *,
    node_id: str,
    revision: Revision,
    life: Revision = 0,
    wait_seconds: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 0,
) -> NamesAnswer:
    """What changed of names since a revision; everything, if that is 0 or of another life of the
    server.

    The server holds the request for up to `WaitSeconds` while there is nothing to say.
    """
    check_is_self(call, node_id, "PullNames")
    newest = changes.newest(call.tx)
    full = revision == 0 or revision > newest or life != changes.life(call.tx)
    if full:
        found = changes.living(call.tx, Audience.RESOLVERS)
    else:
        found = changes.since(call.tx, revision, Audience.RESOLVERS)
    documents = present(call.tx, (change.key for change in found), _compilers(call.config))
    return NamesAnswer(
        life=changes.life(call.tx),
        revision=newest,
        full=full,
        items=[DocumentAnswer(key=each.key, item=documents.get(each.key)) for each in found],
    )


@action(PRIVLINK, writes=True, who=Who.RESOLVER, resource="resolver/{node_id}")
def confirm_names(call: Call, *, node_id: str, life: Revision, revision: Revision) -> Answer:
    """A resolver's word: everything up to `Revision` of `Life` is in its answers.

    It says so at once when it has taken in a change, and every few seconds: one that has said
    nothing for 10 seconds is waited for no longer. `Life` is 0 from one that answers nothing yet.
    """
    resolver = check_is_self(call, node_id, "ConfirmNames")
    resolver = msgspec.structs.replace(resolver, seen_at=call.now)
    if life == 0:
        resolvers.put(call.tx, msgspec.structs.replace(resolver, revision=0))
        return Answer()
    if life != changes.life(call.tx):
        # It has not heard of this life yet, so it says nothing of what is asked for in it.
        resolvers.put(call.tx, resolver)
        return Answer()
    if revision > changes.newest(call.tx):
        revision = 0  # nobody in this life told it so: nothing of ours is confirmed by it
    resolvers.put(call.tx, msgspec.structs.replace(resolver, life=life, revision=revision))
    for sentence in control.settle(call.tx, int(call.moment.timestamp())):
        log.info("%s", sentence)
    changes.forget_gone(call.tx)
    return Answer()


ACTIONS = (pull_names, confirm_names)


def check_is_self(call: Call, resolver_id: str, action: str) -> Resolver:
    """The resolver that calls. Raises NodeNotFound, and NoPermission where it names another."""
    resolver = resolvers.get(call.tx, resolver_id)
    if resolver is None:
        raise errors.NodeNotFound(node_id=resolver_id)
    if resolver.id != call.caller.resolver_id:
        raise errors.NoPermission(
            caller=call.caller.name, action=action, why=f"it is not {resolver_id}."
        )
    return resolver


def _compilers(config: Config) -> Mapping[str, tuple[Compiler[AnyDocument]]]:
    names = partial(compiler.endpoint_names, domain=config.domain, region=config.region)
    return {
        "place": (of_parts(naming.of_places, compiler.place),),
        "names": (of_parts(naming.of_names, names),),
        "front": (of_parts(naming.of_fronts, compiler.front),),
        "server": (of_parts(name_servers.of_servers, compiler.name_server),),
    }
