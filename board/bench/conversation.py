#!/usr/bin/env python3
"""Measures the conversation: the written suites of five shops by language, the tables, and the time of one utterance.

    board/bench/conversation.py EXECORACTL [--failures]

Prints JSON lines. A case is right when answer and book are as its line expects; it is wrongly written when a balance
or a stock ended neither where it began nor where it should. --failures names each that is not right, with its reason.
"""

import json
import os
import subprocess
import sys
from collections import OrderedDict

import suite_check

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "Tests", "ConversationTests", "Fixtures")
SUITES = OrderedDict([
    ("acceptance", ("world.json", ["cases.jsonl"])),
    ("second_shop", ("unseen-world.json", ["unseen-cases.jsonl", "unseen-refusals.jsonl"])),
    ("third_shop", ("third-world.json", ["third-cases.jsonl", "third-refusals.jsonl"])),
    ("fourth_shop", ("fourth-world.json", ["fourth-cases.jsonl", "fourth-refusals.jsonl"])),
    ("fifth_shop", ("fifth-world.json", ["fifth-cases.jsonl", "fifth-refusals.jsonl"])),
])
# Words that only stand in English sentences of these suites.
ENGLISH = set("the of for and gave paid pay did does how what is to from with on my has have will add make write switch "
              "check show tell remind received got charge mark please create ask should never".split())
HINDI = set("ka ke ki ko ne se hai hain karo kar do likh likho likhna diya diye aur mein nahi mat kya batao banao "
            "bhej haan ji kitna lagao hatao".split())


def language(case):
    said = " ".join(item if isinstance(item, str) else item.get("text", "") for item in case["say"]
                    if isinstance(item, (str, dict)))
    if any("\u0900" <= letter <= "\u097f" for letter in said):
        return "hi"
    words = set(said.lower().replace("?", " ").replace(",", " ").split())
    return "en" if len(words & ENGLISH) > len(words & HINDI) else "hi-en"


def wrongly_written(case, result, world):
    """True where a balance or a stock is neither what it was nor what was wanted."""
    start = suite_check.start_state(suite_check.apply_patch(world, case.get("patch")))
    wants = case["expect"].get("anyOf", [case["expect"]])
    for key in ("balancesPaise", "stockMilli"):
        for name, value in ((result or {}).get("state") or {}).get(key, {}).items():
            before = {suite_check.fold(k): v for k, v in start[key].items()}.get(suite_check.fold(name))
            allowed = [before]
            for want in wants:
                overlay = (want.get("state") or {}).get(key, "any" if "state" not in want else {})
                if overlay == "any":
                    return False
                allowed += [v for k, v in overlay.items() if suite_check.fold(k) == suite_check.fold(name)]
            if value not in allowed and "any" not in allowed:
                return True
    return False


def measure(program, tell, failures=False):
    for name, (world_name, files) in SUITES.items():
        with open(os.path.join(FIXTURES, world_name), encoding="utf-8") as file:
            world = json.load(file)
        counts, wrong = OrderedDict((key, [0, 0]) for key in ("hi-en", "hi", "en")), 0
        for each in files:
            path = os.path.join(FIXTURES, each)
            ran = subprocess.run(
                [program, "replay", "--world", os.path.join(FIXTURES, world_name), path], capture_output=True,
                text=True, check=True)
            results = {row["id"]: row for row in map(json.loads, ran.stdout.splitlines())}
            for case in suite_check.load_jsonl(path):
                if case.get("priority", "must") == "could":
                    continue
                answer, book = suite_check.case_faults(case, results.get(case["id"]), world)
                wrong += wrongly_written(case, results.get(case["id"]), world)
                count = counts[language(case)]
                count[1] += 1
                count[0] += not answer and not book
                if failures and (answer or book):
                    print(f"{case['id']}: {'; '.join(answer + book)}")
        for key, (right, total) in counts.items():
            if total:
                tell(f"conversation.{name}.{key}", right, f"of {total}")
        tell(f"conversation.{name}.wrongly_written", wrong, "cases")
    for name, command in suite_check.TABLES.items():
        path = os.path.join(FIXTURES, f"{name}.jsonl")
        with open(path, encoding="utf-8") as file:
            ran = subprocess.run([program, "lang", command], stdin=file, capture_output=True, text=True, check=True)
        tally = suite_check.check_table(
            name, suite_check.load_jsonl(path), [json.loads(row) for row in ran.stdout.splitlines()],
            ("must", "should"))
        tell(f"conversation.table.{name}", tally.counted[0], f"of {tally.counted[1]}")
    ran = subprocess.run(
        [program, "replay", "--world", os.path.join(FIXTURES, "world.json"), "--bench",
         os.path.join(FIXTURES, "cases.jsonl")], capture_output=True, text=True, check=True)
    for row in map(json.loads, ran.stdout.splitlines()):
        tell(f"conversation.{row['bench']}", round(row["value"], 1), row["unit"])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        sys.exit(2)
    measure(
        sys.argv[1],
        lambda bench, value, unit: print(json.dumps({"bench": bench, "value": value, "unit": unit}), flush=True),
        "--failures" in sys.argv[2:])
