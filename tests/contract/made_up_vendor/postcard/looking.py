"""Answers about a list's size and about one person; nothing here talks to anyone."""

from __future__ import annotations

import orjson

from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.comparing import seen_as
from shared.vendors.contract import Count, Row, Seen
from tests.contract.made_up_vendor.postcard.definition import DEFINITION


def count(answer: Answer) -> Count:
    people = answer.expect(DEFINITION.label, 200).object().get("people")
    if not isinstance(people, int):
        raise UnexpectedAnswer("Postcard does not say how many people are on the list.")
    return Count(people)


def said_no(answer: Answer) -> bool:
    told = answer.expect(DEFINITION.label, 200).object().get("unsubscribed")
    if not isinstance(told, bool):
        raise UnexpectedAnswer("Postcard does not say whether the person unsubscribed.")
    return told


def seen(list_id: str, row: Row, answer: Answer) -> Seen:
    body = answer.expect(DEFINITION.label, 200).object()
    lists, fields = body.get("lists"), body.get("fields")
    if not isinstance(lists, list) or not isinstance(fields, dict):
        raise UnexpectedAnswer("Postcard's answer about a person describes none.")
    # Postcard shows no field that is empty.
    sent = orjson.loads(row.values)
    return seen_as(sent, dict.fromkeys(sent, "") | fields, on_target=list_id in map(str, lists))
