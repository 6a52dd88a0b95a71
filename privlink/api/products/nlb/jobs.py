"""Jobs: what a write set going, and whether the nodes have it done.

    revision (48 bits) | seal (80 bits)        as a UUID: 0000-00000012-7b0e-...

No table holds them. A job is done once every node has confirmed the revision of the write, so its
id carries that revision, and a seal that only this installation can put on it for this account.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

from privlink import errors
from privlink.api.action import NLB, Call, RegionId, action
from privlink.api.wire import Answer
from privlink.model.ids import AccountId
from privlink.store import changes, jobs, nodes
from privlink.store.changes import Audience

_SEAL_BYTES = 10


class JobAnswer(Answer):
    job_id: str


class JobStatusAnswer(Answer):
    status: str


def begun(call: Call) -> str:
    """The id of a job that is done when the nodes have everything written until now."""
    revision = changes.newest_for(call.tx, Audience.NODES)
    return _job_id(jobs.make_seal(call.tx), call.account_id, revision)


@action(NLB, resource=None)
def get_job_status(
    call: Call, *, region_id: RegionId | None = None, job_id: str
) -> JobStatusAnswer:
    """Say whether a job of yours is done: Processing or Succeeded."""
    seal = jobs.seal(call.tx)
    try:
        revision = uuid.UUID(job_id).int >> 8 * _SEAL_BYTES
    except ValueError:
        raise errors.JobNotFound(job_id=job_id) from None
    if not seal or not hmac.compare_digest(
        job_id.encode(), _job_id(seal, call.account_id, revision).encode()
    ):
        raise errors.JobNotFound(job_id=job_id)
    done = nodes.revision_held(call.tx) >= revision
    return JobStatusAnswer(status="Succeeded" if done else "Processing")


def _job_id(seal: int, account_id: AccountId, revision: int) -> str:
    key, said = seal.to_bytes(8, "big"), f"{account_id} {revision}".encode()
    stamp = hmac.new(key, said, hashlib.sha256).digest()[:_SEAL_BYTES]
    return str(uuid.UUID(int=revision << 8 * _SEAL_BYTES | int.from_bytes(stamp, "big")))


ACTIONS = (get_job_status,)
