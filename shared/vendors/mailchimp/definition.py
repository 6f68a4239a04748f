"""What Mailchimp is, as data. Facts: Mailchimp contract, sections 1 to 11."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Fit, OAuth, Question, Rate, Setting
from shared.vendors.looking_up import Looks
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

LOGIN_HOST = "login.mailchimp.com"
EVERY_HOST = "api.mailchimp.com"
"""Serves all accounts, whichever data centre they are in."""

API_KEY = "api_key"
TOKENS = "oauth_tokens"
"""Credentials; a connection has one of them."""

ROOT = "root"
AUDIENCES = "lists"
AUDIENCE = "lists/id"
IMPORT = "lists/import"
TAGS = "lists/segments"
MAKE_TAG = "lists/segments/create"
TAG = "lists/segments/id"
TAGGING = "lists/segments/tagging"
TAGGED = "lists/segments/members"
MEMBERS = "lists/members"
MEMBER = "lists/members/id"
UPDATE = "lists/members/update"
MEMBER_TAGS = "lists/members/tags"
FIELDS = "lists/merge-fields"
MAKE_FIELD = "lists/merge-fields/create"
JOBS = "batches"
MAKE_JOB = "batches/create"
JOB = "batches/id"

MOST_ROWS = 500
"""Of one call that adds people or tags them, published; of a job, our own choice."""
MOST_BYTES = 900_000
"""Of one call; unpublished, our own choice."""
MOST_PAGE = 1000
MOST_DIRECT = 50
"""People whose values are written one by one; for more of them a job is worth its wait."""
MOST_SHOWN_TAGS = 50
"""Tags that an answer about somebody shows."""

NEW_PEOPLE = "new_people"
REFUSED = "refused"
TRANSACTIONAL = "transactional"
SUBSCRIBED = "subscribed"

ADDRESS = "ADDRESS"
NEEDED_PARTS = ("addr1", "city", "state", "zip")
"""Parts without which an address is refused."""
LONGEST_TEXT = 255
"""Bytes of a text; Mailchimp cuts the rest off in silence."""
LONGEST_TAG = 100

TEXT = Fit(longest=LONGEST_TEXT, cut=True)

_CHANGES_PEOPLE = "it would leave people in the audience, and a probe deletes nobody"
_REFUSED_PEOPLE = "it takes somebody who unsubscribed or was archived, and a probe makes nobody that"
_OVERLOAD = "finding a limit takes going over it, and the account's other integrations would be slowed down with us"

_QUESTIONS = (
    Question("every_host", "Does api.mailchimp.com serve this connection's key?", "1"),
    Question("writing_roles", "Which roles of people may write?", "1", "it takes keys of people with other roles"),
    Question("tag_names", "Which names may a tag have, and may two have the same?", "3", _CHANGES_PEOPLE),
    Question("tag_refusals", "Who is told as an error when people are tagged?", "3", _REFUSED_PEOPLE),
    Question("archived_added", "Does adding somebody who is archived bring them back?", "4", _REFUSED_PEOPLE),
    Question("status_left_out", "What becomes of somebody new without a status?", "4", _CHANGES_PEOPLE),
    Question("row_texts", "With which words is a single row refused?", "4", _CHANGES_PEOPLE),
    Question("same_twice", "What becomes of somebody who is twice in one call?", "4", _CHANGES_PEOPLE),
    Question("call_seconds", "How long do calls of 500 people take, and a job?", "4", _CHANGES_PEOPLE),
    Question("job_parameters", "Do parameters of an operation count in a job?", "4", _CHANGES_PEOPLE),
    Question("page_of_more", "What is answered to a question for more than 1,000 entries?", "5"),
    Question("unknown_field", "Is a question refused that names a field which there is not?", "5"),
    Question("fresh_count", "How old may a tag's count be?", "6", _CHANGES_PEOPLE),
    Question("clear_address", "Is an address cleared by an empty text?", "7", _CHANGES_PEOPLE),
    Question("most_fields", "How many merge fields may an audience have?", "7", "it would leave them in the audience"),
    Question("connections", "How is the eleventh connection at once answered?", "8", _OVERLOAD),
)
"""What the contract leaves open, section by section, and why no probe tries most of it."""

DEFINITION = Definition(
    name="mailchimp",
    label="Mailchimp",
    credentials=(
        Setting(
            API_KEY,
            "API key",
            "A key of somebody who may change the audience. What follows its last hyphen, such as us6, is the "
            "account's data centre.",
            required=True,
            made_at=("Profile", "Extras", "API keys"),
        ),
        Setting(TOKENS, "Sign-in", "Comes from Authenticate with Mailchimp, and takes the place of the API key."),
    ),
    oauth=OAuth(
        TOKENS,
        host=LOGIN_HOST,
        authorize_path="/oauth2/authorize",
        token_path="/oauth2/token",  # noqa: S106 - an address
        scopes=(),
        refreshes=False,
    ),
    settings=(
        Setting(
            "audience_id",
            "Audience ID",
            "The audience whose people are tagged. Leave it empty and check the connection to see the audiences that "
            "it can reach.",
            default="",
        ),
        Setting(
            "data_centre",
            "Data centre",
            "Only for a key that does not end with it: the first part of the address at which you use Mailchimp, such "
            "as us6.",
            default="",
        ),
        Setting(
            NEW_PEOPLE,
            "People who are not in the audience",
            "refused: only people whom the audience has are tagged. transactional: they "
            "are added without being subscribed, and get no campaigns. subscribed: they are added as subscribed. The "
            "last two need a recorded decision.",
            default=REFUSED,
            choices=(REFUSED, TRANSACTIONAL, SUBSCRIBED),
            decisions={
                TRANSACTIONAL: (
                    "People of our segments who are not in the Mailchimp audience are added to it as transactional: "
                    "they are stored there, may be billed, and get no campaigns, since they did not subscribe."
                ),
                SUBSCRIBED: (
                    "People of our segments who are not in the Mailchimp audience are added to it as subscribed, "
                    "without a confirmation e-mail. We have the consent of each of them to get our marketing e-mails."
                ),
            },
        ),
        Setting(
            "call_rate",
            "Calls in a second",
            "Mailchimp publishes no rate, only that ten calls may be under way at once. Lower it when other "
            "integrations of the account are slowed down.",
            type=FieldType.NUMBER,
            default=10.0,
            minimum=1.0,
            maximum=100.0,
        ),
    ),
    export_settings=(
        Setting(
            "create_fields",
            "Create missing merge fields",
            "Make the fields of the data matching in Mailchimp where the audience does not have them yet.",
            type=FieldType.BOOLEAN,
            default=False,
        ),
    ),
    fields=(
        Field("email", "E-mail", required=True),
        Field("FNAME", "First name", fit=TEXT),
        Field("LNAME", "Last name", fit=TEXT),
        Field("PHONE", "Phone number", FieldType.PHONE),
        Field("ADDRESS.addr1", "Street address (Mailchimp takes an address with all four parts only)", clears=False),
        Field("ADDRESS.addr2", "Street address, second line", clears=False),
        Field("ADDRESS.city", "City of the address", clears=False),
        Field("ADDRESS.state", "State or region of the address", clears=False),
        Field("ADDRESS.zip", "Postal code of the address", clears=False),
        Field("ADDRESS.country", "Country of the address (two letters)", clears=False),
    ),
    rates=(
        Rate(
            (
                ROOT,
                AUDIENCES,
                AUDIENCE,
                IMPORT,
                TAGS,
                MAKE_TAG,
                TAG,
                TAGGING,
                TAGGED,
                MEMBERS,
                MEMBER,
                UPDATE,
                MEMBER_TAGS,
                FIELDS,
                MAKE_FIELD,
                JOBS,
                MAKE_JOB,
                JOB,
            ),
            10,
            1.0,
            published=False,
            setting="call_rate",
        ),
    ),
    hosts=(EVERY_HOST, "*.api.mailchimp.com", LOGIN_HOST),
    batch_rows=MOST_ROWS,
    # Ten calls may be under way at once over all accounts of one login; two accounts of ours stay below that.
    concurrency=4,
    minutes_per_million=36.6,
    calls_per_thousand=5.0,
    custom_fit=TEXT,
    custom_name=r"(?!(?i:ADDRESS\b))[^.]+",
    custom_name_rule="the tag or the name of a merge field, without a full stop",
    longest_list_name=LONGEST_TAG,
    reserved_fields=frozenset({"EMAIL", "ADDRESS", "email_address", "status", "tags"}),
    most_jobs=50,
    # A call is cut off after 120 seconds, and goes on at Mailchimp.
    request_seconds=130.0,
    target_word="tag",
    fresh_seconds=600.0,
    unforeseen=(
        say(
            "Which e-mail addresses look fake to Mailchimp, and who was deleted there for good: it says so "
            "once people are sent."
        ),
    ),
    most_members=1_000_000,
    members_page=MOST_PAGE,
    looks=Looks(MEMBER, MEMBERS, MOST_PAGE, lanes=4),
    questions=_QUESTIONS,
    opt_outs=(OptOutKind.UNSUBSCRIBED, OptOutKind.BOUNCED, OptOutKind.DELETED),
)
