"""Measures the ear on scripted speech: first words lost by talking straight on, turn ends in noise, false wakes, its own
voice, and growth over many turns. Called by ears.py; all speech is synthesised on the spot (flite, espeak-ng)."""

import array
import json
import math
import os
import random
import statistics
import subprocess
import wave

LINES = (
    "check the balance of Priya|note two hundred rupees for Rahul|bill for Priya four packets of biscuits|"
    "Rahul gave five hundred rupees|sell three kilos of sugar|who owes the most|cancel the last entry|"
    "add twenty rupees to Suresh|how much stock of rice is left|print the bill"
).split("|")
WAKE_VOICES = [("flite", "rms"), ("flite", "slt"), ("flite", "awb"), ("espeak", "en-us", "130")]
LINE_VOICES = [("flite", "slt"), ("flite", "rms"), ("flite", "kal16"), ("espeak", "en-gb", "160")]
GAPS = (0, 60, 120, 200, 300)
# Some synthetic words are missed; 200 and more remain.
RUNS = 230
NOISE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise")
SNRS = (20, 10, 5, 0)


def say(voice, text, path):
    """16 kHz samples of a text, trimmed."""
    if voice[0] == "flite":
        subprocess.run(["flite", "-voice", voice[1], "-t", text, "-o", path], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["espeak-ng", "-v", voice[1], "-s", voice[2], "-w", path, text], check=True)
    return trimmed(path)


def trimmed(path):
    """16 kHz samples of a sound file, its outer silence cut (10 ms blocks 35 dB below the loudest), peak at -11 dB."""
    words = ["sox", path, "-t", "raw", "-r", "16000", "-c", "1", "-b", "16", "-e", "signed", "-", "norm", "-11"]
    raw = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    samples = array.array("h", raw)
    power = [sum(s * s for s in samples[at : at + 160]) for at in range(0, len(samples) - 159, 160)]
    least = max(power) * 10**-3.5
    loud = [index for index, value in enumerate(power) if value > least]
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def hush(samples):
    return array.array("h", [(index * 7919 % 9) - 4 for index in range(samples)])


def write(path, samples):
    with wave.open(path, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(samples.tobytes())


def configure(folder, models, echo="half-duplex"):
    path = os.path.join(folder, f"{echo}.toml")
    with open(path, "w") as file:
        file.write(
            f'[device]\nstate_dir = "{folder}/state"\nruntime_dir = "{folder}/run"\n'
            f'[audio]\nbackend = "null"\necho = "{echo}"\n[wake]\nmodels_dir = "{models}"\n'
            '[diagnostics]\nlog_level = "error"\n'
        )
    return path


def straight_on(daemon, folder, models, tell):
    """The wake word with a line 0 to 300 ms behind it, through the whole house (no gateway: turns are kept)."""
    scratch = os.path.join(folder, "part.wav")
    wakes = [say(voice, "okay nabu", scratch) for voice in WAKE_VOICES]
    lines = {(text, voice): say(voice, text, scratch) for text in LINES for voice in LINE_VOICES}
    sound, runs = hush(48_000), []
    for number in range(RUNS):
        line = lines[(LINES[number % 10], LINE_VOICES[number // 10 % 4])]
        sound += wakes[(number // 2) % 4]
        sound += hush(GAPS[number % 5] * 16)
        runs.append((len(sound), len(sound) + len(line)))
        sound += line + hush(56_000 + number % 7 * 160)
    path = os.path.join(folder, "straight.wav")
    write(path, sound)
    done = subprocess.run(
        [daemon, "rehearse", "--config", configure(folder, models), "--input", path], stdout=subprocess.PIPE, check=True
    )
    turns = [json.loads(line) for line in done.stdout.splitlines() if b'"wake_end_sample"' in line]
    missed = lost = cut = 0
    for number, (start, end) in enumerate(runs):
        since = runs[number - 1][1] if number else 0
        mine = [turn for turn in turns if turn["opening"] == "wake" and since < turn["wake_end_sample"] <= end]
        if not mine:
            missed += 1
            continue
        first, packets = mine[0]["first_sample"], mine[0]["packets"]
        lost += first > start
        cut += first + packets * 320 < end - 1_600
    tell("ears.straight_on.first_words_lost", lost, f"of {RUNS - missed} runs")
    tell("ears.straight_on.cut_off", cut, f"of {RUNS - missed} runs")
    tell("ears.straight_on.wake_missed", missed, f"of {RUNS} synthetic words")


def noise(kind, seconds, folder):
    path = os.path.join(folder, f"{kind}.wav")
    if kind == "pink":
        words = ["sox", "-R", "-n", "-r", "16000", "-c", "1", "-b", "16", path, "synth", str(seconds), "pinknoise"]
        subprocess.run(words + ["gain", "-12"], check=True, stderr=subprocess.DEVNULL)
        with wave.open(path) as sound:
            return array.array("h", sound.readframes(sound.getnframes()))
    # Bystanders: six voices at once, each talking on.
    dice, total = random.Random(3), [0] * (seconds * 16_000)
    for number in range(6):
        track = array.array("h")
        while len(track) < len(total):
            track += say(LINE_VOICES[number % 4], dice.choice(LINES), path)
        for index, sample in enumerate(track[: len(total)]):
            total[index] += sample
    return array.array("h", [max(-32_768, min(32_767, sample // 4)) for sample in total])


def rms(samples):
    return math.sqrt(sum(s * s for s in samples) / len(samples))


def turn_ends(ctl, folder, model, lines, tell, rows="ears.turn_end"):
    """Lines in noise: how many are cut off, and how long after their end the others are ended (700 ms are hangover)."""
    dice = random.Random(5)
    rooms = {kind: noise(kind, 20, folder) for kind in ("pink", "babble")}
    for snr in SNRS:
        paths, ends = [], {}
        for kind, room in rooms.items():
            for number, line in enumerate(lines):
                length = 32_000 + len(line) + 64_000
                at = dice.randrange(len(room) - length)
                gain = rms(line) / rms(room[at : at + length]) * 10 ** (-snr / 20)
                scene = array.array("h", [round(max(-32_768, min(32_767, s * gain))) for s in room[at : at + length]])
                for index, sample in enumerate(line, 32_000):
                    scene[index] = max(-32_768, min(32_767, scene[index] + sample))
                path = os.path.join(folder, f"end.{kind}.{number}.wav")
                write(path, scene)
                paths.append(path)
                ends[path] = 2_000 + len(line) // 16
        words = [ctl, "wake", "endpoint", "--vad", model("vad"), "--open-at-ms", "2000", "--json", *paths]
        late, cut, unended = [], 0, 0
        for line in subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines():
            told = json.loads(line)
            if told["ended_ms"] is None or told["reason"] != "silence":
                unended += 1
            elif told["ended_ms"] < ends[told["file"]] - 100:
                cut += 1
            else:
                late.append(told["ended_ms"] - ends[told["file"]])
        late.sort()
        tell(f"{rows}.snr{snr}.cut_early", round(100 * cut / len(paths), 1), f"% of {len(paths)}")
        if late:
            tell(f"{rows}.snr{snr}.late.p50", statistics.median(late), "ms")
            tell(f"{rows}.snr{snr}.late.p95", late[round(0.95 * (len(late) - 1))], "ms")
        tell(f"{rows}.snr{snr}.not_within_4s", unended, f"of {len(paths)}")


def false_wakes(ctl, folder, model, fixtures, tell):
    """Rooms and talk without the word: three shops (noise/, synthetic), Hindi sentences, pink noise, a babble, single lines."""
    paths = [os.path.join(fixtures, "hindi_shop.wav")]
    for room in sorted(os.listdir(NOISE)):
        paths.append(os.path.join(folder, room + ".wav"))
        subprocess.run(["flac", "--silent", "--decode", "--force", "-o", paths[-1], os.path.join(NOISE, room)], check=True)
    for kind in ("pink", "babble"):
        paths.append(os.path.join(folder, f"{kind}.room.wav"))
        write(paths[-1], noise(kind, 60, folder))
    talk, scratch = hush(32_000), os.path.join(folder, "part.wav")
    for text in LINES:
        for voice in LINE_VOICES:
            talk += say(voice, text, scratch) + hush(8_000)
    paths.append(os.path.join(folder, "talk.wav"))
    write(paths[-1], talk)
    seconds = 0
    for path in paths:
        with wave.open(path) as sound:
            seconds += sound.getnframes() / sound.getframerate()
    words = [ctl, "wake", "score", "--model", model("okay_nabu"), "--vad", model("vad"), "--quick", "--json", *paths]
    found = subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    tell("ears.false_wakes", len(found), f"in {round(seconds)} s of rooms and talk")


def prompts():
    dice = random.Random(7)
    names = "Rahul Sharma,Priya,Suresh,Anita,Mohan Lal,Kavita,Ramesh Gupta,Sunita,Imran,Gurpreet".split(",")
    amounts = "pachaas,sau,do sau,teen sau pachaas,saat sau,ek hazaar do sau,nau sau nabbe".split(",")
    answers = (
        "{n} ke {a} rupaye likh diye|{n} ka hisaab {a} rupaye hai|kya main {n} ke {a} rupaye likh doon|"
        "{n} ne {a} rupaye jama kiye, ab {b} baaki hai|bill {a} rupaye ka hai, {n} ke naam likh doon|"
        "samajh nahi aaya, phir se boliye|stock mein {a} kilo cheeni bachi hai"
    ).split("|")
    lines = [
        dice.choice(answers).format(n=dice.choice(names), a=dice.choice(amounts), b=dice.choice(amounts))
        for _ in range(190)
    ]
    # The worst it can say is its own name.
    for number in range(10):
        lines.insert(19 * number + 7, "kahiye okay nabu, phir apni baat boliye" if number % 2 else "okay nabu")
    return lines


def own_voice(daemon, folder, models, tell):
    path, word = os.path.join(folder, "prompts.txt"), os.path.join(folder, "word.wav")
    with open(path, "w") as file:
        file.write("\n".join(prompts()) + "\n")
    write(word, say(("flite", "rms"), "okay nabu", os.path.join(folder, "part.wav")))

    def run(echo, *more):
        words = [daemon, "rehearse-echo", "--config", configure(folder, models, echo), "--prompts", path, *more]
        return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)

    for echo in ("half-duplex", "speex"):
        told = run(echo)
        tell(f"ears.own_voice.{echo}.wakes", told["wakes"], f"of {told['prompts']} prompts at -6 dB")
        tell(f"ears.own_voice.{echo}.turns_entered", told["turns_entered"], f"of {told['prompts']} prompts at -6 dB")
        if echo == "speex":
            tell("ears.echo_cancelled", told["erle_tenths_db"] / 10, "dB")
    told = run("speex", "--over", word)
    tell("ears.barge_in.heard", told["interruptions"], f"of {told['prompts']} times the word over a prompt")


def growth(daemon, folder, models, turns, tell):
    sound = say(("flite", "rms"), "okay nabu", os.path.join(folder, "part.wav"))
    sound += say(("flite", "slt"), "yes, confirm", os.path.join(folder, "part.wav"))
    path = os.path.join(folder, "yes.wav")
    write(path, sound)
    words = [daemon, "soak", "--config", configure(folder, models), "--input", path, "--turns", str(turns)]
    lines = subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    last = json.loads(lines[-1])
    tell("ears.growth.pss", round(last["grown_bytes"] / 1e6, 3), f"MB over {last['turns']} turns")
    tell("ears.growth.anonymous", round(last["anonymous_grown_bytes"] / 1e6, 3), f"MB over {last['turns']} turns")


def measure(programs, folder, model, models, fixtures, tell):
    daemon, ctl = os.path.join(programs, "execorad"), os.path.join(programs, "execoractl")
    straight_on(daemon, folder, models, tell)
    scratch = os.path.join(folder, "part.wav")
    spoken = [say(voice, text, scratch) for text in LINES for voice in LINE_VOICES[:3]]
    # Four lines of other voices (Piper, flite, Kokoro, espeak-ng), two of them Hindi.
    spoken += [trimmed(os.path.join(fixtures, f"say_u{name}.wav")) for name in ("020", "037", "073", "078")]
    turn_ends(ctl, folder, model, spoken, tell)
    clips = os.environ.get("BENCH_UTTERANCES")
    if clips:
        names = sorted(name for name in os.listdir(clips) if name.endswith((".flac", ".wav")) and "_snr" not in name)
        spoken = [trimmed(os.path.join(clips, name)) for name in names]
        turn_ends(ctl, folder, model, [one for one in spoken if len(one) < 200_000], tell, "ears.turn_end.utterances")
    false_wakes(ctl, folder, model, fixtures, tell)
    own_voice(daemon, folder, models, tell)
    growth(daemon, folder, models, int(os.environ.get("BENCH_TURNS", "2000")), tell)
