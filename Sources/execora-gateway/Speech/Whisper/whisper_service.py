"""Speech recognition for the gateway: Whisper base (int8) behind a pipe.

Enters on standard input: requests (two u32 big-endian lengths, a JSON object, s16le audio at 16 kHz mono). Leaves on
standard output: one answer a request (u32 length, JSON object), in order. The first answer says that the model is ready,
or why it is refused. Ends when standard input ends. Arguments: the model's folder, then name and SHA-256 of each file.
The other side of the door is WhisperFraming.swift, which sends closed_grammar.py and the command grammar (COMMANDS) before
this source.
"""

import concurrent.futures
import hashlib
import json
import math
import os
import sys
import time

ANSWERS = os.fdopen(os.dup(1), "wb")
# What a library prints must not mix with the answers.
os.dup2(2, 1)
REQUESTS = sys.stdin.buffer

REQUEST_BYTES_MAX = 64 * 1024
SAMPLES_MAX = 40 * 16_000  # longer than any turn; Whisper itself hears the first 30 s
THREADS = 2
# Character error rate over the English and Hinglish clips below: 0.337 and 0.271 with 1 beam, 0.309 and 0.279 with 2,
# 0.256 and 0.263 with 5, for 42 and 110 ms more decoding than with 1.
BEAMS = 5
TOKENS_MAX = 96  # a spoken command is under 40; more is a loop
PROMPT_TOKENS_MAX = 200  # Whisper takes 223 at most; the vocabulary comes most useful first

# No speech, by Whisper's own judgement. Measured over our clips: speech stays under 0.17, also at 10 dB;
# silence and noise lie above 0.55.
NO_SPEECH_MIN = 0.4
# Quieter than this everywhere is a dead or muted microphone, whatever the model would dream of: -60 dBFS.
QUIET_RMS = 32.0
# What Whisper learnt to write under silent film, not what is said at a counter.
DREAMS = {"you", "thank you", "thanks", "thanks for watching", "thank you for watching", "bye", "music", "applause"}
DREAM_NO_SPEECH_MIN = 0.1

# Bare words of the counter; no phrase stands among them (a prompt of whole commands is answered with commands).
# Measured as character error rate over 140 synthetic clips of shop commands (31 English, 67 Hinglish, 42 Hindi), with
# the shop's 20 first names and 20 products as vocabulary: English 0.335 without any prompt, 0.275 with the vocabulary,
# 0.256 with these words before it. Hinglish and Hindi: 0.56 and 0.58 in an English pass without a prompt, 0.405 and
# 0.383 with the vocabulary, 0.290 and 0.246 in the Hindi pass held to Roman letters with these words after it: with
# them it spells as shopkeepers type ("ka", "udhaar") instead of splitting words at random.
ENGLISH_WORDS = "Bill, balance, stock, payment, rupees, kilo, packet, confirm"
HINDI_WORDS = (
    "ne ko ka ke ki se mein hai do diye liye mila gaya kitna rupaye sau hazaar udhaar khaate baaki bill banao batao "
    "jodo karo"
)
# P(English) by Whisper's own detection, over the same clips: English in two voices 0.89 to 0.99, Hinglish up to 0.48,
# Hindi up to 0.72. (English in an Indian voice falls to 0.02; it then stands second.)
ENGLISH_MIN = 0.6

# Mean log probability a token of the closed reading (closed_grammar.py), which spells as the grammar does and not as the
# model would: over our clips the right sentence lies at -0.3 to -2.5, another one at -1.5 to -8, chatter under -3.0.
# It is told from CLOSED_TOLD, and stands first (is believed on its own, which is never enough for money) from
# CLOSED_BELIEVED.
CLOSED_TOLD = -2.95
CLOSED_BELIEVED = -2.0
# Longer sound is no command but talk, and a grammar makes a loop of it.
CLOSED_SAMPLES_MAX = 15 * 16_000

# Mean probability of a token from which a transcript is worth reading. Whisper's own mark for a failed one is 0.37
# (log -1.0); replies of one word are right below it ("yes" 0.39 to 0.52, "no" 0.31 to 0.45, "okay" 0.33), and of our
# clips under 0.3 none was right. What is believed wrongly must still be a command with a known name to do anything.
BELIEVED = 0.3


def read(count):
    data = REQUESTS.read(count)
    if len(data) < count:
        # The gateway is gone.
        sys.exit(0)
    return data


def answer(what):
    body = json.dumps(what).encode()
    ANSWERS.write(len(body).to_bytes(4, "big") + body)
    ANSWERS.flush()


def refuse(reason):
    answer({"refused": reason})
    sys.exit(1)


def check_files(folder, pins):
    for name, pin in pins:
        digest = hashlib.sha256()
        try:
            with open(os.path.join(folder, name), "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            refuse(f"{name} cannot be read: {error.strerror}; run board/models/fetch-whisper")
        if digest.hexdigest() != pin:
            refuse(f"{name} is not the pinned file; run board/models/fetch-whisper")


class Recogniser:
    def __init__(self, folder):
        import ctranslate2
        import numpy
        from faster_whisper import WhisperModel
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer

        self.numpy, self.pad = numpy, pad_or_trim
        ctranslate2.set_random_seed(1)
        self.whisper = WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=THREADS, num_workers=1, local_files_only=True
        )
        self.tokenizers = {
            language: Tokenizer(self.whisper.hf_tokenizer, True, task="transcribe", language=language)
            for language in ("en", "hi")
        }
        self.beyond_ascii = self.tokens_beyond_ascii()
        self.closed = ClosedDecoder(os.path.join(folder, "model.bin"))
        self.marks = ClosedMarks(self.whisper.hf_tokenizer)
        self.grammars = {}
        # A thread a language; numpy lets go of the interpreter's lock where the time goes.
        self.searchers = concurrent.futures.ThreadPoolExecutor(THREADS)

    def tokens_beyond_ascii(self):
        """Tokens with any byte over 127, banned: the Hindi pass else writes Urdu, Tamil or Devanagari as it pleases, and
        all of them worse than it writes Roman."""
        tokenizer = self.tokenizers["en"]
        vocabulary = self.whisper.hf_tokenizer.get_vocab()
        # Byte-level BPE writes the bytes that are not printable ASCII as characters beyond it; space and newline too,
        # which stay allowed.
        allowed = {chr(code) for code in range(33, 127)} | {"\u0120", "\u010a"}
        return [number for text, number in vocabulary.items() if number < tokenizer.eot and not set(text) <= allowed]

    def one_pass(self, encoded, language, vocabulary, wake):
        """Text, mean log probability a token, probability that there is no speech."""
        tokenizer = self.tokenizers[language]
        # Answers are in Roman letters; a word in others would be echoed in them ("ब्रेड, दूध" for "yes, confirm").
        vocabulary = [word for word in vocabulary if word.isascii()]
        # The counter's own words always stay; the vocabulary, most useful first, takes what room is left.
        if language == "hi":
            around = tokenizer.encode(" " + HINDI_WORDS)
            words = tokenizer.encode(" " + " ".join(vocabulary))[: PROMPT_TOKENS_MAX - len(around)] + around
        else:
            around = tokenizer.encode(" " + ENGLISH_WORDS)
            words = around + tokenizer.encode(", " + ", ".join(vocabulary))[: PROMPT_TOKENS_MAX - len(around)]
        # The clip opens with the wake word: given as already written, it costs no guess and lends none to the names.
        prefix = wake[:1].upper() + wake[1:] + "." if wake else None
        prompt = self.whisper.get_prompt(
            tokenizer, words, without_timestamps=True, prefix=prefix
        )
        result = self.whisper.model.generate(
            encoded, [prompt], beam_size=BEAMS, max_length=min(448, len(prompt) + TOKENS_MAX), return_scores=True,
            return_no_speech_prob=True, suppress_blank=True, suppress_tokens=[-1] + self.beyond_ascii,
        )[0]
        text = tokenizer.decode(result.sequences_ids[0]).strip()
        while prefix and text.lower().startswith(prefix.lower()):
            text = text[len(prefix) :].strip()
        if wake and plain(wake).startswith(plain(text)):
            # Nothing followed the wake word, and the model said it (or half of it) again.
            text = ""
        return text, result.scores[0], result.no_speech_prob

    def grammar(self, vocabulary, people):
        """The command grammar with the shop's own names and products; kept for the next turn of the same shop."""
        key = (tuple(vocabulary), people)
        if key not in self.grammars:
            if len(self.grammars) >= CLOSED_SHOPS_MAX:
                self.grammars.pop(next(iter(self.grammars)))
            names = {}
            for name in vocabulary[:people]:
                words = name.split()
                for called in [name, words[0]] + ([words[-1] + " ji"] if len(words) > 1 else []):
                    names[called] = None
            goods = list(dict.fromkeys(word.lower() for word in vocabulary[people:] if word.isascii()))
            names = [name for name in names if name.isascii()]
            shop = {
                "name": names, "names": [name + "'s" for name in names], "product": goods, "digits": CLOSED_NUMBERS,
            }
            encode = self.tokenizers["en"].encode
            self.grammars[key] = ClosedGrammar(COMMANDS, shop, encode)
        return self.grammars[key]

    def closed_reading(self, encoded, samples, languages, vocabulary, people, wake):
        """The likeliest sentences of the command grammar, best first: language, text, mean log probability a token."""
        frames = samples // ENCODED_FRAME_SAMPLES + ENCODED_TAIL_FRAMES
        sound = self.closed.look_at(self.numpy.array(encoded)[0][:frames].astype(self.numpy.float32))
        grammar = self.grammar(vocabulary, people)

        def search(language):
            tokenizer = self.tokenizers[language]
            firsts = list(dict.fromkeys(name.split()[0] for name in vocabulary[:people] if name.isascii()))
            words = tokenizer.encode((" " if language == "hi" else ", ").join(["", *firsts]))[:CLOSED_NAME_TOKENS_MAX]
            words += tokenizer.encode(" " + HINDI_WORDS if language == "hi" else ", " + ENGLISH_WORDS)
            prefix = wake[:1].upper() + wake[1:] + "." if wake else None
            prompt = self.whisper.get_prompt(tokenizer, words, without_timestamps=True, prefix=prefix)
            rule = {"hi": "hindi", "en": "english"}[language]
            found = closed_search(self.closed, grammar, rule, sound, prompt, tokenizer.eot, self.marks)
            return [(language, tokenizer.decode(tokens).strip(), mean) for tokens, mean in found]

        found = [one for some in self.searchers.map(search, languages) for one in some if not is_loop(one[1])]
        found.sort(key=lambda one: -one[2])
        # "Rahul gave 2" beside "Rahul gave 200 rupees" is the same reading ended early, and no second thought.
        found = [one for at, one in enumerate(found) if not any(better[1].startswith(one[1]) for better in found[:at])]
        return [one for one in found if one[2] >= max(CLOSED_TOLD, found[0][2] - CLOSED_NEAR_MEAN)][:CLOSED_SENTENCES_MAX]

    def transcripts(self, audio, language, vocabulary, wake, people=0):
        numpy = self.numpy
        samples = numpy.frombuffer(audio, dtype="<i2").astype(numpy.float32)
        frames = samples[: len(samples) // 480 * 480].reshape(-1, 480)
        if not len(frames) or numpy.sqrt((frames**2).mean(axis=1)).max() < QUIET_RMS:
            return []
        features = self.pad(self.whisper.feature_extractor(samples / 32768), 3000)
        encoded = self.whisper.encode(features)
        passes = {"en": ["en"], "hi": ["hi"]}.get(language, ["en", "hi"])
        if len(passes) > 1:
            # Both are wanted (two opinions); the likelier language stands first.
            heard = dict(self.whisper.model.detect_language(encoded)[0])
            if heard.get("<|en|>", 0) < ENGLISH_MIN:
                passes.reverse()
        closed = []
        if people and len(samples) <= CLOSED_SAMPLES_MAX:
            closed = self.closed_reading(encoded, len(samples), passes, vocabulary, people, wake)
            if closed and closed[0][2] >= CLOSED_BELIEVED:
                # A free reading in its language confirms it or not; one in the other would only garble it.
                passes = [closed[0][0]]
        said = []
        for one in passes:
            text, score, no_speech = self.one_pass(encoded, one, vocabulary, wake)
            if no_speech >= NO_SPEECH_MIN:
                # The same for every pass: it is judged before the first word.
                return []
            if is_said(text, no_speech):
                said.append((one, text, math.exp(min(0.0, score)) * (1 - no_speech)))
        if len(said) == 2 and plain(said[0][1]) == plain(said[1][1]):
            # The passes agree: both wrong is as likely as one and the other. (They share an encoder, so a little less.)
            both = 1 - (1 - said[0][2]) * (1 - said[1][2])
            said = [(one, text, both) for one, text, _ in said]
        # The same text twice stays twice: that the passes agree is worth knowing.
        heard = [{"text": text, "confidence": confidence(mean), "language": one} for one, text, mean in said]
        if not heard:
            return []
        told = [
            {"text": text, "confidence": closed_confidence(mean), "language": language, "reading": "grammar"}
            for language, text, mean in closed
        ]
        return told + heard if closed and closed[0][2] >= CLOSED_BELIEVED else heard + told


def plain(text):
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ").strip()


def is_said(text, no_speech):
    words = plain(text).split()
    if not words or (" ".join(words) in DREAMS and no_speech >= DREAM_NO_SPEECH_MIN):
        return False
    # A loop: the same word five times on end. "Do do do" may be said, this not.
    return all(len(set(words[at : at + 5])) > 1 for at in range(len(words) - 4))


def is_loop(text):
    """The same three words in a row twice: nobody says so, a search that hears nothing of its own does."""
    words = text.split()
    threes = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return len(threes) != len(set(threes)) and not words[-1].isdigit()


def confidence(mean):
    """Thousandths, out of the mean probability of a token (geometric) times the probability that there was speech.

    The device asks again below 650, so 650 stands at BELIEVED; straight lines from there to both ends.
    """
    if mean < BELIEVED:
        return round(650 * mean / BELIEVED)
    return round(650 + 350 * (mean - BELIEVED) / (1 - BELIEVED))


def closed_confidence(mean):
    """Thousandths: 650 at CLOSED_BELIEVED, 1000 at 0, straight lines to both sides."""
    return max(0, min(1000, round(650 + 350 * (mean - CLOSED_BELIEVED) / -CLOSED_BELIEVED)))


def main():
    folder, pins = sys.argv[1], list(zip(sys.argv[2::2], sys.argv[3::2]))
    begun = time.monotonic()
    check_files(folder, pins)
    try:
        recogniser = Recogniser(folder)
        # The first clip pays for what is made lazily; nobody should wait for that at the counter.
        noise = recogniser.numpy.random.default_rng(1).normal(0, 300, 16_000).astype("<i2")
        recogniser.transcripts(noise.tobytes(), "hi-en", ["Rahul", "Rice"], None, 1)
    except Exception as error:
        refuse(f"the model does not load: {type(error).__name__}: {error}")
    answer({"ready": int((time.monotonic() - begun) * 1000)})
    while True:
        head = read(8)
        json_bytes, audio_bytes = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        if json_bytes > REQUEST_BYTES_MAX or audio_bytes > SAMPLES_MAX * 2 or audio_bytes % 2:
            # Whoever speaks so is not our gateway, and the next frame cannot be found.
            answer({"failed": "unreadable request"})
            sys.exit(1)
        request, audio = json.loads(read(json_bytes)), read(audio_bytes)
        begun = time.monotonic()
        try:
            transcripts = recogniser.transcripts(
                audio, request["language"], request["vocabulary"], request["wake_phrase"], request["people"]
            )
            answer({"transcripts": transcripts, "milliseconds": int((time.monotonic() - begun) * 1000)})
        except Exception as error:
            # The kind alone: an error's text may hold what was said.
            answer({"failed": type(error).__name__})


main()
