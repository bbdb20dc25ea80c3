"""pubmed_parser's side of bench/corpus-sources: CPU seconds of reading files that Node has chosen. One command a line, one JSON answer a line."""

import json
import sys
import time

import pubmed_parser


def read_pubmed(path: str) -> int:
    return sum(1 for _ in pubmed_parser.parse_medline_xml(path, year_info_only=False, nlm_category=False))


def read_jats(paths: list[str]) -> int:
    articles = 0
    for path in paths:
        pubmed_parser.parse_pubmed_xml(path)
        pubmed_parser.parse_pubmed_paragraph(path, all_paragraph=True)
        articles += 1
    return articles


print(json.dumps({"version": getattr(pubmed_parser, "__version__", "")}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    start = time.process_time()
    records = read_pubmed(command["pubmed"]) if "pubmed" in command else read_jats(command["jats"])
    print(json.dumps({"records": records, "seconds": time.process_time() - start}), flush=True)
