"""A file of a Delta table holds what the schema says, whatever else is in it."""

from __future__ import annotations

from shared.snapshots.delta.heads import by_schema
from shared.snapshots.heads import Head
from shared.snapshots.snapshot import DeltaField


def fields(*names: str, kind: str = "string") -> list[DeltaField]:
    return [DeltaField(name, name, kind) for name in names]


def head(*columns: str, types: tuple[str, ...] = ()) -> Head:
    return Head(columns, types=types or ("VARCHAR",) * len(columns), known_as=columns)


def test_columns_are_those_of_the_schema() -> None:
    found = by_schema(head("City", "_change_type", "EMail"), fields("EMail", "City"), {})
    assert (found.columns, found.known_as, found.constants) == (("EMail", "City"), ("EMail", "City"), ())


def test_a_column_that_was_added_later_is_empty_in_older_files() -> None:
    found = by_schema(head("EMail"), fields("EMail", "City"), {})
    assert (found.columns, found.constants) == (("EMail",), (("City", None),))


def test_the_value_of_a_partition_is_that_of_the_log_though_the_file_has_another() -> None:
    found = by_schema(head("EMail", "City"), fields("EMail", "City"), {"City": "Lund"})
    assert (found.columns, found.constants) == (("EMail",), (("City", "Lund"),))


def test_columns_are_found_by_the_name_that_they_have_in_files() -> None:
    mapped = [DeltaField("EMail", "col-1", "string"), DeltaField("City", "EMail", "string")]
    found = by_schema(head("EMail", "col-1"), mapped, {})
    assert (found.columns, found.known_as) == (("EMail", "City"), ("col-1", "EMail"))


def test_capitals_count_only_where_they_tell_columns_apart() -> None:
    assert by_schema(head("email"), fields("EMail"), {}).known_as == ("email",)
    assert by_schema(head("email", "EMAIL"), fields("EMail"), {}).constants == (("EMail", None),)
    assert by_schema(head("email", "EMail"), fields("EMail"), {}).known_as == ("EMail",)


def test_a_moment_is_read_as_one_whatever_the_file_calls_it() -> None:
    for kind in ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"):
        found = by_schema(head("At", types=(kind,)), fields("At", kind="timestamp"), {})
        assert found.types == ("TIMESTAMP WITH TIME ZONE",)


def test_what_is_no_text_in_the_log_is_no_plain_value() -> None:
    for kind in ("timestamp", "double", "float", "binary", "decimal(10,2)"):
        assert by_schema(head("EMail"), fields("At", kind=kind), {"At": "x"}).types == ("BLOB",)
    for kind in ("string", "long", "integer", "short", "byte", "date", "boolean"):
        assert by_schema(head("EMail"), fields("At", kind=kind), {"At": "x"}).constants == (("At", "x"),)
    assert by_schema(head("Raw"), fields("Raw", kind="binary"), {}).types == ("BLOB",)


def test_a_column_that_would_hide_which_file_a_row_is_from_is_not_forgotten() -> None:
    found = by_schema(head("EMail", "File_Index"), fields("EMail"), {})
    assert (found.columns, found.known_as) == (("EMail", ""), ("EMail", "File_Index"))
