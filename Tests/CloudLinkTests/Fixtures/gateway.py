"""A TLS server for the tests: behaves as told by one JSON argument, prints what happens as JSON lines.

certificate   stem of the server's certificate and key in `folder`
tls_max       "1.2" to speak nothing newer
client        false: asks for no client certificate (the enrol port)
port          0 for any
turns         what becomes of POST /v1/turns: ok, slow, hang, garbage, not-json, large, other-turn, refuse, revoked
drop_after    closes the connection after that many chunks of a turn
cut           true: closes every call at once, as a relay without a network behind it
code          the one-time code /v1/enrol accepts
lie           what the answer of enrol or renew has wrong: device, key
"""

import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

told = json.loads(sys.argv[1])
folder = told["folder"]
lock = threading.Lock()


def say(event, **facts):
    with lock:
        print(json.dumps({"event": event, "at": time.monotonic(), **facts}), flush=True)


def path(name):
    return os.path.join(folder, name)


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stem = told.get("certificate", "server")
    made.load_cert_chain(path(stem + ".pem"), path(stem + ".key"))
    if told.get("tls_max") == "1.2":
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if told.get("client", True):
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(path("ca.pem"))
    return made


class Connection:
    def __init__(self, tls, number):
        self.tls = tls
        self.number = number
        self.held = b""

    def more(self):
        part = self.tls.recv(65536)
        if not part:
            raise EOFError
        self.held += part

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def bytes(self, count):
        while len(self.held) < count:
            self.more()
        part, self.held = self.held[:count], self.held[count:]
        return part

    def reply(self, status, body, **headers):
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n"
        head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.tls.sendall(head.encode() + b"\r\n" + body)

    def reply_json(self, status, value, **headers):
        self.reply(status, json.dumps(value).encode(), content_type="application/json", **headers)

    def serve(self):
        while True:
            method, target, _ = self.line().decode().split(" ")
            headers = {}
            while line := self.line().decode():
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            say("request", method=method, path=target, connection=self.number, headers=headers)
            if target == "/v1/turns" and not self.turn(headers):
                return
            if target != "/v1/turns":
                body = self.bytes(int(headers.get("content-length", 0)))
                self.small(target, headers, body)

    def turn(self, headers):
        how = told.get("turns", "ok")
        if how == "refuse":
            self.reply_json(403, {"error": {"code": "revoked", "message": "this device is revoked"}})
            return False
        body, chunks = b"", 0
        while True:
            size = int(self.line(), 16)
            part = self.bytes(size)
            self.line()
            if size == 0:
                break
            body += part
            chunks += 1
            say("chunk", bytes=size, total=len(body))
            if chunks == told.get("drop_after"):
                return False
        say("body", bytes=len(body), chunks=chunks, sha256=hashlib.sha256(body).hexdigest(), last_flags=body[-4])
        turn = headers["x-execora-turn"]
        if how == "slow":
            time.sleep(told["seconds"])
        if how == "hang":
            time.sleep(60)
        if how == "garbage":
            self.tls.sendall(b"what is it you want?\r\n\r\n")
            return False
        if how == "not-json":
            self.reply(200, b"{nope")
        elif how == "large":
            self.reply(200, b"x" * 3_000_000)
        elif how == "revoked":
            self.reply_json(403, {"error": {"code": "revoked", "message": "this device is revoked"}})
        else:
            if how == "other-turn":
                turn = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
            self.reply_json(
                200,
                {
                    "turn": turn, "verdict": "heard", "milliseconds": 12,
                    "transcripts": [
                        {
                            "text": "Rahul ne do sau diye", "confidence": 930, "language": "hi", "engine": "test",
                            "model": "", "milliseconds": 10,
                        }
                    ],
                },
                x_execora_turn=turn,
            )
        return True

    def small(self, target, headers, body):
        if target == "/v1/time":
            self.reply_json(200, {"server_ms": int(time.time() * 1000)})
        elif target == "/v1/enrol":
            self.enrol(json.loads(body))
        elif target == "/v1/renew":
            self.reply_json(200, {"certificate": sign(json.loads(body)["csr"], told.get("lie"))})
        elif target == "/echo":
            self.reply(200, body)
        elif target == "/gap":
            self.reply_json(409, {"error": {"code": "gap", "message": "behind", "next_seq": 7}})
        elif target == "/load":
            self.reply_json(503, {"error": {"code": "load", "message": "later"}}, retry_after=17)
        elif target == "/large":
            self.reply(200, b"x" * 3_000_000)
        elif target == "/hang":
            time.sleep(60)
        else:
            self.reply_json(404, {"error": {"code": "not_found", "message": "no such path"}})

    def enrol(self, asked):
        if asked["code"] != told["code"]:
            self.reply_json(403, {"error": {"code": "code", "message": "wrong, used or expired code"}})
            return
        raw = bytes.fromhex(asked["ledger_key"])
        proven = proof_holds(raw, asked)
        say("enrol", proof=proven)
        if not proven:
            self.reply_json(422, {"error": {"code": "signature", "message": "the proof does not hold"}})
            return
        device = hashlib.sha256(b"execora/device-id/v1" + raw).hexdigest()[:32]
        lie = told.get("lie")
        with open(path("ca.pem")) as file:
            ca = file.read()
        self.reply_json(
            200,
            {
                "shop": "5" * 32, "device": "0" * 32 if lie == "device" else device, "series": "A01",
                "certificate": sign(asked["csr"], lie), "ca": ca, "receipt_key": "ab" * 32,
            },
        )


def proof_holds(raw, asked):
    """Ed25519 by the openssl tool, not by the code under test."""
    with tempfile.TemporaryDirectory() as scratch:

        def keep(name, content):
            with open(os.path.join(scratch, name), "wb") as file:
                file.write(content)
            return os.path.join(scratch, name)

        # SubjectPublicKeyInfo of Ed25519 (RFC 8410, 4) before the 32 bytes.
        key = keep("key.der", bytes.fromhex("302a300506032b6570032100") + raw)
        message = keep("message", b"execora/enrol/v1\0" + asked["code"].encode() + asked["csr"].encode())
        proof = keep("proof", bytes.fromhex(asked["proof"]))
        done = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-keyform", "DER", "-rawin", "-in", message,
             "-sigfile", proof],
            capture_output=True,
        )
        return done.returncode == 0


def sign(csr, lie):
    """A certificate for the request; with the lie "key" for another key than the one asked with."""
    with tempfile.TemporaryDirectory() as scratch:
        asked = os.path.join(scratch, "asked.csr")
        with open(asked, "w") as file:
            file.write(csr)
        if lie == "key":
            subject = subprocess.run(
                ["openssl", "req", "-in", asked, "-noout", "-subject"], capture_output=True, text=True, check=True
            ).stdout
            subprocess.run(
                ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", os.path.join(scratch, "k"), "-subj", "/CN=" + subject.split("=")[-1].strip(), "-out", asked],
                capture_output=True, check=True,
            )
        return subprocess.run(
            ["openssl", "x509", "-req", "-in", asked, "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
             "-set_serial", str(time.time_ns()), "-days", "30"],
            capture_output=True, text=True, check=True,
        ).stdout


def attend(raw, number, made):
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    kept = raw.dup()
    try:
        tls = made.wrap_socket(raw, server_side=True)
    except (ssl.SSLError, OSError) as error:
        say("handshake-failed", reason=getattr(error, "reason", None) or str(error))
        # Closing on unread bytes would reset the line and take the alert with it; `raw` is closed already.
        try:
            kept.shutdown(socket.SHUT_WR)
            kept.settimeout(2)
            while kept.recv(65536):
                pass
        except OSError:
            pass
        kept.close()
        return
    kept.close()
    say("connection", number=number, version=tls.version())
    try:
        Connection(tls, number).serve()
    except (EOFError, OSError):
        pass
    say("closed", number=number)
    tls.close()


server = socket.create_server(("127.0.0.1", told.get("port", 0)))
made = context()
say("listening", port=server.getsockname()[1])
number = 0
while True:
    raw, _ = server.accept()
    number += 1
    if told.get("cut"):
        raw.close()
        continue
    threading.Thread(target=attend, args=(raw, number, made), daemon=True).start()
