"""Plays systemd for one daemon: makes its two sockets, passes them, listens for its words, asks it over them.

activate.py EXECORAD EXECORACTL FOLDER      FOLDER holds counter.toml; ends with 0 when all was as it should be
"""
import os, select, signal, socket, subprocess, sys, time

daemon, ctl, folder = sys.argv[1:]
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

def heard(word, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([notify], [], [], end - time.monotonic())[0] and word in notify.recv(4096).decode():
            return True
    return False

code = 1
try:
    if heard("READY=1", 60):
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
