#!/usr/bin/env python3
"""False wakes over long lists of words without the wake word, a good part of them near misses: the daemon's rule
(wake.quick) beside the manifest's alone. Harsher than any shop; for comparing rules and cutoffs, not for saying how often
a counter wakes wrongly. All of it is synthesised on the spot from a seed (flite, espeak-ng).

    board/bench/word_lists.py EXECORACTL [HOURS, 1] [SEED, 1]      JSON lines; an hour takes about a minute
"""

import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import ears

# One from the left behind one from the right: "okay nawab". None of them is the word itself.
FIRST = (
    "okay|ok|oh kay|okra|oak|hokey|kay|a cake|o key|occupy|ukulele|kya|aake|kaake|oye|koi|chalo|haan|cocoa|decay|today|"
    "away|hockey|lucky|rookie|kahe|kahan|ok ok"
).split("|")
SECOND = (
    "now|new|nah|noo|boo|naga|nabo|navy|naval|nabob|nobby|mabu|labu|kabu|taboo|baboon|bamboo|caboose|igloo|zulu|voodoo|"
    "canoe|tattoo|nab you|nabs|abu|kanu|dabbu|gabbu|babu|na babu|nana|nanu|naya|namkeen|neighbour|nobody|number|narayan|"
    "nabeel|naveen|navratri|nagpur|nibu|nimbu|lambu|tambu|sabu|sabun|jadu|laddu|aloo|kaddu|haldi|nothing|nab it|nap|"
    "navigate|gnaw|narrow|nephew|nightmare|rainbow|elbow|nacho|no boots|na bola|na bol|na bhulo|na baba|bulao|dabao|nawab|"
    "anubhav|anabolic|neb|nebula|knee boo"
).split("|")
VOICES = [("flite", name) for name in ("kal16", "awb", "rms", "slt")] + [
    ("espeak", name, speed)
    for name in ("en-us", "en-gb", "en-gb-scotland", "hi", "en-029", "en-us+f3", "en-us+m7", "en-gb+f2")
    for speed in ("130", "160", "190")
]
LINES_A_CLIP = 60


def plain_words():
    """Whatever words the project's own texts have."""
    words = set()
    for path in glob.glob(os.path.join(ears.ROOT, "**/*.md"), recursive=True) + glob.glob(
        os.path.join(ears.ROOT, "Sources/Conversation/Packs/*.txt")
    ):
        with open(path, encoding="utf-8") as file:
            words |= {word.lower() for word in re.findall(r"[A-Za-z]{3,11}", file.read())}
    return sorted(words - {"nabu", "naboo"})


def clip(voice, text, path):
    if voice[0] == "flite":
        subprocess.run(["flite", "-voice", voice[1], "-t", text, "-o", path], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["espeak-ng", "-v", voice[1], "-s", voice[2], "-w", path, text], check=True)
    heard = path.replace(".raw.wav", ".wav")
    subprocess.run(["sox", path, "-r", "16000", "-c", "1", "-b", "16", heard, "norm", "-11"], check=True, stderr=subprocess.DEVNULL)
    os.remove(path)
    return heard, os.path.getsize(heard) / 32_000


def main():
    ctl = os.path.abspath(sys.argv[1])
    hours = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    dice, words = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1), plain_words()
    seconds, fired, number = 0, {"quick": 0, "reference": 0}, 0
    while seconds < hours * 3_600:
        # Every third clip plain words, the others near misses.
        lines = [
            " ".join(dice.sample(words, 3)) if number % 3 == 0 else f"{dice.choice(FIRST)} {dice.choice(SECOND)}"
            for _ in range(LINES_A_CLIP)
        ]
        with tempfile.TemporaryDirectory() as folder:
            path, length = clip(VOICES[number % len(VOICES)], ". ".join(lines), os.path.join(folder, "list.raw.wav"))
            for rule, more in (("quick", ["--quick"]), ("reference", [])):
                call = [ctl, "wake", "score", "--model", ears.model("okay_nabu"), "--vad", ears.model("vad"), "--json"]
                fired[rule] += len(subprocess.run(call + more + [path], check=True, stdout=subprocess.PIPE).stdout.splitlines())
        seconds, number = seconds + length, number + 1
    for rule, count in fired.items():
        row = {"bench": f"ears.word_lists.{rule}", "value": count, "unit": f"false wakes in {seconds / 3600:.1f} hours"}
        print(json.dumps(dict(row, peer=None, ratio=None)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(2)
    main()
