"""An installation for each test: its server, its accounts, its node, and how it refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shutil import copyfile

import pytest
from darabonba.exceptions import DaraException

from privlink.api.reference import refusals
from privlink.client import RemoteError
from privlink.server.app import GATE
from privlink.server.wiring import ACTIONS
from privlink.store import migrate
from privlink.store.database import Database
from tests.api.account import Account
from tests.api.stage import OPERATOR, Port, Stage
from tests.api.stand_in import Node
from tests.api.terraform import Provider
from tests.api.world import World

Refused = Callable[..., AbstractContextManager[None]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite`: write the transcripts anew instead of holding them against this run."""
    parser.addoption("--rewrite", action="store_true", help="write the transcripts anew")


@pytest.fixture(scope="session")
def allowed() -> dict[str, set[str]]:
    """What the reference says that each action can refuse with; "?" is a request without one."""
    reader = refusals.Reader()
    common = {each.code for each in reader.of_functions(GATE)} | {"OK"}
    found = {"?": common}
    for action in ACTIONS:
        own = {each.code for each in reader.of_action(action)}
        found.setdefault(action.name, set(common)).update(own)
    return found


@pytest.fixture(autouse=True)
def the_reference_leaves_no_refusal_out(allowed: dict[str, set[str]]) -> Iterator[None]:
    """Whatever is answered in any test is among what the reference lists for its action."""
    answered: set[tuple[str, str]] = set()

    log = logging.getLogger("privlink.server.app")
    level = log.level

    def listen(record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            _, action, _, kind, _ = record.args
            answered.add((str(action), str(kind)))
        return record.levelno >= logging.getLogger().getEffectiveLevel()

    log.addFilter(listen)
    log.setLevel(logging.INFO)
    yield
    log.removeFilter(listen)
    log.setLevel(level)
    assert [each for each in sorted(answered) if each[1] not in allowed[each[0]]] == []


@pytest.fixture(scope="session")
def port() -> Iterator[Port]:
    """The one listening socket of the run."""
    port = Port()
    yield port
    port.close()


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and nothing in them."""
    file = tmp_path_factory.mktemp("fresh") / "privlink.db"
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database, migrate.load())
    database.close()
    return file


@pytest.fixture
def stage(port: Port, fresh_database: Path, tmp_path: Path) -> Iterator[Stage]:
    """An installation that nobody has used yet."""
    file = tmp_path / "privlink.db"
    copyfile(fresh_database, file)
    stage = Stage(port, file)
    yield stage
    stage.close()


@pytest.fixture
def operator(stage: Stage) -> Iterator[Account]:
    """The account of the first start."""
    account = account_on(stage, OPERATOR.account_id, OPERATOR.access_key_id)
    yield account
    account.own.close()


@pytest.fixture
def other(stage: Stage, operator: Account) -> Iterator[Account]:
    """A second account with PrivateLink switched on, which owns nothing yet."""
    made = operator.own.call("CreateAccount", Name="other")
    account = Account(stage.host, made["AccountId"], made["AccessKeyId"], made["AccessKeySecret"])
    account.privatelink.OpenPrivateLinkService()
    yield account
    account.own.close()


@pytest.fixture
def node(stage: Stage) -> Iterator[Node]:
    """The node, which does nothing until it is told to."""
    node = Node(stage.url)
    yield node
    node.close()


@pytest.fixture
def world(operator: Account) -> World:
    """The operator's account with what it takes to build networks in few words."""
    return World(operator)


@pytest.fixture
def provider(stage: Stage, operator: Account, node: Node) -> Iterator[Provider]:
    """Terraform's provider, set up with the first account's keys."""
    provider = Provider(stage, operator, node)
    yield provider
    provider.close()


@pytest.fixture
def refused(stage: Stage) -> Refused:
    """`with refused(code, status, *words): call` - and the call has left nothing behind."""

    @contextmanager
    def refused(code: str, status: int, *words: str) -> Iterator[None]:
        before = stage.dump()
        with pytest.raises((DaraException, RemoteError)) as caught:
            yield
        error = caught.value
        answered = error.status if isinstance(error, RemoteError) else error.status_code
        assert (error.code, answered) == (code, status), error.message
        for word in words:
            assert word in error.message, f"{word!r} is not in: {error.message}"
        assert stage.dump() == before

    return refused


def account_on(stage: Stage, account_id: str, key_id: str) -> Account:
    """The first account on a stage."""
    return Account(stage.host, account_id, key_id, OPERATOR.access_key_secret)
