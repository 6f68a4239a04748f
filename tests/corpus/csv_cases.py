"""CSV files that break a reader: shapes, quotes, encodings, sizes."""

from __future__ import annotations

from tests.corpus.cases import ANNA, BO, GOOD, HEADER, Counted, Stopped, csv

MEGABYTE = 1 << 20
LINES = "x\n" * 10 * MEGABYTE
TEXT = HEADER + ANNA + BO
WIDE = "".join(f"C{n}," for n in range(1_997))

SHAPES = [
    csv("no byte at all", b"", Counted(people=())),
    csv("a header and nothing else", HEADER, Counted(people=())),
    csv("another table", "Id,Price\n1,2\n", Stopped("EMail")),
    csv("a row with too few cells", TEXT + "carl@example.com\n", Stopped("cells")),
    csv("a row with too many cells", TEXT + "carl@example.com,C,L,more\n", Stopped("cells")),
    csv("a header with a column twice", "EMail,FirstName,City,EMail\n" + "a@example.com,A,B,c\n", Stopped("EMail")),
    csv("no header but a person", ANNA + BO, Stopped("header")),
    csv("a web page", "<!DOCTYPE html><html><body>Sign in</body></html>\n", Stopped("EMail")),
    csv("a JSON document", '{"people": [{"EMail": "anna@example.com"}]}\n', Stopped("quoting")),
    csv("semicolons", TEXT.replace(",", ";"), Counted()),
    csv("tabs", TEXT.replace(",", "\t"), Counted()),
    csv("vertical bars", TEXT.replace(",", "|"), Counted()),
    csv("a line that Excel understands", "sep=;\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n"), Counted()),
    csv("a byte order mark and that line", "\ufeffsep=;\n" + TEXT.replace(",", ";"), Counted()),
    csv("commas and semicolons", "EMail;FirstName,City\na;b,c\n", Stopped("separates its columns")),
    csv("2,000 columns", WIDE + HEADER + "x," * 1_997 + ANNA + "," * 1_997 + BO, Counted()),
    csv("a million columns", "C," * 1_000_000 + HEADER, Stopped("first line")),
]

QUOTES = [
    csv("a quotation mark that is never closed", TEXT + 'carl@example.com,"C,L\n', Stopped("never closed")),
    csv("a quotation mark in the middle", TEXT + 'carl@example.com,C"a"rl,L\n', Stopped("quot")),
    csv("text behind a quoted cell", TEXT + 'carl@example.com,"C"arl,L\n', Stopped("not doubled")),
    csv("line breaks and delimiters in cells", TEXT.replace("Anna", '"An,\n""na"""'), Counted()),
    csv("line ends mixed up", TEXT + "carl@example.com,C,L\r\ndan@example.com,D,L\n", Stopped("mixed up")),
]

ENCODINGS = [
    csv("a byte order mark", "\ufeff" + TEXT, Counted()),
    csv("UTF-16 with its mark", TEXT.encode("utf-16"), Stopped("encoding")),
    csv("UTF-16 without a mark", TEXT.encode("utf-16-le"), Stopped("")),
    csv("UTF-32", TEXT.encode("utf-32"), Stopped("encoding")),
    csv("ISO-8859-2", TEXT.replace("ș", "ş").encode("iso-8859-2"), Stopped("encoding")),
    csv("a lone continuation byte", TEXT.encode() + b"carl@example.com,C\x80,L\n", Stopped("encoding")),
    csv("surrogates", TEXT.encode() + b"carl@example.com,\xed\xa0\x80,L\n", Stopped("encoding")),
    csv("an overlong encoding", TEXT.encode() + b"carl@example.com,\xc0\xaf,L\n", Stopped("encoding")),
    csv("random bytes", bytes(n * n * 31 % 251 + 5 for n in range(5_000)), Stopped("")),
    csv("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1" * 200, Stopped("")),
    csv("nothing but NUL bytes", b"\0" * 10_000, Stopped("")),
]

ADDRESSES = [
    "",
    "   ",
    "no-at-sign",
    "two@@example.com",
    "a" * 70 + "@example.com",
    "a@" + "b" * 300 + ".com",
    "x" * 5_000,
    "nul\0byte@example.com",
    "bell\x07@example.com",
    "right\u202eto@example.com",
    "=HYPERLINK(1)",
    "+441234",
    "-2+3",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "'; DROP TABLE people; --",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "a@localhost",
    "a@127.0.0.1",
    "mailto:a@example.com",
    "Anna <anna.l@example.com>",
    "a@example.com;b@example.com",
    "a@example..com",
    ".a@example.com",
    "a b@example.com",
]

CELLS = [
    csv("addresses that are none", TEXT + "".join(f'"{each}",X,Y\n' for each in ADDRESSES), Counted(len(ADDRESSES))),
    csv(
        "formulas, markup and SQL in other cells",
        HEADER + '"anna@example.com","=1+1","<b>x</b>"\n' + '"bo@example.com","\'; DROP TABLE runs; --",{{7*7}}\n',
        Counted(),
    ),
    csv("NUL bytes in a cell", TEXT.replace("Anna", "An\0na"), Counted()),
    csv("the same person 50,000 times", TEXT + ANNA * 50_000, Counted(duplicates=50_000)),
    csv(
        "spellings of one person",
        TEXT
        + "".join(
            f"{each},A,L\n" for each in (" ANNA@Example.COM ", "an\u200bna@example.com", "\ufeffanna@example.com\u2003")
        ),
        Counted(duplicates=3),
    ),
]

SIZES = [
    csv("a line of 2 MB", f"{TEXT}carl@example.com,{'x' * 2 * MEGABYTE},L\n", Stopped("longer than")),
    csv("100 MB on one line", TEXT.encode() + b"y" * (100 * MEGABYTE), Stopped("longer than")),
    csv(
        "a quoted cell of 20 MB with line breaks",
        f'{TEXT}carl@example.com,"{LINES}",L\n',
        Stopped("longer than"),
    ),
]

HEADERS = [
    csv(
        "a header that is SQL",
        'EMail,FirstName,City,"x""; DROP TABLE y; --"\n' + "".join(f"{a},A,B,c\n" for a in GOOD),
        Counted(),
    ),
    csv("a header with an empty name", "EMail,FirstName,City,\n" + "".join(f"{a},A,B,c\n" for a in GOOD), Counted()),
]

CASES = [*SHAPES, *QUOTES, *ENCODINGS, *CELLS, *SIZES, *HEADERS]
