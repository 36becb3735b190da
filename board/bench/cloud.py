#!/usr/bin/env python3
"""Measures the built gateway on both stores and prints JSON lines: bench, value, unit, peer, ratio; the last one names
the figures that are over what they must be.

    board/bench/cloud.py PROGRAMS_FOLDER [--only WORD,WORD] [--seconds N] [--exactly-once N] [--fleet N] [--backlog]

Parts: stores, shards, idle, backlog, bad-line, forks, tls, archive, wake, transcript, fleet; without --only those that the other
options ask for.

Gateway, database and load generator share the machine. The databases are PostgreSQL's own programs in a temporary
folder, fsync on, started as an unprivileged user and ended here. `peer` is pgbench doing the gateway's statements on
the same cluster in the same run: who sent it, the head locked, the batch in, the head on, one transaction a batch, as
many connections as there are counters.
"""

import argparse
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import cloud_tls

NOBODY = 65534
ENTRIES = 20
COUNTERS = 20

# What each figure must be: the numbers of the issue that asked for the cloud side.
MUST = {
    "gateway.postgres.entries": (">=", 6000), "gateway.sqlite.entries": (">=", 5000),
    "gateway.postgres.of_pgbench": (">=", 0.3), "gateway.two_shards_over_one": (">=", 1.6),
    "gateway.postgres.round.p99": ("<=", 250), "gateway.sqlite.round.p99": ("<=", 250),
    "gateway.idle.pss": ("<=", 40), "gateway.connection.memory": ("<=", 40),
    "sync.backlog_10000.64kbit": ("<=", 90), "sync.backlog_10000.1000kbit": ("<=", 20),
    "sync.after_400_days.book": ("<=", 70), "sync.after_400_days.missing": ("<=", 0),
    "sync.exactly_once.lost_or_doubled": ("<=", 0), "sync.forks_missed": ("<=", 0), "tls.matrix_wrong": ("<=", 0),
    "archive.bucket_wrong": ("<=", 0), "turn.wake_verdict.p99": ("<=", 300), "turn.transcript": ("<=", 2500),
}
told = {}


def tell(bench, value, unit, peer=None, ratio=None, **more):
    told[bench] = value
    must = {"must": " ".join(map(str, MUST[bench]))} if bench in MUST else {}
    print(json.dumps({"bench": bench, "value": value, "unit": unit, "peer": peer, "ratio": ratio, **must, **more}),
          flush=True)


def summary():
    def holds(bench):
        sign, bound = MUST[bench]
        value = told[bench]
        return value is not None and (value <= bound if sign == "<=" else value >= bound)

    measured = [bench for bench in MUST if bench in told]
    over = {bench: f"{told[bench]}, must be {MUST[bench][0]} {MUST[bench][1]}" for bench in measured
            if not holds(bench)}
    print(json.dumps({"bench": "cloud.summary", "measured": len(measured), "within": len(measured) - len(over),
                      "over": over, "not_measured": [bench for bench in MUST if bench not in told]}), flush=True)
    return over


def postgres_program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise SystemExit("bench: no PostgreSQL is installed (board/setup)")
    return found[-1]


class Cluster:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="execora-bench-pg-")
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        self.call("initdb", "-D", self.folder + "/data", "-U", "execora", "-A", "trust", "-E", "UTF8", "--locale=C")
        self.process = subprocess.Popen(
            self.unprivileged([postgres_program("postgres"), "-D", self.folder + "/data", "-k", self.folder, "-h", ""]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        for _ in range(300):
            if subprocess.run([postgres_program("pg_isready"), "-q", "-h", self.folder]).returncode == 0:
                break
            time.sleep(0.1)
        self.share = None
        self.sql("postgres", "CREATE DATABASE fleet")
        self.dsn = f"host={self.folder} user=execora dbname=fleet"

    @staticmethod
    def unprivileged(arguments):
        if os.getuid() != 0:
            return arguments
        return ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--"] + arguments

    def call(self, name, *arguments):
        subprocess.run(
            self.unprivileged([postgres_program(name), *arguments]), check=True, cwd=self.folder,
            stdout=subprocess.DEVNULL)

    def sql(self, database, text):
        return subprocess.run(
            [postgres_program("psql"), "-h", self.folder, "-U", "execora", "-d", database, "-AtqX", "-c", text],
            check=True, capture_output=True, text=True).stdout.strip()

    def pgbench(self, envelope_bytes, seconds):
        """The statements of one batch, as the gateway makes them, one transaction a batch."""
        self.sql("fleet", """
            CREATE TABLE bench_head(shop_id bytea, device_id bytea, epoch bigint, next_seq bigint, head bytea,
                receipt_no bigint, receipt_hash bytea, PRIMARY KEY(shop_id, device_id)) WITH (fillfactor = 50);
            CREATE TABLE bench_batch(shop_id bytea, device_id bytea, epoch bigint, through_seq bigint, from_seq bigint,
                envelope bytea, receipt bytea, received_ms bigint, trace text,
                PRIMARY KEY(shop_id, device_id, epoch, through_seq));
            ALTER TABLE bench_batch ALTER COLUMN envelope SET STORAGE EXTERNAL;
            INSERT INTO bench_head SELECT '\\x01', int4send(n), 1, 1, sha256(int4send(n)), 0, sha256(int4send(n))
                FROM generate_series(1, 20) n;
            CREATE TABLE bench_device(shop_id bytea, device_id bytea, series text, ledger_key bytea, revoked_ms bigint,
                PRIMARY KEY(shop_id, device_id));
            CREATE TABLE bench_certificate(shop_id bytea, fingerprint bytea, device_id bytea, revoked_ms bigint,
                PRIMARY KEY(shop_id, fingerprint));
            INSERT INTO bench_device SELECT '\\x01', int4send(n), 'A01', sha256(int4send(n)), NULL
                FROM generate_series(1, 20) n;
            INSERT INTO bench_certificate SELECT '\\x01', sha256(int4send(n)), int4send(n), NULL
                FROM generate_series(1, 20) n;""")
        script = self.folder + "/batch.sql"
        with open(script, "w") as file:
            file.write(f"""
SELECT d.shop_id, d.device_id, d.series, d.ledger_key,
        CASE WHEN d.revoked_ms IS NOT NULL OR c.revoked_ms IS NOT NULL THEN 1 ELSE 0 END AS is_revoked
    FROM bench_certificate c JOIN bench_device d ON d.shop_id = c.shop_id AND d.device_id = c.device_id
    WHERE c.shop_id = '\\x01' AND c.fingerprint = sha256(int4send(:client_id + 1)) \\gset who_
BEGIN;
SELECT epoch, next_seq, head, receipt_no, receipt_hash FROM bench_head
    WHERE shop_id = '\\x01' AND device_id = int4send(:client_id + 1) FOR UPDATE \\gset
INSERT INTO bench_batch VALUES('\\x01', int4send(:client_id + 1), 1, :next_seq + {ENTRIES} - 1, :next_seq,
    decode(repeat('5a', {envelope_bytes}), 'hex'), decode(repeat('a5', 330), 'hex'), 1, '');
UPDATE bench_head SET next_seq = :next_seq + {ENTRIES}, receipt_no = receipt_no + 1
    WHERE shop_id = '\\x01' AND device_id = int4send(:client_id + 1);
COMMIT;
""")
        os.chmod(script, 0o644)
        said = subprocess.run(
            [postgres_program("pgbench"), "-h", self.folder, "-U", "execora", "-n", "-M", "prepared", "-c", str(COUNTERS), "-j",
             "2", "-T", str(seconds), "-f", script, "fleet"], check=True, capture_output=True, text=True).stdout
        return float(next(line for line in said.splitlines() if line.startswith("tps")).split()[2])

    def cpu_seconds(self):
        """Of the server and of all it has started, those that ended included."""
        total = 0.0
        for pid in [self.process.pid, *children(self.process.pid)]:
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            counted = fields[11:15] if pid == self.process.pid else fields[11:13]
            total += sum(map(int, counted)) / os.sysconf("SC_CLK_TCK")
        return total

    def limit(self, share):
        """Holds the whole server to a share of one core. False where this machine lets nobody do that."""
        self.share = CPUShare.made(share)
        if not self.share:
            return False
        for pid in [self.process.pid, *children(self.process.pid)]:
            self.share.take(pid)
        return True

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        if self.share:
            self.share.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def children(parent):
    said = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout
    return [int(word) for word in said.split()]


class CPUShare:
    """A control group of either version that may use a share of one core; processes it starts belong to it."""

    period = 60_000
    count = 0

    @staticmethod
    def made(share):
        CPUShare.count += 1
        for root, name in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max")):
            folder = f"{root}/execora-bench-{os.getpid()}-{CPUShare.count}"
            quota = int(share * CPUShare.period)
            try:
                os.mkdir(folder)
            except OSError:
                continue
            try:
                if name == "cpu.max":
                    CPUShare.write(folder + "/" + name, f"{quota} {CPUShare.period}")
                else:
                    CPUShare.write(folder + "/cpu.cfs_period_us", CPUShare.period)
                    CPUShare.write(folder + "/" + name, quota)
                made = CPUShare()
                made.folder = folder
                return made
            except OSError:
                os.rmdir(folder)
        return None

    @staticmethod
    def write(path, value):
        with open(path, "w") as file:
            file.write(str(value))

    def take(self, pid):
        try:
            self.write(self.folder + "/cgroup.procs", pid)
        except ProcessLookupError:
            pass  # A server process that has ended meanwhile.

    def end(self):
        for _ in range(50):
            try:
                return os.rmdir(self.folder)
            except OSError:
                time.sleep(0.1)


class Gateway:
    def __init__(self, program, clusters=(), **more):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="execora-bench-gateway-")
        self.run("init", "--state", self.folder + "/state")
        configuration = {
            "state": self.folder + "/state", "device_port": 0, "enrol_port": 0, "operations_port": 0,
            "stt": {"http": {"url": "http://127.0.0.1:9/v1", "model": "none"}},
            "sync_burst": 10000, "sync_per_minute": 10000, **more}
        if clusters:
            configuration["store"] = {"postgres": [cluster.dsn for cluster in clusters]}
        self.configuration = self.folder + "/gateway.json"
        with open(self.configuration, "w") as file:
            json.dump(configuration, file)
        if clusters:
            self.run("migrate", "--config", self.configuration)
        self.log = self.folder + "/log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--config", self.configuration], stdout=subprocess.PIPE, stderr=log)
        self.ports = json.loads(self.process.stdout.readline())

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], check=True, capture_output=True, text=True).stdout

    def lines(self):
        return ["--config", self.configuration, "--device-port", str(self.ports["device_port"]), "--enrol-port",
                str(self.ports["enrol_port"])]

    def load(self, devices, batches):
        return json.loads(self.run(
            "load", *self.lines(), "--devices", str(devices), "--batches", str(batches), "--entries", str(ENTRIES)))

    def ask(self, command, *arguments):
        """What a measuring command prints, whatever its exit code says of it."""
        said = subprocess.run([self.program, command, *self.lines(), *arguments], capture_output=True, text=True)
        if not said.stdout:
            raise SystemExit(f"bench: {command}: {said.stderr.strip()}")
        return json.loads(said.stdout)

    def exactly_once(self, *arguments):
        return self.ask("exactly-once", *arguments)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def pss(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return int(next(line for line in file if line.startswith("Pss:")).split()[1]) / 1024

    def anonymous(self):
        """Memory of its own, in kB: pages of the program are shared with whoever runs it beside."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return int(next(line for line in file if line.startswith("Anonymous:")).split()[1])

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


def measure_store(name, program, clusters, batches, peer=None):
    gateway = Gateway(program, clusters)
    try:
        time.sleep(1)
        if not clusters:
            tell("gateway.idle.pss", round(gateway.pss(), 1), "MB")
        gateway.load(COUNTERS, 5)
        before = [gateway.cpu_seconds(), *(cluster.cpu_seconds() for cluster in clusters)]
        load = gateway.load(COUNTERS, batches)
        after = [gateway.cpu_seconds(), *(cluster.cpu_seconds() for cluster in clusters)]
        value = load["value"]
        count = COUNTERS * batches
        tell(f"gateway.{name}.entries", value, "entries/s",
             cpu_us_a_batch={"gateway": round((after[0] - before[0]) / count * 1e6),
                             "database": round(sum(after[1:]) * 1e6 / count - sum(before[1:]) * 1e6 / count)})
        tell(f"gateway.{name}.round.p99", load["round_p99_ms"], "ms")
        if peer:
            tell(f"gateway.{name}.of_pgbench", round(value / peer, 2), "x", round(peer), round(value / peer, 2))
        return value
    finally:
        gateway.end()


def measure_stores(program, options):
    measure_store("sqlite", program, [], options.batches)
    cluster = Cluster()
    try:
        # 20 entries of 80 bytes, compressed, with header and signature. Before and after: what else the machine does
        # must not decide the ratio.
        first = cluster.pgbench(1500, options.seconds)
        value = measure_store("postgres", program, [cluster], options.batches)
        cluster.sql("fleet", "DROP TABLE bench_head, bench_batch, bench_device, bench_certificate")
        second = cluster.pgbench(1500, options.seconds)
        tps = (first + second) / 2
        tell("postgres.pgbench.batches", round(tps), "batches/s", runs=[round(first), round(second)])
        tell("gateway.postgres.of_pgbench", round(value / (tps * ENTRIES), 2), "x", round(tps * ENTRIES))
    finally:
        cluster.end()


def measure_shards(program, options):
    """One PostgreSQL against two, the machine's cores the same for both.

    On a machine of two cores TLS and signatures fill the cores long before a database does, and a second one can give
    nothing: `unlimited` says how much. What a second database is for is a first one that is full. So here a database
    is a server of a fixed size, a share of one core by control group; one of them against two, everything else the
    same.
    """
    unlimited = []
    for count in (1, 2):
        clusters = [Cluster() for _ in range(count)]
        try:
            unlimited.append(measure_store(f"postgres{count}", program, clusters, options.batches))
        finally:
            for cluster in clusters:
                cluster.end()
    limited = []
    for count in (1, 2):
        clusters = [Cluster() for _ in range(count)]
        try:
            if not all(cluster.limit(options.share) for cluster in clusters):
                tell("gateway.two_shards_over_one", None, "x", why="no right to make a control group")
                return
            limited.append(measure_store(f"limited_postgres{count}", program, clusters, max(20, options.batches // 3)))
        finally:
            for cluster in clusters:
                cluster.end()
    tell("gateway.two_shards_over_one", round(limited[1] / limited[0], 2), "x", share_of_a_core=options.share,
         unlimited=round(unlimited[1] / unlimited[0], 2))


def measure_idle(gateway, program, options):
    gateway.load(COUNTERS, 5)
    before = gateway.anonymous()
    held = subprocess.Popen(
        [program, "load", *gateway.lines(), "--devices", str(options.connections), "--batches", "1", "--entries", "1",
         "--hold", "8"], stdout=subprocess.PIPE, text=True)
    held.stdout.readline()
    time.sleep(2)
    tell("gateway.connection.memory", round((gateway.anonymous() - before) / options.connections, 1), "kB",
         connections=options.connections)
    held.wait()


def measure_backlog(gateway):
    for bits in (64_000, 1_000_000):
        run = gateway.exactly_once(
            "--devices", "1", "--entries", "10000", "--batch-entries", "1000", "--clean", "--payments",
            "--bits-per-second", str(bits))
        tell(f"sync.backlog_10000.{bits // 1000}kbit", round(run["milliseconds"] / 1000, 1), "s", bytes=run["bytes"])
    run = gateway.exactly_once(
        "--devices", "1", "--entries", "200000", "--batch-entries", "1000", "--clean", "--payments", "--book",
        gateway.folder)
    missing = run["expected"] - run["value"] + (0 if run["heads_equal"] else 1)
    tell("sync.after_400_days", round(run["milliseconds"] / 1000, 1), "s", entries=run["value"],
         heads_equal=run["heads_equal"])
    tell("sync.after_400_days.missing", missing, "entries")
    tell("sync.after_400_days.book", round(run["book_bytes"] / 1e6, 1), "MB")


def measure_bad_line(gateway, entries):
    run = gateway.exactly_once("--entries", str(entries), "--devices", "50", "--batch-entries", "100")
    tell("sync.exactly_once", run["value"], "entries", **{
        key: run[key] for key in ("expected", "heads_equal", "tries", "sent_twice_or_late", "connections_cut",
                                  "connections_refused", "pieces_late", "milliseconds")})
    tell("sync.exactly_once.lost_or_doubled",
         abs(run["expected"] - run["value"]) + (0 if run["heads_equal"] else 1), "entries")


def measure_tls(program):
    gateway = Gateway(program, readmit=True)
    try:
        rows = cloud_tls.matrix(gateway)
        scan = {port: cloud_tls.scanned(gateway.ports[port]) for port in ("device_port", "enrol_port")}
    finally:
        gateway.end()
    for row in rows:
        print(json.dumps({"bench": "tls.case", **row}), flush=True)
    for port, found in scan.items():
        if found:
            print(json.dumps({"bench": "tls.sslscan", "port": port, **found}), flush=True)
    older = [found for found in scan.values() if found and found["versions"] != ["TLSv1.3"]]
    tell("tls.matrix_wrong", sum(not row["right"] for row in rows) + len(older), f"of {len(rows)}")


def moto():
    """moto's server (PyPI) in an environment of its own, made once: 140 MB."""
    here = os.path.dirname(os.path.abspath(__file__))
    cache = os.environ.get("EXECORA_CACHE") or os.path.expanduser("~/.cache/execora")
    place = cache + "/bench-moto"
    if not os.path.exists(place + "/ready"):
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place + "/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
                        "--require-hashes", "--only-binary", ":all:", "-r", here + "/moto.requirements.txt"], check=True)
        open(place + "/ready", "w").close()
    return place + "/bin/"


def measure_archive(program):
    """The archive against another's S3, which checks our signatures: the right key, a wrong one, a bucket not there."""
    programs = moto()
    gateway = Gateway(program)
    folder = gateway.folder
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The first calls, which make the bucket and the key, are free; from then on every request's signature is checked.
    server = subprocess.Popen([programs + "moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "4"})
    url = f"http://127.0.0.1:{port}"
    try:
        made = subprocess.run([programs + "python", "-c", f"""
import boto3, time
from botocore.exceptions import EndpointConnectionError
def client(name):
    return boto3.client(name, endpoint_url="{url}", region_name="ap-south-1", aws_access_key_id="x",
                        aws_secret_access_key="x")
for _ in range(100):
    try:
        client("s3").create_bucket(Bucket="shop-sounds", CreateBucketConfiguration={{"LocationConstraint": "ap-south-1"}})
        break
    except EndpointConnectionError:
        time.sleep(0.2)
iam = client("iam")
iam.create_user(UserName="gateway")
iam.put_user_policy(UserName="gateway", PolicyName="all", PolicyDocument='{{"Version": "2012-10-17", "Statement": '
                    '[{{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}]}}')
key = iam.create_access_key(UserName="gateway")["AccessKey"]
print(key["AccessKeyId"] + ":" + key["SecretAccessKey"])
"""], check=True, capture_output=True, text=True).stdout.strip()

        def kept(key, bucket):
            with open(folder + "/s3.key", "w") as file:
                file.write(key)
            os.chmod(folder + "/s3.key", 0o600)
            with open(gateway.configuration) as file:
                configuration = json.load(file)
            configuration["archive"] = {"url": url, "bucket": bucket, "region": "ap-south-1",
                                        "key_file": folder + "/s3.key"}
            with open(folder + "/archive.json", "w") as file:
                json.dump(configuration, file)
            return subprocess.run([program, "archive-check", "--config", folder + "/archive.json"],
                                  capture_output=True, text=True)

        right = kept(made, "shop-sounds")
        wrong = kept(made[:-3] + "xyz", "shop-sounds")
        missing = kept(made, "no-such-bucket")
        cases = {"right key": right.returncode == 0, "wrong key": "HTTP 403" in wrong.stderr,
                 "no bucket": "HTTP 404" in missing.stderr}
        tell("archive.bucket_wrong", sum(not holds for holds in cases.values()), f"of {len(cases)}", cases=cases)
    finally:
        server.terminate()
        server.wait()
        gateway.end()


def measure_transcript(program):
    """Commands of about three seconds by espeak-ng, through the codec and the embedded Whisper."""
    folder = tempfile.mkdtemp(prefix="execora-bench-speech-")
    try:
        texts = ["Rahul ne do sau rupaye cash diye", "Sharma ji ke khaate mein teen sau likho",
                 "please write five hundred rupees for Rahul", "Rahul ka kitna paisa baaki hai batao",
                 "add two hundred rupees credit for Meena"]
        clips = []
        for index, text in enumerate(texts):
            clips.append(f"{folder}/{index}.wav")
            subprocess.run(["espeak-ng", "-v", "hi" if index in (0, 1, 3) else "en-in", "-s", "130", "-w", clips[-1],
                            text], check=True)
            subprocess.run(["sox", clips[-1], "-r", "16000", "-c", "1", f"{folder}/3s{index}.wav", "trim", "0", "3"],
                           check=True)
            clips[-1] = f"{folder}/3s{index}.wav"
        world = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "virtual-counter", "world.json")
        seconds = sum((os.path.getsize(clip) - 44) / 32000 for clip in clips) / len(clips)
        # The first clip also waits for what the model does once.
        said = subprocess.run([program, "interpret", "--world", world, "--json", clips[0], *clips], check=True,
                              capture_output=True, text=True).stdout
        times = sorted(json.loads(line)["heard"]["milliseconds"] for line in said.splitlines()[1:])
        tell("turn.transcript", times[len(times) // 2], "ms", max=times[-1], clips=len(times), seconds_of_sound=round(seconds, 1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_wake(program):
    models = os.environ.get("EXECORA_MODELS") or os.path.expanduser("~/.cache/execora/models")
    gateway = Gateway(program, wake={"models": models, "cutoff": 900})
    try:
        run = gateway.ask("false-wakes", "--turns", "50")
        tell("turn.wake_verdict.p50", run["value"], "ms", refused=f"{run['refused']} of {run['turns']}")
        tell("turn.wake_verdict.p99", run["p99_ms"] if run["refused"] == run["turns"] else None, "ms")
    finally:
        gateway.end()


def measure_fleet(program, devices):
    cluster = Cluster()
    gateway = Gateway(program, [cluster])
    try:
        before = gateway.cpu_seconds(), cluster.cpu_seconds()
        run = gateway.ask("load", "--devices", str(devices), "--at-once", "200", "--batches", "1", "--entries", "4")
        spent = gateway.cpu_seconds() - before[0], cluster.cpu_seconds() - before[1]
        tell("fleet.devices", run["value"], "devices/s", devices=run["devices"], seconds=round(run["milliseconds"] / 1e3),
             making_seconds=round(run["making_ms"] / 1e3), contact_p50_ms=run["contact_p50_ms"],
             contact_p99_ms=run["contact_p99_ms"],
             cpu_us_a_device={"gateway": round(spent[0] / devices * 1e6), "database": round(spent[1] / devices * 1e6)})
    finally:
        gateway.end()
        cluster.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--only", default="", help="parts, by comma")
    parser.add_argument("--seconds", type=int, default=10, help="of pgbench, each of two times")
    parser.add_argument("--batches", type=int, default=300, help=f"of each of {COUNTERS} counters")
    parser.add_argument("--share", type=float, default=0.025, help="of a core, for a database of fixed size")
    parser.add_argument("--backlog", action="store_true", help="10,000 payments at 64 kbit/s and 1 Mbit/s; 400 days")
    parser.add_argument("--exactly-once", type=int, default=0, metavar="ENTRIES")
    parser.add_argument("--fleet", type=int, default=0, metavar="DEVICES", help="each with a TLS line of its own, in turn")
    parser.add_argument("--connections", type=int, default=400, help="held idle, for the memory of one")
    options = parser.parse_args()
    program = os.path.join(os.path.abspath(options.programs), "execora-gateway")
    only = [part for part in options.only.split(",") if part]

    def wants(part, unasked=True):
        return part in only if only else unasked

    if wants("stores"):
        measure_stores(program, options)
    if wants("shards"):
        measure_shards(program, options)
    if wants("tls"):
        measure_tls(program)
    if wants("archive"):
        measure_archive(program)
    if wants("wake"):
        measure_wake(program)
    if wants("transcript"):
        measure_transcript(program)
    gateway = Gateway(program)
    try:
        if wants("idle"):
            measure_idle(gateway, program, options)
        if wants("forks"):
            run = gateway.ask("forks", "--devices", "100")
            tell("sync.forks_found", run["value"], run["unit"])
            tell("sync.forks_missed", 300 - run["value"] + run["chains_changed"], "of 300")
        if wants("backlog", options.backlog):
            measure_backlog(gateway)
        if wants("bad-line", options.exactly_once > 0):
            measure_bad_line(gateway, options.exactly_once or 1_000_000)
    finally:
        gateway.end()
    if wants("fleet", options.fleet > 0):
        measure_fleet(program, options.fleet or 100_000)
    summary()
    return 0


if __name__ == "__main__":
    sys.exit(main())
