"""Tags on resources of every product: given at creation, changed, listed, filtered by.

A product says which resource types it tags, and with which codes it refuses:

    LABELS = Labels(VPC, {"vpc": ours.vpc, "vswitch": ours.vswitch})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, NoReturn

import msgspec

from privlink import errors
from privlink.api import limits
from privlink.api.action import Call, Product
from privlink.api.paging import by_token, place_of
from privlink.api.wire import Answer, Fields
from privlink.model.labels import ResourceTag
from privlink.rules import quotas, tags
from privlink.store import labels, pages
from privlink.store.pages import Tagged


class Tag(Fields, frozen=True):
    """A tag, or in a filter the key alone: then any value will do."""

    key: str | None = None
    value: str | None = None


Tags = Annotated[tuple[Tag, ...], msgspec.Meta(max_length=20, description="at most 20 tags.")]
TagKeys = Annotated[tuple[str, ...], msgspec.Meta(max_length=20, description="at most 20 keys.")]
ResourceIds = Annotated[
    tuple[str, ...], msgspec.Meta(max_length=50, description="at most 50 resources.")
]
SomeResourceIds = Annotated[
    tuple[str, ...],
    msgspec.Meta(min_length=1, max_length=50, description="1 to 50 resources."),
]


class TagAnswer(Answer):
    key: str
    value: str


class TagResource(Answer):
    resource_id: str
    resource_type: str
    tag_key: str
    tag_value: str


class Refusals(msgspec.Struct, frozen=True):
    """How a product refuses what is wrong with tags."""

    missing_key: type[errors.MissingTagKey] = errors.MissingTagKey
    no_key: type[errors.NoTagKey] = errors.NoTagKey
    missing_value: type[errors.MissingTagValue] = errors.MissingTagValue
    invalid_key: type[errors.InvalidTagKey] = errors.InvalidTagKey
    invalid_value: type[errors.InvalidTagValue] = errors.InvalidTagValue
    twice: type[errors.DuplicateTagKey] = errors.DuplicateTagKey
    too_many: type[errors.TooManyTags] = errors.TooManyTags
    nothing_asked: type[errors.BothEmptyTagsAndResources] = errors.BothEmptyTagsAndResources
    unknown_resource: type[errors.ApiError] = errors.InvalidResourceIdNotFound
    unknown_tag: type[errors.ApiError] | None = None  # None: removing what is not there succeeds


class Labels:
    """The tags of one product's resources."""

    def __init__(
        self,
        product: Product,
        kinds: Mapping[str, Callable[[Call, str], object]],
        refusals: Refusals | None = None,
    ) -> None:
        """`kinds`: what raises for an id that is not the caller's, by resource type in lower
        case.
        """
        self._product, self._kinds = product, kinds
        self._refusals = refusals or Refusals()

    def attach(self, call: Call, kind: str, resource_id: str, given: Sequence[Tag]) -> None:
        """Tag a resource; a key that is there already gets the new value."""
        pairs = self._pairs(given)
        if not pairs:
            return
        present = {tag.key for tag in labels.tags(call.tx, [resource_id])[resource_id]}
        limits.check(
            call,
            quotas.TAGS_PER_RESOURCE,
            len(present),
            resource_id,
            more=len(pairs.keys() - present),
            refusal=self._refusals.too_many,
        )
        for key, value in pairs.items():
            labels.put_tag(call.tx, ResourceTag(resource_id, key, value, call.account_id, kind))

    def tag(
        self, call: Call, resource_type: str, resource_ids: Sequence[str], given: Sequence[Tag]
    ) -> Answer:
        """Tag several resources of one type."""
        kind = self._kind(resource_type)
        if not given:
            raise self._refusals.missing_key(number=1)
        for resource_id in dict.fromkeys(resource_ids):
            self._check_owned(call, kind, resource_id)
            self.attach(call, kind, resource_id, given)
        return Answer()

    def untag(
        self,
        call: Call,
        resource_type: str,
        resource_ids: Sequence[str],
        keys: Sequence[str],
        *,
        every: bool,
    ) -> Answer:
        """Take tags off several resources of one type; `every` counts if no key is given."""
        kind = self._kind(resource_type)
        if len(set(keys)) != len(keys):
            raise self._refusals.twice(key=next(key for key in keys if keys.count(key) > 1))
        if not keys and not every:
            raise self._refusals.no_key
        for resource_id in dict.fromkeys(resource_ids):
            self._check_owned(call, kind, resource_id)
            present = {tag.key for tag in labels.tags(call.tx, [resource_id])[resource_id]}
            unknown = [key for key in keys if key not in present]
            if unknown and self._refusals.unknown_tag:
                raise self._refusals.unknown_tag(resource_id=resource_id, key=unknown[0])
            labels.delete_tags(call.tx, resource_id, keys or present)
        return Answer()

    def page(
        self,
        call: Call,
        resource_type: str,
        resource_ids: Sequence[str],
        wanted: Sequence[Tag],
        size: int,
        token: str,
    ) -> tuple[list[TagResource], str | msgspec.UnsetType]:
        """One page of the tags of resources, flat: each resource has all the tags wanted.

        Ids that are not the caller's have no tags here.
        """
        kind = self._kind(resource_type)
        if not resource_ids and not wanted:
            raise self._refusals.nothing_asked
        tagged = self.asked(call, kind, wanted)
        first = place_of(token).partition(" ")[0]
        # Each has at least one tag, the first perhaps none that is left: so many are enough.
        ids = resource_ids or (pages.having(call.tx, tagged, first, size + 2) if tagged else ())
        found = []
        for some in labels.tags(call.tx, {each for each in ids if each >= first}).values():
            own = [t for t in some if (t.account_id, t.resource_type) == (call.account_id, kind)]
            if tagged is None or tagged.covered_by({tag.key: tag.value for tag in own}):
                found += own
        found.sort(key=_place)
        page, following = by_token(found, _place, size, token)
        return [TagResource(**_row(tag)) for tag in page], following

    def asked(self, call: Call, kind: str, wanted: Sequence[Tag]) -> Tagged | None:
        """The tags that a list is narrowed by; None where there are none."""
        for number, tag in enumerate(wanted, start=1):
            if not tag.key:
                raise self._refusals.missing_key(number=number)
        pairs = tuple((tag.key or "", tag.value) for tag in wanted)
        return Tagged(call.account_id, kind, pairs) if pairs else None

    def matching(self, call: Call, kind: str, wanted: Sequence[Tag]) -> set[str] | None:
        """The caller's resources that have all the tags wanted; None where none is wanted.

        For kinds of which an account has few.
        """
        tagged = self.asked(call, kind, wanted)
        return None if tagged is None else set(pages.having(call.tx, tagged))

    def _pairs(self, given: Sequence[Tag]) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for number, tag in enumerate(given, start=1):
            if tag.key is None:
                raise self._refusals.missing_key(number=number)
            if tag.value is None:
                raise self._refusals.missing_value(number=number, key=tag.key)
            if why := tags.key_problem(tag.key):
                raise self._refusals.invalid_key(key=tag.key, why=why)
            if why := tags.value_problem(tag.value):
                raise self._refusals.invalid_value(key=tag.key, value=tag.value, why=why)
            if tag.key in pairs:
                raise self._refusals.twice(key=tag.key)
            pairs[tag.key] = tag.value
        return pairs

    def _kind(self, resource_type: str) -> str:
        """A resource type in lower case: Terraform spells it otherwise than the SDKs."""
        kind = resource_type.lower()
        if kind not in self._kinds:
            known = " or ".join(self._kinds)
            why = f"{resource_type!r} was given; it is {known}."
            raise self._product.invalid(parameter="ResourceType", why=why)
        return kind

    def _check_owned(self, call: Call, kind: str, resource_id: str) -> None:
        try:
            self._kinds[kind](call, resource_id)
        except errors.ApiError:
            self._refuse(kind, resource_id)

    def _refuse(self, kind: str, resource_id: str) -> NoReturn:
        raise self._refusals.unknown_resource(kind=kind, resource_id=resource_id) from None


def shown(call: Call, resource_ids: Iterable[str]) -> dict[str, list[TagAnswer]]:
    """The tags of resources as answers show them; those without tags have an empty list."""
    listed = list(resource_ids)
    found = labels.tags(call.tx, listed)
    return {
        resource_id: [TagAnswer(key=tag.key, value=tag.value) for tag in found[resource_id]]
        for resource_id in listed
    }


def _place(tag: ResourceTag) -> str:
    return f"{tag.resource_id} {tag.key}"


def _row(tag: ResourceTag) -> dict[str, str]:
    return {
        "resource_id": tag.resource_id,
        "resource_type": tag.resource_type,
        "tag_key": tag.key,
        "tag_value": tag.value,
    }
