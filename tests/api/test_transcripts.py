"""Each action answers as its transcript says, whichever client asks; each has one.

`--rewrite` plays everything and writes the transcripts anew: see `transcript.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from darabonba.exceptions import DaraException

from privlink.api.action import Action
from privlink.api.caller import Who
from privlink.server.wiring import ACTIONS
from tests.api import old_client
from tests.api.account import Account
from tests.api.stage import Stage
from tests.api.stand_in import Node
from tests.api.steps import STEPS
from tests.api.transcript import (
    Exchange,
    Parameters,
    Said,
    by_hand,
    files,
    path_of,
    play,
    read,
    written,
)

# Actions that refuse whatever is asked, with the reason.
NEVER_ANSWERED = {
    "ram.GetLoginProfile": "nobody has a password.",
    "ram.DeleteLoginProfile": "nobody has a password.",
    "ram.GetUserMFAInfo": "nobody has an MFA device.",
    "ram.UnbindMFADevice": "nobody has an MFA device.",
}
# Products without an official client.
OWN = {"bssopenapi", "privlink"}


def by_official_client(account: Account, action: Action, request: Parameters) -> Said:
    """Ask with the official SDK, whose models hold the call to their types."""
    try:
        return 200, getattr(getattr(account, action.product.name), action.name)(**request)
    except DaraException as error:
        return error.status_code, {**error.data, "Code": error.code}


@pytest.mark.parametrize("product", STEPS)
def test_each_action_answers_as_its_transcript_says(
    stage: Stage, node: Node, product: str, request: pytest.FixtureRequest
) -> None:
    told = play(stage, node, product, STEPS[product], by_hand)
    if request.config.getoption("--rewrite", default=False):
        for action, exchanges in told.items():
            path_of(product, action).parent.mkdir(parents=True, exist_ok=True)
            path_of(product, action).write_text(written(exchanges))
    for action, exchanges in told.items():
        assert exchanges == read(product, action), (
            f"{product}.{action}: if it is meant, scripts/docs"
        )


@pytest.mark.parametrize("product", [each for each in STEPS if each not in OWN])
def test_the_official_client_is_answered_the_same(stage: Stage, node: Node, product: str) -> None:
    told = play(stage, node, product, STEPS[product], by_official_client)
    for action, exchanges in told.items():
        assert as_seen(exchanges) == as_seen(read(product, action)), action


def test_the_old_client_is_answered_the_same(stage: Stage, node: Node) -> None:
    called: list[str] = []

    def ask(account: Account, action: Action, request: Parameters) -> Said:
        if not old_client.knows(action.name, request):
            return by_hand(account, action, request)
        called.append(action.name)
        return old_client.ask(account, action.name, request)

    told = play(stage, node, "privatelink", STEPS["privatelink"], ask)
    for action, exchanges in told.items():
        assert as_seen(exchanges) == as_seen(read("privatelink", action)), action
    served = {each.name for each in ACTIONS if each.product.name == "privatelink"}
    assert set(called) == old_client.ACTIONS & served


def test_every_action_has_a_transcript_with_an_answer() -> None:
    for action in ACTIONS:
        exchanges = read(action.product.name, action.name)
        is_answered = any(each.status == 200 for each in exchanges)
        wanted = f"{action.product.name}.{action.name}" not in NEVER_ANSWERED
        assert exchanges and is_answered == wanted, (
            f"{action.product.name}.{action.name} has no transcript: give it a line in "
            "its product's table in tests/api/steps and run scripts/docs"
        )


def test_no_transcript_is_of_an_action_that_is_gone() -> None:
    wanted = {path_of(each.product.name, each.name) for each in ACTIONS}
    assert set(files()) == wanted


def as_seen(exchanges: list[Exchange]) -> list[tuple[Any, ...]]:
    """What a client's program sees of exchanges: of a refusal its code and sentence."""
    return [
        (each.request, each.status, _seen(each.answer) if each.status != 200 else each.answer)
        for each in exchanges
    ]


def _seen(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["Code"], answer["Message"].removeprefix(f"{answer['Code']}: ")


@pytest.mark.parametrize("product", STEPS)
def test_a_change_can_be_rehearsed_and_sent_twice(stage: Stage, node: Node, product: str) -> None:
    """With DryRun nothing happens; with the same ClientToken it happens once."""
    tokens: list[str] = []

    def ask(account: Account, action: Action, request: Parameters) -> Said:
        if not action.writes:
            return by_hand(account, action, request)
        before = stage.dump()
        tokens.append(f"token {len(tokens)}")
        control = {"ClientToken": tokens[-1]}
        rehearsed = by_hand(account, action, {**request, **control, "DryRun": True})
        said = by_hand(account, action, {**request, **control})
        expected = said[1]["Code"] if said[0] != 200 else "DryRunOperation"
        assert rehearsed[1]["Code"] == expected, action.name
        if said[0] == 200 and not action.secret and action.who is not Who.NODE:
            again = by_hand(account, action, {**request, **control})
            assert without_request_id(again[1]) == without_request_id(said[1]), action.name
        assert said[0] == 200 or stage.dump() == before
        return said

    told = play(stage, node, product, STEPS[product], ask)
    for action, exchanges in told.items():
        assert exchanges == read(product, action), action


def without_request_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "RequestId"}
