"""What use costs."""

from __future__ import annotations

from typing import Annotated

import msgspec

from privlink.api.action import PRIVLINK, Call, action
from privlink.api.caller import Who
from privlink.api.times import moment_of
from privlink.api.wire import Answer
from privlink.rules import billing
from privlink.rules.billing import Price
from privlink.store import prices

Currency = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z", description="a currency is three capitals: CNY.")
]
Money = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?\Z",
        description="a price is a decimal number such as 0.07, up to nine digits on either side.",
    ),
]


class PriceAnswer(Answer):
    currency: str
    zone_hour: str
    gigabyte: str
    since_time: str


class PricesAnswer(Answer):
    prices: list[PriceAnswer]


@action(PRIVLINK, writes=True, who=Who.OPERATOR, resource="price")
def set_prices(call: Call, *, currency: Currency, zone_hour: Money, gigabyte: Money) -> PriceAnswer:
    """Set what an hour of an endpoint zone costs, and 10^9 bytes through it in either direction.

    It holds from the beginning of the present hour on; what was used before costs what it did.
    """
    hour = int(call.moment.timestamp()) // billing.HOUR
    price = Price(hour, currency, zone_hour, gigabyte)
    prices.put(call.tx, price)
    return _answer(price)


@action(PRIVLINK, who=Who.OPERATOR, resource="price")
def describe_prices(call: Call) -> PricesAnswer:
    """List what use has cost, the newest first. Before the first of them it was free."""
    return PricesAnswer(prices=[_answer(each) for each in reversed(prices.every(call.tx))])


def _answer(price: Price) -> PriceAnswer:
    return PriceAnswer(
        currency=price.currency,
        zone_hour=price.zone_hour,
        gigabyte=price.gigabyte,
        since_time=moment_of(price.since * billing.HOUR),
    )


ACTIONS = (set_prices, describe_prices)
