#!/usr/bin/env python3
"""Measures the built gateway on both stores and prints JSON lines: bench, value, unit, peer, ratio.

    board/bench/cloud.py PROGRAMS_FOLDER [--seconds N] [--backlog] [--exactly-once N] [--rows WORD,WORD]

Gateway, database and load generator share the machine. The databases are PostgreSQL's own programs in a temporary
folder, fsync on, started as an unprivileged user and ended here. `peer` is pgbench doing the gateway's statements on
the same cluster, one transaction a batch, in the same run.
"""

import argparse
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NOBODY = 65534
ENTRIES = 20


def tell(bench, value, unit, peer=None, ratio=None, **more):
    print(json.dumps({"bench": bench, "value": value, "unit": unit, "peer": peer, "ratio": ratio, **more}), flush=True)


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
                FROM generate_series(1, 20) n;""")
        script = self.folder + "/batch.sql"
        with open(script, "w") as file:
            file.write(f"""
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
            [postgres_program("pgbench"), "-h", self.folder, "-U", "execora", "-n", "-M", "prepared", "-c", "20", "-j",
             "2", "-T", str(seconds), "-f", script, "fleet"], check=True, capture_output=True, text=True).stdout
        return float(next(line for line in said.splitlines() if line.startswith("tps")).split()[2])

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Gateway:
    def __init__(self, program, clusters=()):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="execora-bench-gateway-")
        self.run("init", "--state", self.folder + "/state")
        configuration = {
            "state": self.folder + "/state", "device_port": 0, "enrol_port": 0, "operations_port": 0,
            "stt": {"http": {"url": "http://127.0.0.1:9/v1", "model": "none"}},
            "sync_burst": 10000, "sync_per_minute": 10000}
        if clusters:
            configuration["store"] = {"postgres": [cluster.dsn for cluster in clusters]}
        self.configuration = self.folder + "/gateway.json"
        with open(self.configuration, "w") as file:
            json.dump(configuration, file)
        if clusters:
            self.run("migrate", "--config", self.configuration)
        self.process = subprocess.Popen(
            [program, "serve", "--config", self.configuration], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ports = json.loads(self.process.stdout.readline())

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], check=True, capture_output=True, text=True).stdout

    def lines(self):
        return ["--config", self.configuration, "--device-port", str(self.ports["device_port"]), "--enrol-port",
                str(self.ports["enrol_port"])]

    def load(self, devices, batches):
        return json.loads(self.run(
            "load", *self.lines(), "--devices", str(devices), "--batches", str(batches), "--entries", str(ENTRIES)))

    def exactly_once(self, *arguments):
        return json.loads(self.run("exactly-once", *self.lines(), *arguments))

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
        gateway.load(20, 5)
        load = gateway.load(20, batches)
        value = load["value"]
        tell(f"gateway.{name}.entries", value, "entries/s", peer and round(peer), peer and round(value / peer, 2))
        tell(f"gateway.{name}.round.p99", load["round_p99_ms"], "ms")
        return value
    finally:
        gateway.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("--seconds", type=int, default=10, help="of pgbench")
    parser.add_argument("--batches", type=int, default=150, help="of each of 20 counters")
    parser.add_argument("--backlog", action="store_true", help="10,000 payments at 64 kbit/s and 1 Mbit/s; 400 days")
    parser.add_argument("--exactly-once", type=int, default=0, metavar="ENTRIES")
    parser.add_argument("--connections", type=int, default=400, help="held idle, for the memory of one")
    options = parser.parse_args()
    program = os.path.join(os.path.abspath(options.programs), "execora-gateway")

    measure_store("sqlite", program, [], options.batches)
    clusters = [Cluster(), Cluster()]
    try:
        # 20 entries of 80 bytes, compressed, with header and signature.
        tps = clusters[0].pgbench(1500, options.seconds)
        tell("postgres.pgbench.batches", round(tps), "batches/s")
        one = measure_store("postgres", program, clusters[:1], options.batches, tps * ENTRIES)
        clusters[0].sql("postgres", "DROP DATABASE fleet WITH (FORCE)")
        clusters[0].sql("postgres", "CREATE DATABASE fleet")
        two = measure_store("postgres2", program, clusters, options.batches)
        tell("gateway.two_shards_over_one", round(two / one, 2), "x")
    finally:
        for cluster in clusters:
            cluster.end()

    gateway = Gateway(program)
    try:
        gateway.load(20, 5)
        before = gateway.anonymous()
        held = subprocess.Popen(
            [program, "load", *gateway.lines(), "--devices", str(options.connections), "--batches", "1", "--entries",
             "1", "--hold", "8"], stdout=subprocess.PIPE, text=True)
        held.stdout.readline()
        time.sleep(2)
        tell("gateway.connection.memory", round((gateway.anonymous() - before) / options.connections, 1), "kB")
        held.wait()
        if options.backlog:
            for bits in (64_000, 1_000_000):
                run = gateway.exactly_once(
                    "--devices", "1", "--entries", "10000", "--batch-entries", "1000", "--clean", "--payments",
                    "--bits-per-second", str(bits))
                tell(f"sync.backlog_10000.{bits // 1000}kbit", round(run["milliseconds"] / 1000, 1), "s",
                     bytes=run["bytes"])
            run = gateway.exactly_once(
                "--devices", "1", "--entries", "200000", "--batch-entries", "1000", "--clean", "--payments")
            tell("sync.after_400_days", round(run["milliseconds"] / 1000, 1), "s", entries=run["value"],
                 heads_equal=run["heads_equal"])
        if options.exactly_once:
            run = gateway.exactly_once(
                "--entries", str(options.exactly_once), "--devices", "50", "--batch-entries", "100")
            tell("sync.exactly_once", run["value"], "entries", **{
                key: run[key] for key in ("expected", "heads_equal", "tries", "sent_twice_or_late", "connections_cut",
                                          "connections_refused", "pieces_late", "milliseconds")})
    finally:
        gateway.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
