#!/usr/bin/env python3
"""Measures hearing: what the wake word, the voice model, the end of speech and Opus cost, beside their peers in the
same run; how late the wake word is; whether hearing allocates; and, in endpoints.py, what scripted speech comes to.

    board/bench/ears.py PROGRAMS_FOLDER     JSON lines, as board/bench/run

Ours and the peers hear the same clip on the same core in turn, five times; medians are told. The peers are Python
packages pinned in peers.requirements.txt, put into $EXECORA_CACHE/bench-peers the first time, and `opusenc`.
"""

import array
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import wave

import endpoints

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("EXECORA_CACHE", os.path.expanduser("~/.cache/execora"))
MODELS = os.environ.get("EXECORA_MODELS", os.path.join(CACHE, "models"))
FIXTURES = os.path.join(ROOT, "Tests/WakeWordTests/Fixtures")
CLIP = os.path.join(FIXTURES, "hindi_shop.wav")
REPETITIONS, SECONDS = 5, 60
CORE = max(os.sched_getaffinity(0))


def on_core(*words, env=None):
    """Runs a program on the one core; what it prints."""
    return subprocess.run(
        words, check=True, stdout=subprocess.PIPE, env=env, preexec_fn=lambda: os.sched_setaffinity(0, {CORE})
    ).stdout


def model(name):
    return os.path.join(MODELS, name + ".json")


def peers_python():
    """The Python of the peers' environment, made when its pins changed; None where it cannot be made."""
    folder, pins = os.path.join(CACHE, "bench-peers"), os.path.join(HERE, "peers.requirements.txt")
    with open(pins, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp, python = os.path.join(folder, "pins"), os.path.join(folder, "bin/python")
    if not os.path.exists(stamp) or open(stamp).read() != wanted:
        print("bench: installing the peers (60 MB)", file=sys.stderr, flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, stdout=sys.stderr)
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
                + ["--only-binary", ":all:", "-r", pins],
                check=True,
                stdout=sys.stderr,
            )
        except subprocess.CalledProcessError:
            print("bench: the peers are not to be had here; their columns stay empty", file=sys.stderr)
            return None
        with open(stamp, "w") as file:
            file.write(wanted)
    return python


def opusenc_milliseconds(folder):
    """Processor ms a second of sound of `opusenc` as we encode: 24 kbit/s, complexity 5, speech, 20 ms. It resamples
    to 48 kHz first, which is part of its price."""
    with wave.open(CLIP) as sound:
        pcm, seconds = sound.readframes(sound.getnframes()), sound.getnframes() / 16_000
    raw, rounds = os.path.join(folder, "long.raw"), 20
    with open(raw, "wb") as file:
        file.write(pcm * rounds)
    words = ["opusenc", "--quiet", "--raw", "--raw-rate", "16000", "--raw-chan", "1", "--bitrate", "24"]
    words += ["--comp", "5", "--speech", "--framesize", "20", raw, os.path.join(folder, "long.opus")]
    before = os.times()
    on_core(*words)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent * 1000 / (seconds * rounds)


def measure_cost(ctl, folder, tell):
    python = peers_python()
    ours, bare, peers, opus = [], [], [], []
    for _ in range(REPETITIONS):
        words = [ctl, "wake", "bench", "--model", model("alexa"), "--seconds", str(SECONDS), CLIP]
        ours.append(json.loads(on_core(*words, "--vad", model("vad"), "--opus")))
        bare.append(json.loads(on_core(*words)))
        if python:
            peers.append(
                json.loads(
                    on_core(python, os.path.join(HERE, "peer_ears.py"), model("alexa"), model("vad"), CLIP, str(SECONDS))
                )
            )
        opus.append(opusenc_milliseconds(folder))

    def row(name, value, peer=None, peer_name=None):
        ratio = round(value / peer, 3) if peer else None
        tell(name, round(value, 3), "ms/s", {"name": peer_name, "value": round(peer, 3)} if peer else None, ratio)

    def mine(name, runs=ours):
        return statistics.median(run["listening"][name] if "listening" in run else run[name] for run in runs) / 1000

    def theirs(*names):
        return statistics.median(sum(run[name] for name in names) for run in peers) / 1000 if peers else None

    row("ears.features", mine("features_us"), theirs("features_us"), "pymicro-features")
    row("ears.wake", mine("listener_us", bare), theirs("wake_us"), "pymicro-wakeword")
    row("ears.wake_and_voice", mine("listener_us"), theirs("wake_and_voice_us"), "pymicro-wakeword + vad.tflite in it")
    row("ears.wake_and_voice.with_pymicro_vad", mine("listener_us"), theirs("wake_us", "voice_us"), "and pymicro-vad")
    voice = mine("listener_us") - mine("listener_us", bare)
    row("ears.voice", voice, theirs("webrtcvad_us"), "webrtcvad")
    row("ears.voice.against_silero", voice, theirs("silero_us"), "silero-vad 6.2.3, ONNX, one thread")
    row("ears.endpoint", mine("endpointer_us"))
    row("ears.opus", statistics.median(run["opus_us"] for run in ours) / 1000, statistics.median(opus), "opusenc")


def word(voice, text, folder):
    """The word by a synthetic voice in the middle of near silence, and where it ends, ms: 10 ms blocks within 35 dB
    of the loudest."""
    path = os.path.join(folder, "word.wav")
    if voice[0] == "flite":
        subprocess.run(["flite", "-voice", voice[1], "-t", text, "-o", path], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["espeak-ng", "-v", voice[1], "-s", voice[2], "-w", path, text], check=True)
    words = ["sox", path, "-t", "raw", "-r", "16000", "-c", "1", "-b", "16", "-e", "signed", "-", "norm", "-11"]
    samples = array.array("h", subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    power = [sum(s * s for s in samples[at : at + 160]) for at in range(0, len(samples) - 159, 160)]
    loudest = max(power)
    end = max(index for index, value in enumerate(power) if value > loudest * 10**-3.5) + 1
    path = os.path.join(folder, f"{voice[1]}.{voice[-1]}.wav")
    hush = array.array("h", [(index * 7919 % 9) - 4 for index in range(32_000)])
    with wave.open(path, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes((hush + samples + hush).tobytes())
    return path, 2_000 + 10 * end


VOICES = [("flite", name) for name in ("kal16", "awb", "rms", "slt")] + [
    # Three times each: espeak-ng's voice flutters, no two renderings are the same.
    ("espeak", name, speed)
    for name in ("en-us", "en-gb", "en-us+f3", "en-gb+m3", "en-us+m7", "en-gb+f4")
    for speed in ("130", "160")
    for _ in range(3)
]


def first_wakes(ctl, paths, *more):
    """The end of the first wake in each file, ms; files without one are left out."""
    words = [ctl, "wake", "score", "--model", model("okay_nabu"), "--vad", model("vad"), "--json", *more, *paths]
    found = {}
    for line in subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines():
        wake = json.loads(line)
        found.setdefault(wake["file"], wake["end_ms"])
    return found


def peers_wakes(paths):
    """The same of pymicro-wakeword, which knows no voice gate; None without it."""
    python = peers_python()
    if not python:
        return None
    words = [python, os.path.join(HERE, "peer_ears.py"), "--wakes", model("okay_nabu"), *paths]
    told = map(json.loads, subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines())
    return {one["file"]: one["end_ms"] for one in told if one["end_ms"] is not None}


def measure_latency(ctl, folder, tell):
    """Sound given until the wake, counted from the word's end (see `word`), in the model's own time: what capture and
    hand-over add is a row of the running daemon. The model answers every 30 ms and a word comes at any time, so
    each is heard at three phases of that step. Ours is the daemon's rule (`wake.quick`); `reference` the manifest's
    alone; the peer has the manifest's rule and no voice gate."""
    ends = {}
    for number, voice in enumerate(VOICES):
        path, end = word(voice, "okay nabu", folder)
        with wave.open(path) as sound:
            frames = sound.readframes(sound.getnframes())
        for phase in (0, 10, 20):
            later = os.path.join(folder, f"word.{number}.{phase}.wav")
            with wave.open(later, "wb") as sound:
                sound.setparams((1, 2, 16_000, 0, "NONE", ""))
                sound.writeframes(frames[: 32 * phase] + frames)
            ends[later] = end + phase

    def late(found):
        return sorted(at - ends[path] for path, at in found.items()) if found else None

    def part(times, share):
        return times[round(share * (len(times) - 1))]

    ours, reference = late(first_wakes(ctl, ends, "--quick")), late(first_wakes(ctl, ends))
    peer = late(peers_wakes(ends))
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        value, theirs = part(ours, share), part(peer, share) if peer else None
        told = {"name": "pymicro-wakeword", "value": theirs} if peer else None
        tell(f"ears.wake_latency.{name}", value, "ms", told, round(value / theirs, 3) if peer else None)
        tell(f"ears.wake_latency.reference.{name}", part(reference, share), "ms")
    missed = {"name": "pymicro-wakeword", "value": len(ends) - len(peer)} if peer else None
    tell("ears.wake_latency.missed", len(ends) - len(ours), f"of {len(ends)} synthetic words", missed)
    tell("ears.wake_latency.reference.missed", len(ends) - len(reference), f"of {len(ends)} synthetic words")


def measure_hearing(ctl, folder, tell):
    """How many of the same words are heard in noise: pink noise and a babble of six, at 20, 10, 5 and 0 dB."""
    words = {}
    for number, voice in enumerate(VOICES):
        path, _ = word(voice, "okay nabu", folder)
        with wave.open(path) as sound:
            words[number] = array.array("h", sound.readframes(sound.getnframes()))
    rooms = {kind: endpoints.noise(kind, 20, folder) for kind in ("pink", "babble")}
    dice = random.Random(9)
    for snr in endpoints.SNRS:
        paths = []
        for kind, room in rooms.items():
            for number, clean in words.items():
                at, spoken = dice.randrange(len(room) - len(clean)), clean[32_000:-32_000]
                gain = endpoints.rms(spoken) / endpoints.rms(room[at : at + len(clean)]) * 10 ** (-snr / 20)
                scene = [round(max(-32_768, min(32_767, s * gain + c))) for s, c in zip(room[at:], clean)]
                paths.append(os.path.join(folder, f"heard.{kind}.{number}.wav"))
                endpoints.write(paths[-1], array.array("h", scene))
        peer, unit = peers_wakes(paths), f"of {len(paths)}"
        told = {"name": "pymicro-wakeword, no voice gate", "value": len(peer)} if peer is not None else None
        tell(f"ears.wake_heard.snr{snr}", len(first_wakes(ctl, paths, "--quick")), unit, told)
        tell(f"ears.wake_heard.reference.snr{snr}", len(first_wakes(ctl, paths)), unit)


def measure_allocations(ctl, folder, tell):
    counter = os.path.join(folder, "count.so")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", counter, os.path.join(FIXTURES, "count-allocations.c")], check=True
    )
    counts = []
    for seconds in (20, 1_020):
        words = [ctl, "wake", "bench", "--model", model("alexa"), "--vad", model("vad"), "--seconds", str(seconds), CLIP]
        said = subprocess.run(
            words, check=True, env=dict(os.environ, LD_PRELOAD=counter), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ).stderr.decode()
        counts.append(int(said.split()[-1]))
    tell("ears.allocations", counts[1] - counts[0], "in 100000 frames")


def measure(programs, tell):
    ctl = os.path.join(programs, "execoractl")
    with tempfile.TemporaryDirectory() as folder:
        measure_cost(ctl, folder, tell)
        measure_latency(ctl, folder, tell)
        measure_hearing(ctl, folder, tell)
        measure_allocations(ctl, folder, tell)
        endpoints.measure(programs, folder, model, MODELS, FIXTURES, tell)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(2)

    def tell(bench, value, unit, peer=None, ratio=None):
        print(json.dumps({"bench": bench, "value": value, "unit": unit, "peer": peer, "ratio": ratio}), flush=True)

    measure(os.path.abspath(sys.argv[1]), tell)
