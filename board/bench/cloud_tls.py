"""The TLS matrix against a running gateway, by OpenSSL (Python's ssl): each bad client must be refused for the right
reason and logged once. Certificates are made here with the gateway's own issuing key, by `openssl`."""

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Certificates:
    def __init__(self, state, folder):
        self.state, self.folder = state, folder
        self.ca = state + "/ca.pem"
        self.device = secrets.token_hex(16)
        self.key = self.new_key("device")
        self.good = self.issued("good", "-120", "+86400")

    def new_key(self, name):
        path = f"{self.folder}/{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        return path

    def self_signed(self, name, ca=False):
        path, key = f"{self.folder}/{name}.pem", self.new_key(name)
        openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "2", "-out", path)
        return path, key

    def issued(self, name, start, end, by=None):
        """A device certificate from `start` to `end`, seconds from now, signed by the gateway's issuing key."""
        certificate, key = by or (self.state + "/issuing.pem", self.state + "/issuing.key")
        place = f"{self.folder}/{name}"
        with open(place + ".cnf", "w") as file:
            file.write(f"""
[ca]
default_ca = own
[own]
database = {place}.index
new_certs_dir = {self.folder}
serial = {place}.serial
default_md = sha256
policy = any
x509_extensions = device
copy_extensions = none
[any]
organizationName = supplied
organizationalUnitName = supplied
commonName = supplied
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = URI:urn:execora:ledger-key:{"ab" * 32}
authorityKeyIdentifier = keyid
""")
        open(place + ".index", "w").close()
        with open(place + ".serial", "w") as file:
            file.write(secrets.token_hex(16))
        shop = "0" * 32
        openssl("req", "-new", "-key", self.key, "-subj", f"/O={shop}/OU=A01/CN={self.device}", "-out", place + ".csr")

        def moment(offset):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + int(offset)))

        openssl("ca", "-batch", "-notext", "-config", place + ".cnf", "-cert", certificate, "-keyfile", key, "-in",
                place + ".csr", "-out", place + ".pem", "-startdate", moment(start), "-enddate", moment(end))
        with open(place + ".pem", "a") as chain, open(certificate) as issuer:
            chain.write(issuer.read())
        return place + ".pem"


class Client:
    """One connection; `said` is the answer, or the reason why there is none."""

    def __init__(self, port, certificates, certificate=None, key=None, version=None, name="localhost", trust=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(trust or certificates.ca)
        if version:
            context.minimum_version = context.maximum_version = version
        if certificate:
            context.load_cert_chain(certificate, key or certificates.key)
        self.line, self.said = None, ""
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout=20)
            self.line = context.wrap_socket(plain, server_hostname=name)
        except (ssl.SSLError, OSError) as error:
            self.said = str(error)

    def ask(self, request):
        if not self.line:
            return self.said
        try:
            self.line.sendall(request)
        except (ssl.SSLError, OSError) as error:
            self.said = str(error)
        heard = b""
        try:
            while not self.whole(heard):
                piece = self.line.recv(65536)
                if not piece:
                    break
                heard += piece
            self.said = heard.decode(errors="replace") or self.said or "closed"
        except (ssl.SSLError, OSError) as error:
            self.said = heard.decode(errors="replace") or self.said or str(error)
        return self.said

    @staticmethod
    def whole(heard):
        head, end, body = heard.partition(b"\r\n\r\n")
        length = [line.split()[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return bool(end) and (not length or len(body) >= int(length[0]))

    def close(self):
        if self.line:
            self.line.close()


TIME = b"GET /v1/time HTTP/1.1\r\nhost: localhost\r\n\r\n"


def matrix(gateway):
    """Rows of (case, what the client heard, what the gateway logged, whether that is right)."""
    folder = gateway.folder + "/tls"
    os.makedirs(folder)
    made = Certificates(gateway.folder + "/state", folder)
    port = gateway.ports["device_port"]
    rows = []

    def refusals():
        with open(gateway.log) as file:
            lines = [json.loads(line) for line in file if "connection refused" in line]
        return lines

    def case(name, says, reason, client, request=TIME, wait=3.0, own=([],)):
        """`own`: what may be logged where the device itself refuses, and the gateway is told so or only sees it go."""
        before = len(refusals())
        client = client()
        said = client.ask(request).lower()
        if reason:
            # The log is another thread's; more lines than one would come within this time too.
            end = time.time() + wait
            while len(refusals()) == before and time.time() < end:
                time.sleep(0.05)
            time.sleep(0.2)
        elif not client.line:
            time.sleep(1)
        logged = [line["reason"] for line in refusals()[before:]]
        client.close()
        isRight = says in said and " 200 " not in said.split("\r\n")[0] and logged in ([[reason]] if reason else own)
        rows.append({"case": name, "heard": said.split("\r\n")[0][:90], "logged": logged, "right": isRight,
                     "detail": [line.get("detail") for line in refusals()[before:]]})

    good = Client(port, made, made.good)
    answer = good.ask(TIME)
    rows.append({"case": "a good device", "heard": answer.split("\r\n")[0], "logged": [],
                 "right": answer.startswith("HTTP/1.1 200")})
    stranger, own = made.self_signed("stranger"), made.self_signed("own")
    strange = made.issued("strange", "-120", "+86400", by=stranger)
    old, early = made.issued("old", "-9000", "-60"), made.issued("early", "+9000", "+86400")
    case("no certificate", "certificate required", "no_certificate", lambda: Client(port, made))
    case("wrong CA", "unknown ca", "certificate",
         lambda: Client(port, made, strange))
    case("self-signed", "unknown ca", "certificate", lambda: Client(port, made, *own))
    case("expired", "certificate expired", "certificate", lambda: Client(port, made, old))
    case("not yet valid", "certificate expired", "certificate",
         lambda: Client(port, made, early))
    case("TLS 1.2", "protocol version", "tls_version", lambda: Client(port, made, made.good, version=ssl.TLSVersion.TLSv1_2))
    # These two are the device's own refusals: the gateway sees it go.
    case("wrong name", "hostname mismatch", None, lambda: Client(port, made, made.good, name="gateway.example"), own=([], ["server_distrusted"], ["tls"]))
    case("a gateway of another CA", "certificate verify failed", None,
         lambda: Client(port, made, made.good, trust=stranger[0]), own=([], ["server_distrusted"], ["tls"]))
    time.sleep(1)
    case("oversized head", "", None, lambda: Client(port, made, made.good),
         b"GET /v1/time HTTP/1.1\r\nhost: localhost\r\nx-long: " + b"a" * 20000 + b"\r\n\r\n")
    case("oversized body", "413", None, lambda: Client(port, made, made.good),
         b"POST /v1/sync HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n" + b"b" * 200000)
    endless = b"POST /v1/sync HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    endless += (b"10000\r\n" + b"c" * 65536 + b"\r\n") * 80
    case("a body without end", "", "oversized_body", lambda: Client(port, made, made.good), endless)
    case("slowloris", "", "slow_head", lambda: Client(port, made, made.good), b"GET /v1/time HT", wait=15)
    subprocess.run([gateway.program, "revoke", "--config", gateway.configuration, "--device", made.device], check=True,
                   capture_output=True)
    answer = good.ask(TIME)
    rows.append({"case": "revoked mid-connection", "heard": answer.split("\r\n")[0], "logged": [],
                 "right": answer.startswith("HTTP/1.1 403") and '"revoked"' in answer})
    good.close()
    return rows


def scanned(port):
    """What sslscan finds enabled; nil where it is not installed."""
    if not shutil.which("sslscan"):
        return None
    said = subprocess.run(["sslscan", "--no-colour", f"127.0.0.1:{port}"], capture_output=True, text=True).stdout
    versions = [line.split()[0] for line in said.splitlines() if line.rstrip().endswith("enabled")
                and line.startswith(("SSLv", "TLSv"))]
    ciphers = [line.split()[4] for line in said.splitlines() if line.startswith(("Preferred", "Accepted"))]
    return {"versions": versions, "ciphers": ciphers}
