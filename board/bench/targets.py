"""What the rows of `make bench` must come to, and how a run stands against it.

A row that is over its must does not end the bench with an error: a loaded machine makes slow figures, and whoever
reads them knows the machine. A row that was not measured at all does: then part of the bench is broken.
"""

import json

# Row, what of it ("value" or "ratio"), the most it may be, and what it is in words. Sources: the issue of the ears,
# and README's column of targets.
MUSTS = [
    ("ears.wake_and_voice", "value", 1.5, "frontend, voice model and one wake model, CPU ms a second of sound"),
    ("ears.wake_and_voice", "ratio", 0.4, "the same over pymicro-wakeword with the same voice model"),
    ("daemon.board.cpu", "value", 0.8, "whole daemon listening, % of a core"),
    ("daemon.board.pss", "value", 18, "PSS listening, one wake model and the voice model, TLS open, MB"),
    ("daemon.board.uss", "value", 14, "USS, the same, MB"),
    ("daemon.board.wakeups", "value", 60, "wake-ups a second, listening"),
    ("daemon.board.muted.wakeups", "value", 1, "wake-ups a second, muted"),
    ("daemon.board.start_to_first_frame_scored", "value", 200, "start to first frame scored, ms"),
    ("ears.wake_latency.p50", "value", 140, "wake after the word's end, p50, ms"),
    ("ears.wake_latency.p95", "value", 220, "wake after the word's end, p95, ms"),
    ("ears.straight_on.first_words_lost", "value", 0, "first words lost, talking straight on"),
    ("ears.own_voice.half-duplex.wakes", "value", 0, "own prompts that woke it, half-duplex"),
    ("ears.own_voice.half-duplex.turns_entered", "value", 0, "own prompts in a turn, half-duplex"),
    ("ears.own_voice.speex.wakes", "value", 0, "own prompts that woke it, speex"),
    ("ears.own_voice.speex.turns_entered", "value", 0, "own prompts in a turn, speex"),
    ("ears.growth.anonymous", "value", 0.5, "memory grown over BENCH_TURNS turns, MB"),
    ("ears.false_wakes", "value", 0, "false wakes in rooms and talk"),
    ("ears.allocations", "value", 0, "allocations in 100,000 frames"),
    ("turn.end_of_speech_to_first_sound.p50", "value", 1_500, "end of speech to first sound of the answer, p50, ms"),
    ("turn.end_of_speech_to_first_sound.max", "value", 2_500, "the same, longest of five, ms"),
    ("technician.status.p99", "value", 20, "status while words are decided, eight clients, p99, ms"),
    ("technician.eight_clients.frames_lost", "value", 0, "sound lost to eight clients"),
    ("ledger.payment.commit.p50.against_bare_loop", "ratio", 1.3, "one payment, over the same statements in bare C"),
    ("binary.execorad", "value", 9, "execorad, stripped, MB"),
]


class Rows:
    """Every row that was told, in order; prints each as it comes."""

    def __init__(self):
        self.rows = {}

    def tell(self, bench, value, unit, peer=None, ratio=None):
        self.take({"bench": bench, "value": value, "unit": unit, "peer": peer, "ratio": ratio})

    def take(self, row):
        self.rows[row["bench"]] = row
        print(json.dumps(row), flush=True)

    def take_lines(self, text):
        for line in text.splitlines():
            if line.startswith("{"):
                self.take(json.loads(line))

    def sum_up(self):
        """The last lines of a run: one a row that has a must, then how many are over theirs, and which.

        Returns the names of rows that were not measured."""
        over, absent = [], []
        for bench, part, must, meaning in MUSTS:
            row = self.rows.get(bench)
            value = None if row is None else row[part]
            # Without its peer a row has no ratio: the peers cannot be installed everywhere.
            if row is None or row["value"] is None:
                absent.append(bench)
            is_held = value is not None and value <= must
            if value is not None and not is_held:
                over.append(f"{bench} ({part})")
            told = {"must": f"{bench} ({part})", "at_most": must, "measured": value, "holds": is_held, "what": meaning}
            print(json.dumps(told), flush=True)
        print(json.dumps({"over_their_must": len(over), "rows": over, "not_measured": absent}), flush=True)
        return absent
