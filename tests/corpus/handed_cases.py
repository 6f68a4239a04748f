"""What has to become of each of the files handed over: everybody's rows, or words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.corpus.landed import WANTED, Row

ANNA, BO = ("anna@example.com", "Anna", "Lund"), ("bo@example.com", "Bo", "Cluj")
CY = ("cy@example.com", "Cy", "X")
BOTH = (ANNA, BO)
SIX_ZEROES = "10000000000000000000000"


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of the segment, in any order."""

    rows: Sequence[Row]
    columns: tuple[str, ...] = WANTED


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is read, and these words are said."""

    words: str


End = Read | Refused

RIGHT = dict.fromkeys(
    [
        *("baseline", "upper-case-extension", "no-date-folder", "hive-style-date-folder-dt=", "semicolon"),
        *("CI-layout-without-model.json", "other-extension-beside-csv-(txt)", "hns-directory-named-csv-spark-output"),
        *("blank-crlf-at-end", "blank-line-in-the-middle", "blank-lines-at-the-end", "header-only-part-no-newline"),
        *("bom-in-each-part", "bom-only-in-second", "columns-other-order-second-part", "extra-column-second-part"),
        *("gz-bom", "gz-multi-member", "gz-empty-first-member", "gz-first-member-header-only-no-newline"),
        *("gz-member-empty-then-neighbour-data-same-header", "last-row-trailing-delimiter-only"),
        *("names-with-percent-plus-space-hash",),
        *("model-bom-no-header-first-column-email", "model-bom-no-header-quoted", "model-columnHeaders-as-string"),
        *("model-location-relative-with-plus-percent", "model-location-with-spaces-unescaped-relative"),
        *("model-location-backslashes", "model-parquet-via-model-txt-location", "model-plain-no-header"),
        *("model-refreshTime-minvalue", "model-refreshTime-minvalue-with-offset", "model-refreshTime-seven-digits"),
        *("model-snapshot-suffixed-partition-(Power-BI)", "model-undeclared-header-other-order"),
    ],
    Read(BOTH),
)
ONE = dict.fromkeys(
    [
        *("bom-and-quoted-header", "gz-empty-first-member-only-file", "trailing-delimiter-everywhere", "tsv"),
        *("trailing-delimiter-rows-only",),
    ],
    Read((ANNA,)),
)
OTHERS = {
    "delta-in-dated-folder": Read(
        [(f"person{number}@example.com", f"First{number}", "X") for number in range(15) if number != 3]
    ),
    "hive-partition-subfolders-only": Read(
        (("anna@example.com", "SE"), ("bo@example.com", "RO")), ("EMail", "country")
    ),
    "cr-in-quoted-cell": Read((ANNA, ("bo@example.com", "Bo\rJr", "Cluj"), CY)),
    "crlf-rows-with-lf-in-quoted-cell": Read((ANNA, ("bo@example.com", "Bo\nJr", "Cl\nuj"), CY)),
    "lf-rows-with-crlf-in-quoted-cell": Read((ANNA, ("bo@example.com", "Bo\r\nJr", "Cluj"), CY)),
    "hash-in-first-cell": Read((("#x@example.com", "Anna", "Lund"), ANNA)),
    "single-column-blank-lines": Read((("anna@example.com",), (None,), ("bo@example.com",), (None,)), ("EMail",)),
    "single-column-quoted-empty": Read((("anna@example.com",), (None,), ("bo@example.com",)), ("EMail",)),
    "snowflake-null-backslash-N": Read((("anna@example.com", None, None),)),
    "model-all-partitions-zero-byte": Read(()),
    "model-empty-partitions-list-for-empty-segment": Read(()),
    "model-same-partition-listed-twice": Read(BOTH * 2),
    "model-attribute-name-case-dup": Read((("anna@example.com", "y"),), ("EMail", "City")),
    "model-encoding-windows-1252": Read((("anna@example.com", "Björn", "Lund"),)),
    "parquet-floats-nan": Read((("anna@example.com", "441234567890", SIX_ZEROES), ("bo@example.com", None, None))),
}
REFUSED = {
    "bare-cr-in-unquoted-cell": "line ends are mixed up",
    "databricks-started-not-committed": "started the write 4545 and has not committed it",
    "empty-part-between": "part-1.csv is empty",
    "missing-column-second-part": "has no column 'City'",
    "model-culture-and-trailing-delimiter": "5 cells, and 4 columns are declared",
    "model-declared-header-but-none": "it has no header",
    "model-delimiter-name-tab": "the delimiter '\\\\t'",
    "model-entities-wrapped-dict": "neither entities nor tables",
    "model-extra-column-in-data": "5 cells, and 4 columns are declared",
    "model-manifest-only": "neither entities nor tables",
    "model-missing-column-in-data": "3 cells, and 4 columns are declared",
    "model-model.json-comment_trailing-comma": "not JSON",
    "model-model.json-utf-16": "not JSON",
    "model-partition-folder-location": "names the folder Loyal/",
    "model-undeclared-semicolon": "separated by a semicolon",
    "only-zst": "cannot be read",
    "parquet.gz": "Parquet compressed once more",
    "some-parts-in-subfolder": "more/part-1.csv",
    "space-after-delimiter-before-quote": "begins with a blank before its quotation mark",
    "spark-backslash-quote": "has a backslash before it",
    "spark-spark_csv": "has a backslash before it",
    "split-csv-second-part-first-address-empty": "has no column 'EMail'",
    "split-csv-second-part-without-header": "it has no header",
    "too-few-quoted": "2 cells where 3",
    "windows-1252": "not in the declared encoding",
}
CASES: dict[str, End] = {**RIGHT, **ONE, **OTHERS, **{name: Refused(words) for name, words in REFUSED.items()}}
"""Of cases with one segment."""

WITH_PARQUET = {
    "parquet-case-different-column-in-second-part": 4,
    "parquet-empty-pandas-part": 2,
    "parquet-null-column": 6,
    "parquet-one-part-all-null-column": 4,
    "parquet-other-order-second-part": 5,
}
"""Rows of cases whose content is of no interest."""

SEVERAL = {
    "date-folder-with-fraction-and-offset": {f"Loyal{number}": 1 for number in ("", 2, 3, 4, 5, 6, 7)},
    "segment-names-special": {"Loyal %41+x #1": 1, "a:b": 1, "(loose files)": None},
    "refresh-overflow": {},
}
"""Rows of cases with several segments, or none; None where it is not read."""
