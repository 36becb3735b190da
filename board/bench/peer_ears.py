"""Measures what the ears' peers cost on a sound file; runs in the environment of peers.requirements.txt.

    peer_ears.py MODEL.json VAD.json FILE.wav SECONDS    one JSON line, processor microseconds a second of sound

The file is heard over and over, in 20 ms blocks where the peer lets us choose, until SECONDS went through.
"""

import json
import sys
import time
import wave

import webrtcvad
from pymicro_vad import MicroVad
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures

model_path, voice_path, sound_path, seconds = *sys.argv[1:4], int(sys.argv[4])
with wave.open(sound_path) as sound:
    pcm = sound.readframes(sound.getnframes())
block_bytes = 640
blocks = [pcm[at : at + block_bytes] for at in range(0, len(pcm) - block_bytes + 1, block_bytes)]
rounds = max(1, -(-seconds * 50 // len(blocks)))


def cost(work):
    for block in blocks:
        work(block)
    began = time.thread_time()
    for _ in range(rounds):
        for block in blocks:
            work(block)
    return round((time.thread_time() - began) * 1e6 / (rounds * len(blocks) / 50))


def features_alone():
    features = MicroWakeWordFeatures()

    def work(block):
        for _ in features.process_streaming(block):
            pass

    return cost(work)


def models(*paths):
    features = MicroWakeWordFeatures()
    loaded = [MicroWakeWord.from_config(path) for path in paths]

    def work(block):
        for frame in features.process_streaming(block):
            for one in loaded:
                one.process_streaming(frame)

    return cost(work)


def voice():
    vad = MicroVad()

    def work(block):
        vad.process_10ms(block[:320])
        vad.process_10ms(block[320:])

    return cost(work)


def webrtc():
    vad = webrtcvad.Vad(1)
    return cost(lambda block: vad.is_speech(block, 16_000))


result = {
    "features_us": features_alone(),
    "wake_us": models(model_path),
    "wake_and_voice_us": models(model_path, voice_path),
    "voice_us": voice(),
    "webrtcvad_us": webrtc(),
}
print(json.dumps(result))
