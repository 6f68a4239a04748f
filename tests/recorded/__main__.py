"""python -m tests.recorded: write what this version keeps into tests/recorded/<version>/, which must not be there.

With `--again` over the files that are there: for a version that nobody has been given yet.
"""

from __future__ import annotations

import json
import sys

from tests.recorded.recording import FOLDER, VERSION, plain, record


def main(arguments: list[str]) -> None:
    folder = FOLDER / VERSION
    folder.mkdir(exist_ok="--again" in arguments)
    for name, content in record().items():
        (folder / f"{name}.json").write_text(json.dumps(plain(content), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
