"""Maps that are never changed, against dicts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privlink.dns.answers.table import Table

KEYS = st.integers(0, 4000)
EDITS = st.lists(st.tuples(KEYS, st.none() | st.text(max_size=2)), max_size=30)


def edited(table: Table[int, str], edits: list[tuple[int, str | None]]) -> Table[int, str]:
    edit = table.edited()
    for key, value in edits:
        edit.put(key, value)
        assert edit.get(key) == value
    return edit.done()


@given(st.lists(EDITS, max_size=4))
def test_a_table_is_a_dict_that_stays_as_it_is(rounds: list[list[tuple[int, str | None]]]) -> None:
    table: Table[int, str] = Table()
    wanted: dict[int, str] = {}
    past = []
    for edits in rounds:
        past.append((table, dict(wanted)))
        table = edited(table, edits)
        for key, value in edits:
            wanted.pop(key, None)
            if value is not None:
                wanted[key] = value
    for each, content in (*past, (table, wanted)):
        assert dict(each.items()) == content
        assert sorted(each) == sorted(content) and len(each) == len(content)
        assert all(key in each and each.get(key) == content[key] for key in content)
        assert each.get(-1) is None and -1 not in each
        differing = {key for key in content | wanted if content.get(key) != wanted.get(key)}
        assert set(each.differing(table)) >= differing
        assert set(each.differing(each)) == set()


def test_only_what_is_touched_is_copied() -> None:
    table = edited(Table(), [(key, "x") for key in range(100_000)])
    after = edited(table, [(5, "y")])
    pairs = zip(table._shards, after._shards, strict=True)
    assert sum(one is not other for one, other in pairs) == 1
    assert list(after.differing(table)) == [5]
