"""What the Omnisend contract leaves open, section by section, and what a probe does not try."""

from __future__ import annotations

from shared.vendors.contract import Question

QUESTIONS = (
    Question("missing_version", "What is answered to a request that names no version of the API?", "1"),
    Question("batch_scopes", "May this connection's key use batches?", "1"),
    Question("tag_characters", "May a tag have other characters than letters, digits, space, _ and -?", "2"),
    Question("tag_length", "May a tag have more than 128 characters?", "2"),
    Question("tag_case", "Are tags told apart by case?", "2"),
    Question(
        "most_tags",
        "How many tags may a contact have?",
        "2",
        "it would leave more than a hundred tags in the brand's menus",
    ),
    Question(
        "segment_selector",
        "Whom does a segment select in a request for tags?",
        "2a",
        "exports never select people by segment",
    ),
    Question("older_tags", "Does version 5 have requests for tags?", "2a", "exports speak another version"),
    Question("upsert_tags", "Are the tags replaced of a contact that is written with tags?", "2b"),
    Question("new_status", "Which status has a new contact that is written without one?", "3"),
    Question(
        "most_properties",
        "May a contact have more than 200 custom properties?",
        "3",
        "it would leave two hundred properties in the brand's menus",
    ),
    Question("batch_put", "May a batch of contacts use PUT?", "4"),
    Question("batch_bytes", "What is answered to a batch of more than 1 MB?", "4"),
    Question("finished_count", "Does a batch's finishedCount have the failures too?", "4"),
    Question("stopped", "What does it mean that a batch stopped?", "4", "no request makes a batch stop"),
    Question(
        "segment_names",
        "May two segments have the same name?",
        "5",
        "exports make no segments, and their keys need not be allowed to",
    ),
    Question("problem_type", "Of which content type are errors?", "7"),
)
