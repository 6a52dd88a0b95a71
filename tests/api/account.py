"""An account that calls through Alibaba Cloud's own SDKs: `account.vpc.CreateVpc(CidrBlock=...)`.

Parameters and fields have their names of the wire; the SDK's request and response models stand in
between, and hold every call to their types: what they do not know, in either direction, is an
error here, although the SDKs themselves would drop it in silence.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from types import ModuleType
from typing import Any

from alibabacloud_cms20190101 import models as cms
from alibabacloud_cms20190101.client import Client as Cms
from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_location20150612 import models as location
from alibabacloud_location20150612.client import Client as Location
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_nlb20220430.client import Client as Nlb
from alibabacloud_privatelink20200415 import models as privatelink
from alibabacloud_privatelink20200415.client import Client as PrivateLink
from alibabacloud_ram20150501 import models as ram
from alibabacloud_ram20150501.client import Client as Ram
from alibabacloud_resourcemanager20200331 import models as resourcemanager
from alibabacloud_resourcemanager20200331.client import Client as ResourceManager
from alibabacloud_slb20140515 import models as slb
from alibabacloud_slb20140515.client import Client as Slb
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client as Sts
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as Vpc

from privlink.client import Client as OwnClient
from tests.api.stage import REGION

Answer = dict[str, Any]


class Account:
    """One account's clients, one for each product."""

    def __init__(
        self, host: str, account_id: str, key_id: str, secret: str, **options: Any
    ) -> None:
        self.host, self.id, self.key_id, self.secret = host, account_id, key_id, secret
        config = Config(
            access_key_id=key_id,
            access_key_secret=secret,
            endpoint=host,
            protocol="http",
            region_id=REGION,
            **options,
        )
        self.vpc = Product(Vpc(config), vpc)
        self.ecs = Product(Ecs(config), ecs)
        self.nlb = Product(Nlb(config), nlb)
        self.slb = Product(Slb(config), slb)
        self.cms = Product(Cms(config), cms)
        self.location = Product(Location(config), location)
        self.privatelink = Product(PrivateLink(config), privatelink)
        self.resourcemanager = Product(ResourceManager(config), resourcemanager)
        self.ram = Product(Ram(config), ram)
        self.sts = Product(Sts(config), sts)
        self.own = OwnClient(f"http://{host}", key_id, secret, options.get("security_token", ""))


class Product:
    """One SDK client. Its attributes are the product's actions."""

    def __init__(self, client: Any, models: ModuleType) -> None:
        self._client, self._models = client, models
        self._methods = {name.replace("_", ""): name for name in dir(client)}
        for way in ("call_api", "do_rpcrequest"):  # the second is the oldest SDKs'
            setattr(client, way, functools.partial(self._remember, getattr(client, way)))
        self._raw: Any = None

    def __getattr__(self, action: str) -> Callable[..., Answer]:
        if action.startswith("_"):
            raise AttributeError(action)
        return functools.partial(self._call, action)

    def _call(self, action: str, **parameters: Any) -> Answer:
        method = getattr(self._client, self._methods[action.lower()])
        if not hasattr(self._models, f"{action}Request"):
            assert not parameters, f"{action} takes no parameters"
            return self._checked(action, method())
        request = getattr(self._models, f"{action}Request")()
        if "RegionId" in request.from_map({"RegionId": REGION}).to_map():
            parameters.setdefault("RegionId", REGION)
        request.from_map(parameters)
        assert _within(parameters, request.to_map()), f"{action} takes no such {parameters}"
        return self._checked(action, method(request))

    def _checked(self, action: str, response: Any) -> Answer:
        answer: Answer = self._raw
        assert getattr(response, "status_code", 200) == 200  # the oldest SDKs do not tell
        assert _within(answer, response.body.to_map()), f"the SDK drops some of {answer}"
        _check_types(action, response.body)
        return answer

    def _remember(self, send: Callable[..., Any], *arguments: Any) -> Any:
        answered = send(*arguments)
        self._raw = answered["body"]
        return answered


def _within(part: Any, whole: Any) -> bool:
    """Whether everything in `part` is in `whole` too."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and _within(value, whole[name]) for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(part) == len(whole)
            and all(_within(*pair) for pair in zip(part, whole, strict=True))
        )
    return bool(part == whole)


def _check_types(where: str, model: Any) -> None:
    """Every field of an answer has the type that the SDK's model gives it."""
    for name, expected in _fields(model.__class__).items():
        value = getattr(model, name)
        if value is not None:
            _check_type(f"{where}.{name}", expected, value)


def _check_type(where: str, expected: Any, value: Any) -> None:
    if typing.get_origin(expected) is list:
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for item in value:
            _check_type(where, typing.get_args(expected)[0], item)
    elif hasattr(expected, "from_map"):
        _check_types(where, value)
    else:
        assert type(value) is expected, f"{where}: {value!r} is no {expected.__name__}"


@functools.cache
def _fields(model: Any) -> dict[str, Any]:
    return typing.get_type_hints(model.__init__)
