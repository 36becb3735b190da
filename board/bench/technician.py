#!/usr/bin/env python3
"""Eight technicians at a running daemon's sockets: six ask for the status, one watches and does not read, one sends
garbage. Prints JSON lines as board/bench/run does.

technician.py RUNTIME_FOLDER SECONDS      ends with 0 when sound was captured and none was lost
"""
import json, os, random, socket, sys, threading, time

folder, seconds = sys.argv[1], float(sys.argv[2])


def connect(name):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(20)
    made.connect(f"{folder}/{name}.sock")
    return made, made.makefile("rb")


def ask(link, method, number, **parameters):
    made, lines = link
    made.sendall(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}).encode() + b"\n")
    while True:
        answer = json.loads(lines.readline())
        if answer.get("id") == number:
            return answer.get("result")


def loss(status):
    return status["capture"]["ear_lost_samples"] + status["capture"]["overruns"]


control = connect("control")
control[1].readline()
before = ask(control, "status", 1)
end = time.monotonic() + seconds
times, failures = [], []


def asker():
    try:
        link = connect("view")
        link[1].readline()
        number = 0
        while time.monotonic() < end:
            number += 1
            begun = time.monotonic()
            ask(link, "status", number)
            times.append((time.monotonic() - begun) * 1000)
            time.sleep(0.005)
    except Exception as error:
        failures.append(repr(error))


def mute_reader():
    link = connect("control")
    ask_line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "audio.meter"}).encode() + b"\n"
    link[0].sendall(ask_line)
    time.sleep(max(0, end - time.monotonic()))


def garbage():
    chance = random.Random(7)
    while time.monotonic() < end:
        try:
            link = connect("control")
            for _ in range(20):
                link[0].sendall(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 4000))))
        except OSError:
            pass


def talker():
    """A turn is under way most of the time: words that are understood, decided and answered."""
    number = 1
    while time.monotonic() < end:
        number += 1
        ask(control, "say", number, text="aaj ki total udhaari kitni hai")
        time.sleep(0.05)


threads = [threading.Thread(target=work, daemon=True) for work in [asker] * 5 + [mute_reader, garbage, talker]]
for thread in threads:
    thread.start()
for thread in threads[:5] + threads[7:]:
    thread.join(seconds + 30)
last = connect("control")
last[1].readline()
after = ask(last, "status", 2)
times.sort()


def tell(bench, value, unit):
    print(json.dumps({"bench": bench, "value": value, "unit": unit, "peer": None, "ratio": None}))


if not times:
    print("no answers: " + "; ".join(failures), file=sys.stderr)
    sys.exit(1)
tell("technician.status.p50", round(times[len(times) // 2], 2), "ms")
tell("technician.status.p99", round(times[min(len(times) - 1, len(times) * 99 // 100)], 2), "ms")
tell("technician.status.answers", len(times), "")
tell("technician.eight_clients.frames_lost", loss(after) - loss(before), "")
heard = after["capture"]["samples"] - before["capture"]["samples"]
tell("technician.eight_clients.captured", heard, "samples")
sys.exit(0 if heard > 0 and not failures else 1)
