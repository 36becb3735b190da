#!/usr/bin/env python3
"""Instructions a second of sound costs the whole daemon: the stand-in for a board's processor where there is no board.

Callgrind counts a rehearsal of room noise of two lengths; the difference, divided by the seconds between them, leaves
starting and ending out. Prints JSON lines as board/bench/run does.

instructions.py EXECORAD MODELS_FOLDER [SECONDS, 10]
"""
import json, os, random, re, struct, subprocess, sys, tempfile, wave

program, models = sys.argv[1:3]
seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 10


def count(folder, length):
    chance = random.Random(1)
    path = f"{folder}/{length}.wav"
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", int(chance.gauss(0, 300))) for _ in range(length * 16000)))
    state = f"{folder}/state-{length}"
    os.makedirs(state)
    with open(f"{folder}/counter.toml", "w") as file:
        file.write(f'[device]\nstate_dir = "{state}"\nruntime_dir = "{folder}/run"\n[audio]\nbackend = "null"\n'
                   f'[wake]\nmodels_dir = "{models}"\n')
    told = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, "rehearse",
         "--config", f"{folder}/counter.toml", "--input", path], capture_output=True, text=True, timeout=600)
    found = re.search(r"Collected : (\d+)", told.stderr)
    if told.returncode != 0 or not found:
        sys.exit(f"instructions: the rehearsal ended with {told.returncode}: {told.stderr[-400:]}")
    return int(found.group(1))


with tempfile.TemporaryDirectory() as folder:
    per_second = (count(folder, 2 * seconds) - count(folder, seconds)) / seconds
print(json.dumps({"bench": "daemon.instructions_per_audio_second", "value": round(per_second / 1e6, 1), "unit": "million", "peer": None, "ratio": None}))
