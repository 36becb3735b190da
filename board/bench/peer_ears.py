"""Measures what the ears' peers cost on a sound file; runs in the environment of peers.requirements.txt.

    peer_ears.py MODEL.json VAD.json FILE.wav SECONDS    one JSON line, processor microseconds a second of sound
    peer_ears.py --wakes MODEL.json FILE.wav ...         when pymicro-wakeword says yes: a JSON line a file, ms, or null

The file is heard over and over, in 20 ms blocks where the peer lets us choose, until SECONDS went through.
silero-vad is its ONNX model on one thread of onnxruntime, called as its own wrapper calls it (512 new samples behind 64
old ones): the wrapper itself wants torch, half a gigabyte that would add to the cost and not to the model.
"""

import importlib.util
import json
import os
import sys
import time
import wave

import numpy
import onnxruntime
import webrtcvad
from pymicro_vad import MicroVad
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures



def wakes(model_path, paths):
    """The sound it had been given, in the frontend's own steps of 10 ms, when it first said yes."""
    for path in paths:
        with wave.open(path) as sound:
            pcm = sound.readframes(sound.getnframes())
        features, model, found = MicroWakeWordFeatures(), MicroWakeWord.from_config(model_path), None
        for at in range(0, len(pcm) - 319, 320):
            for frame in features.process_streaming(pcm[at : at + 320]):
                if found is None and model.process_streaming(frame):
                    found = (at + 320) // 32
        print(json.dumps({"file": path, "end_ms": found}))


if sys.argv[1] == "--wakes":
    wakes(sys.argv[2], sys.argv[3:])
    sys.exit(0)

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


def silero():
    folder = os.path.dirname(importlib.util.find_spec("silero_vad").origin)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        os.path.join(folder, "data", "silero_vad.onnx"), options, providers=["CPUExecutionProvider"]
    )
    rate, count = numpy.array(16_000, dtype=numpy.int64), 512
    sound = numpy.frombuffer(pcm, dtype=numpy.int16).astype(numpy.float32) / 32_768
    state, context = numpy.zeros((2, 1, 128), dtype=numpy.float32), numpy.zeros((1, 64), dtype=numpy.float32)
    turns = max(1, seconds * 16_000 // len(sound))
    began, heard = time.thread_time(), 0
    for _ in range(turns):
        for at in range(0, len(sound) - count + 1, count):
            chunk = numpy.concatenate([context, sound[None, at : at + count]], axis=1)
            _, state = session.run(None, {"input": chunk, "state": state, "sr": rate})
            context = chunk[:, -64:]
            heard += count
    return round((time.thread_time() - began) * 1e6 / (heard / 16_000))


result = {
    "features_us": features_alone(),
    "wake_us": models(model_path),
    "wake_and_voice_us": models(model_path, voice_path),
    "voice_us": voice(),
    "webrtcvad_us": webrtc(),
    "silero_us": silero(),
}
print(json.dumps(result))
