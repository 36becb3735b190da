"""Plays systemd for one daemon: makes its two sockets, passes them, listens for its words, asks it over them.

activate.py EXECORAD EXECORACTL FOLDER [--deaf]     FOLDER holds counter.toml; ends with 0 when all was as it should be
--deaf: the microphone cannot be opened; more time is asked for and READY is not said
"""
import os, select, signal, socket, subprocess, sys, time

daemon, ctl, folder = sys.argv[1:4]
is_deaf = sys.argv[4:] == ["--deaf"]
listening = []
for name in ("view", "control"):
    path = f"{folder}/run/{name}.sock"
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    made.listen(8)
    listening.append(made)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(f"{folder}/notify")

child = os.fork()
if child == 0:
    for place, made in enumerate(listening):
        high = os.dup2(made.fileno(), 50 + place)
        os.dup2(high, 3 + place)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="view:control",
                      NOTIFY_SOCKET=f"{folder}/notify", WATCHDOG_USEC="20000000", WATCHDOG_PID=str(os.getpid()))
    os.execv(daemon, [daemon, "run", "--config", f"{folder}/counter.toml"])

everything = []

def heard(word, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([notify], [], [], max(0, end - time.monotonic()))[0]:
            everything.append(notify.recv(4096).decode())
            if word in everything[-1]:
                return True
    return False

code = 1
try:
    if is_deaf:
        # Twice: each is counted from when it comes, so it has to be said again and again.
        if heard("EXTEND_TIMEOUT_USEC=30000000", 60) and heard("EXTEND_TIMEOUT_USEC=30000000", 60):
            answer = subprocess.run([ctl, "status", "--json", "--socket", f"{folder}/run/view.sock"], capture_output=True, text=True, timeout=60)
            code = answer.returncode
            print("answers" if code == 0 else answer.stderr)
            print("READY" if any("READY=1" in word for word in everything) else "not ready")
            print("\n".join(word for word in everything if word.startswith("STATUS=")))
    elif heard("READY=1", 60):
        print("READY")
        answer = subprocess.run([ctl, "status", "--json", "--socket", f"{folder}/run/view.sock"], capture_output=True, text=True, timeout=60)
        print(answer.stdout, answer.stderr)
        code = answer.returncode
        if heard("WATCHDOG=1", 30):
            print("watchdog fed")
finally:
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
if all(os.path.exists(f"{folder}/run/{name}.sock") for name in ("view", "control")):
    print("the name stays")
sys.exit(code)
