"""A new field's type is decided by the data matching, not by whose value comes first."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.vendors.contract import FieldType, Row
from shared.vendors.iterable.new_fields import NewFields, Person

GUESSES = {str: "string", int: "long", float: "double", bool: "boolean"}


class Project:
    """Guesses a type from the first value, as Iterable does. `refused` are people whom it does not take."""

    def __init__(self, refused: Sequence[str] = (), *, drops: bool = False, guess: str = "") -> None:
        self.types: dict[str, str] = {"email": "string"}
        self.refused = refused
        self.drops = drops
        self.guess = guess
        self.written: list[tuple[str, dict[str, Any]]] = []

    def fields(self) -> dict[str, str]:
        return dict(self.types)

    def write(self, people: Sequence[Person]) -> set[str]:
        named = set[str]()
        for row, values in people:
            self.written.append((row.address, values))
            if row.address not in self.refused:
                named |= values.keys()
                for name, value in values.items():
                    self.types |= {} if self.drops else {name: self.guess or guessed(value)}
        return named


def guessed(value: Any) -> str:
    return "date" if isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-" else GUESSES[type(value)]


def send(fields: NewFields, wanted: Mapping[str, FieldType], some: list[Row]) -> None:
    with fields.settling(wanted, some):
        pass


def rows(*values: Any, name: str = "new") -> list[Row]:
    return [Row(f"p{n}@example.com", json.dumps({name: value})) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("kind", "values", "type_", "written"),
    [
        (FieldType.STRING, ["2024-01-02", "07030"], "string", "07030"),
        (FieldType.STRING, ["2024-01-02", "text 1"], "string", "text 1"),
        (FieldType.STRING, ["2024-01-02", "2024-01-03T10:00:00Z"], "string", "text"),
        (FieldType.STRING, ["8001", "8002"], "string", "text"),
        (FieldType.STRING, ["07030", "2024-01-02"], "string", "07030"),
        (FieldType.STRING, ["", " 2024-01-02"], "string", "text"),
        (FieldType.NUMBER, [3, 4.5], "double", 4.5),
        (FieldType.NUMBER, [3, 4.0], "double", 0.5),
    ],
)
def test_the_first_request_carries_a_value_that_can_be_taken_for_nothing_else(
    kind: FieldType, values: list[Any], type_: str, written: Any
) -> None:
    project = Project()
    send(NewFields(project.fields, project.write), {"new": kind}, rows(*values))
    assert project.types["new"] == type_
    assert [each for _, each in project.written] == [{"new": written}]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (FieldType.INTEGER, [3, 0]),
        (FieldType.BOOLEAN, [False]),
        (FieldType.DATE, ["2024-01-02", "2024-01-02 10:00:00"]),
        (FieldType.STRING, [None, "Ann", "07030"]),
        (FieldType.NUMBER, [4.5]),
    ],
)
def test_where_all_values_are_sure_the_batch_itself_makes_the_field(kind: FieldType, values: list[Any]) -> None:
    project = Project()
    fields = NewFields(project.fields, project.write)
    send(fields, {"new": kind}, rows(*values))
    send(fields, {"new": kind}, rows("2024-01-02", 3))
    assert project.written == []


def test_a_batch_that_was_not_sent_has_made_no_field() -> None:
    project = Project()
    fields = NewFields(project.fields, project.write)
    with pytest.raises(RetryAfter), fields.settling({"new": FieldType.STRING}, rows("Ann")):
        raise RetryAfter(30, "Requests have to wait.")
    send(fields, {"new": FieldType.STRING}, rows("2024-01-02"))
    assert project.written == [("p0@example.com", {"new": "text"})]


def test_others_with_the_field_wait_for_the_batch_that_makes_it() -> None:
    project = Project()
    fields = NewFields(project.fields, project.write)
    done: list[str] = []

    def send_later() -> None:
        send(fields, {"new": FieldType.STRING}, rows("2024-01-02"))
        done.append("later")

    later = threading.Thread(target=send_later)
    with fields.settling({"new": FieldType.STRING}, rows("Ann")):
        later.start()
        later.join(0.2)
        assert not done
    later.join(100)
    assert done == ["later"]
    assert project.written == []


def test_a_batch_with_nothing_new_waits_for_nobody() -> None:
    project = Project()
    fields = NewFields(project.fields, project.write)
    known = {"email": FieldType.STRING}
    send(fields, known, rows("a@example.com", name="email"))
    with fields.settling({"new": FieldType.STRING}, rows("Ann")):
        other = threading.Thread(target=send, args=(fields, known, rows("b@example.com", name="email")), daemon=True)
        other.start()
        other.join(100)
        assert not other.is_alive()


def test_a_stand_in_goes_to_somebody_whose_own_value_replaces_it() -> None:
    project = Project()
    send(NewFields(project.fields, project.write), {"new": FieldType.STRING}, rows(None, "2024-01-02"))
    assert project.written == [("p1@example.com", {"new": "text"})]


def test_fields_that_are_there_or_that_nobody_has_a_value_for_cost_nothing() -> None:
    project = Project()
    fields = NewFields(project.fields, project.write)
    send(fields, {"email": FieldType.STRING, "new": FieldType.STRING}, rows("a@example.com", name="email"))
    send(fields, {"new": FieldType.STRING}, rows(None))
    assert project.written == []
    send(fields, {"new": FieldType.STRING}, rows("2024-01-01"))
    send(fields, {"new": FieldType.STRING}, rows("2024-01-02"))
    assert project.written == [("p0@example.com", {"new": "text"})]


def test_several_new_fields_take_as_few_people_as_may_be() -> None:
    project = Project()
    many = [Row(f"p{n}@example.com", json.dumps({"a": "Ann", "b": 2.5, "c": "2024-01-01"})) for n in range(9)]
    many += [Row("last@example.com", json.dumps({"a": "2024-01-01", "b": 2.0}))]
    wanted = {"a": FieldType.STRING, "b": FieldType.NUMBER, "c": FieldType.STRING}
    send(NewFields(project.fields, project.write), wanted, many)
    assert len(project.written) == 1
    assert project.types == {"email": "string", "a": "string", "b": "double", "c": "string"}


def test_somebody_whom_iterable_does_not_take_is_not_the_last_word() -> None:
    project = Project(refused=["p0@example.com"])
    send(NewFields(project.fields, project.write), {"new": FieldType.STRING}, rows("Ann", "Bo", "2024-01-02"))
    assert project.types["new"] == "string"


def test_a_field_that_cannot_be_made_stops_before_anybody_is_sent() -> None:
    project = Project(refused=[f"p{n}@example.com" for n in range(9)])
    with pytest.raises(UserMustAct) as error:
        send(NewFields(project.fields, project.write), {"new": FieldType.STRING}, rows(*"abcdefgh", "2024-01-02"))
    assert error.value.code == "field_refused"
    assert len(project.written) == 3


def test_fields_that_cannot_be_made_are_named_as_far_as_a_sentence_takes_them() -> None:
    some = [f"p{number}@example.com" for number in range(3)]
    wanted = {"long " + "x" * 200: FieldType.STRING, "b": FieldType.STRING}
    people = [Row(each, json.dumps(dict.fromkeys(wanted, "2024-01-02"))) for each in some]
    project = Project(refused=some)
    with pytest.raises(UserMustAct) as error:
        send(NewFields(project.fields, project.write), wanted, people)
    told = str(error.value)
    assert "did not make the field b, long xxx" in told
    assert "x" * 80 not in told


def test_a_field_that_got_another_type_all_the_same_stops_the_run() -> None:
    project = Project(guess="geo_location")
    with pytest.raises(UserMustAct) as error:
        send(NewFields(project.fields, project.write), {"new": FieldType.STRING}, rows("Ann", "2024-01-02"))
    assert error.value.code == "field_type"
    assert "geo_location" in str(error.value)


def test_a_project_that_makes_no_new_fields_has_the_last_word() -> None:
    project = Project(drops=True)
    fields = NewFields(project.fields, project.write)
    send(fields, {"new": FieldType.STRING}, rows("2024-01-02"))
    send(fields, {"new": FieldType.STRING}, rows("2024-01-02"))
    assert len(project.written) == 1
