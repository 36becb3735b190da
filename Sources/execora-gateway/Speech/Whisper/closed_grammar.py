"""The second reading: the same Whisper weights, held to the sentences of a closed grammar with the shop's own names and
products. A beam search over Whisper's decoder, written out in numpy because CTranslate2 offers no way to hold it to a
grammar. What it answers is always a command in good spelling, however unlike the sound; how unlike, its mean says.
"""

import heapq
import re
import struct

import numpy

CLOSED_BEAMS = 14
# Of the prompt: the shop's first names, so that a name is as likely as another word.
CLOSED_NAME_TOKENS_MAX = 80
CLOSED_TOKENS_MAX = 56
# The search ends when the best hypothesis under way is so much worse, by its mean, than the best whole sentence.
CLOSED_BEHIND_MEAN = 1.0
# Whole sentences that are told, best first, and how much worse than the best one may be by its mean. The next best are
# second thoughts of the same voter: the free readings and the device's decoder choose between them.
CLOSED_SENTENCES_MAX = 4
CLOSED_NEAR_MEAN = 0.5
# Speech that is no such sentence shows it early: after so many tokens, with so bad a mean, nothing good follows. (Right
# sentences have a mean of -2.5 or better.)
CLOSED_LOST_TOKENS, CLOSED_LOST_MEAN = 8, -3.8
# Compiled grammars kept, one a vocabulary (a shop). When full: the oldest is forgotten and compiled again when needed.
CLOSED_SHOPS_MAX = 16
CLOSED_NUMBERS = [str(n) for n in (*range(1, 100), *range(100, 1000, 5), *range(1000, 10_001, 50))]

# Frames of the encoder a second, and how much silence behind the sound is heard along.
ENCODED_FRAME_SAMPLES = 320
ENCODED_TAIL_FRAMES = 25


def read_model(path):
    """All weights of a CTranslate2 model file (binary version 6): name, shape, type, bytes, one after another."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0

    def number(form):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)[0]
        at += struct.calcsize("<" + form)
        return value

    def text():
        nonlocal at
        length = number("H")
        value = data[at : at + length - 1].decode()
        at += length
        return value

    if number("I") != 6:
        raise ValueError("model file of another version")
    text(), number("I")
    kinds = {0: numpy.float32, 1: numpy.int8, 2: numpy.int16, 3: numpy.int32, 4: numpy.float16}
    weights = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = numpy.dtype(kinds[number("B")])
        length = number("I")
        weights[name] = numpy.frombuffer(data, kind, length // kind.itemsize, at).reshape(shape)
        at += length
    for _ in range(number("I")):
        alias = text()
        weights[alias] = weights[text()]
    return weights


def gelu(x):
    # erf by Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most.
    y = x * 0.7071067811865476
    t = 1 / (1 + 0.3275911 * numpy.abs(y))
    poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return 0.5 * x * (1 + numpy.sign(y) * (1 - poly * numpy.exp(-y * y)))


def softmax(x):
    x -= x.max(-1, keepdims=True)
    numpy.exp(x, x)
    x /= x.sum(-1, keepdims=True)
    return x


class ClosedDecoder:
    """Whisper's text decoder in float32, one token a step for many hypotheses at once."""

    def __init__(self, path):
        weights = read_model(path)

        def take(name):
            return numpy.ascontiguousarray(weights["decoder/" + name].astype(numpy.float32))

        def pair(name):
            return take(name + "/weight").T.copy(), take(name + "/bias")

        def norm(name):
            return take(name + "/gamma"), take(name + "/beta")

        self.heads = int(weights["decoder/num_heads"])
        self.words, self.places = take("projection/weight"), take("position_encodings/encodings")
        self.width = self.words.shape[1]
        self.last = norm("layer_norm")
        layers = len({name.split("/")[1] for name in weights if name.startswith("decoder/layer_") and name.count("/") > 2})
        self.layers = [
            {
                "self": (norm(f"layer_{n}/self_attention/layer_norm"), pair(f"layer_{n}/self_attention/linear_0"),
                         pair(f"layer_{n}/self_attention/linear_1")),
                "cross": (norm(f"layer_{n}/attention/layer_norm"), pair(f"layer_{n}/attention/linear_0"),
                          pair(f"layer_{n}/attention/linear_1"), pair(f"layer_{n}/attention/linear_2")),
                "feed": (norm(f"layer_{n}/ffn/layer_norm"), pair(f"layer_{n}/ffn/linear_0"),
                         pair(f"layer_{n}/ffn/linear_1")),
            }
            for n in range(layers)
        ]

    @staticmethod
    def norm(x, pair):
        mean = x.mean(-1, keepdims=True)
        return (x - mean) / numpy.sqrt(x.var(-1, keepdims=True) + 1e-5) * pair[0] + pair[1]

    def look_at(self, encoded):
        """Keys and values of the sound, once for all hypotheses. `encoded`: frames x width."""
        out = []
        for layer in self.layers:
            weight, bias = layer["cross"][2]
            both = (encoded @ weight + bias).reshape(len(encoded), 2, self.heads, -1)
            out.append((both[:, 0].transpose(1, 2, 0).copy(), both[:, 1].transpose(1, 0, 2).copy()))
        return out

    def step(self, tokens, place, cache, sound):
        """tokens: hypotheses x new tokens. Gives log probabilities of the next token of each, and the cache."""
        rows, new = tokens.shape
        x = self.words[tokens] + self.places[place : place + new]
        heads, scale = self.heads, (self.width // self.heads) ** -0.5
        kept = []
        for number, layer in enumerate(self.layers):
            norm, inward, outward = layer["self"]
            qkv = (self.norm(x, norm).reshape(-1, self.width) @ inward[0] + inward[1]).reshape(rows, new, 3, heads, -1)
            q, k, v = (qkv[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
            if cache is not None:
                k = numpy.concatenate([cache[number][0], k], 2)
                v = numpy.concatenate([cache[number][1], v], 2)
            kept.append((k, v))
            weight = q @ k.transpose(0, 1, 3, 2) * scale
            if new > 1:
                weight = weight + numpy.triu(numpy.full((new, k.shape[2]), -1e9, numpy.float32), k.shape[2] - new + 1)
            heard = (softmax(weight) @ v).transpose(0, 2, 1, 3).reshape(rows * new, self.width)
            x = x + (heard @ outward[0] + outward[1]).reshape(rows, new, self.width)

            norm, inward, _, outward = layer["cross"]
            q = self.norm(x, norm).reshape(-1, self.width) @ inward[0] + inward[1]
            q = q.reshape(rows * new, heads, -1).transpose(1, 0, 2)
            heard = softmax(q @ sound[number][0] * scale) @ sound[number][1]
            heard = heard.transpose(1, 0, 2).reshape(rows * new, self.width)
            x = x + (heard @ outward[0] + outward[1]).reshape(rows, new, self.width)

            norm, inward, outward = layer["feed"]
            wide = gelu(self.norm(x, norm).reshape(-1, self.width) @ inward[0] + inward[1])
            x = x + (wide @ outward[0] + outward[1]).reshape(rows, new, self.width)
        logits = self.norm(x[:, -1], self.last) @ self.words.T
        top = logits.max(-1, keepdims=True)
        return logits - top - numpy.log(numpy.exp(logits - top).sum(-1, keepdims=True)), kept


class ClosedGrammar:
    """A grammar as a network of calls: each rule stands once, a state is a place and the places to go back to."""

    def __init__(self, text, shop, encode):
        """shop: rule name -> list of phrases, for what the shop brings along."""
        self.encode = encode
        self.arcs, self.skips, self.calls, self.rules = [], [], [], {}
        for name, body in self.bodies(text).items():
            self.compile(name, re.findall(r"<[^>]+>|[()|\[\]]|[^\s()|\[\]<>]+", body))
        for name, phrases in shop.items():
            start, end = self.rule(name)
            for phrase in phrases:
                self.path(start, end, phrase)
        self.ends = {end for _, end in self.rules.values()}
        self.known = {}

    @staticmethod
    def bodies(text):
        bodies, name = {}, None
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            head, sign, rest = line.partition(" = ")
            if sign and not line.startswith("|"):
                name = head
                bodies[name] = rest
            else:
                bodies[name] += " " + line
        return bodies

    def place(self):
        self.arcs.append([])
        self.skips.append([])
        self.calls.append([])
        return len(self.arcs) - 1

    def rule(self, name):
        if name not in self.rules:
            self.rules[name] = (self.place(), self.place())
        return self.rules[name]

    def path(self, start, end, phrase):
        tokens = self.encode(phrase if phrase == "," else " " + phrase)
        for token in tokens[:-1]:
            following = self.place()
            self.arcs[start].append((token, following))
            start = following
        self.arcs[start].append((tokens[-1], end))

    def compile(self, name, parts):
        at = 0

        def choice(start, end):
            nonlocal at
            row(start, end)
            while at < len(parts) and parts[at] == "|":
                at += 1
                row(start, end)

        def row(start, end):
            nonlocal at
            while at < len(parts) and parts[at] not in ("|", ")", "]"):
                part, following = parts[at], self.place()
                at += 1
                if part in ("(", "["):
                    choice(start, following)
                    at += 1
                    if part == "[":
                        self.skips[start].append(following)
                elif part.startswith("<"):
                    self.calls[start].append((part[1:-1], following))
                else:
                    self.path(start, following, part)
                start = following
            self.skips[start].append(end)

        choice(*self.rule(name))

    def reach(self, states):
        """All states that can be stood in without another token. A state: place, then where calls go back to."""
        seen, stack = set(states), list(states)
        while stack:
            state = stack.pop()
            place, back = state[0], state[1:]
            following = [(skip,) + back for skip in self.skips[place]]
            following += [(self.rules[name][0], after) + back for name, after in self.calls[place]]
            if back and place in self.ends:
                following.append(back)
            for one in following:
                if one not in seen:
                    seen.add(one)
                    stack.append(one)
        return frozenset(seen)

    def begin(self, rule):
        start, end = self.rules[rule]
        return self.reach([(start,)]), (end,)

    def after(self, states):
        """token -> states, remembered: the same few are asked for again and again."""
        found = self.known.get(states)
        if found is None:
            reached = {}
            for state in states:
                for token, place in self.arcs[state[0]]:
                    reached.setdefault(token, set()).add((place,) + state[1:])
            found = {token: self.reach(places) for token, places in reached.items()}
            self.known[states] = found
        return found


class ClosedMarks:
    """What a transcript has that a grammar need not: a capital at its front, a mark at its end."""

    def __init__(self, tokenizer):
        vocabulary = tokenizer.get_vocab()
        # No comma: a sentence would end at "1" of "1,000".
        self.ends = [vocabulary[mark] for mark in (".", "?", "!") if mark in vocabulary]
        # Byte-level BPE writes a leading space as this letter.
        self.capitals = {}
        for text, token in vocabulary.items():
            if len(text) > 1 and text[0] == "\u0120" and text[1].islower():
                capital = vocabulary.get("\u0120" + text[1].upper() + text[2:])
                if capital is not None:
                    self.capitals[token] = capital


def closed_search(decoder, grammar, rule, sound, prompt, end_token, marks):
    """The sentences of the grammar that the sound is likest, best first, as (tokens, mean log probability a token)."""
    scores, cache = decoder.step(numpy.array([prompt]), 0, None, sound)
    # A sentence begins with a capital or not, as the model likes; the grammar's own form is what is told.
    for token, capital in marks.capitals.items():
        scores[0, token] = max(scores[0, token], scores[0, capital])
    states, whole = grammar.begin(rule)
    beam, best, place, told = [(0.0, (), states)], None, len(prompt), {}
    for length in range(1, CLOSED_TOKENS_MAX + 1):
        found = []
        for row, (score, tokens, states) in enumerate(beam):
            if whole in states:
                # By the mean, the end included: a sum would favour the short, a bonus a token the long and looping.
                mean = (score + max(float(scores[row, mark]) for mark in (end_token, *marks.ends))) / length
                told[tokens] = mean
                best = mean if best is None else max(best, mean)
            following = grammar.after(states)
            if following:
                ids = numpy.fromiter(following, int, len(following))
                for token, value in zip(ids.tolist(), scores[row, ids].tolist()):
                    found.append((score + value, row, token))
        found = heapq.nlargest(CLOSED_BEAMS, found)
        if not found or (best is not None and found[0][0] / length < best - CLOSED_BEHIND_MEAN):
            break
        if length >= CLOSED_LOST_TOKENS and found[0][0] / length < CLOSED_LOST_MEAN:
            break
        beam = [(score, beam[row][1] + (token,), grammar.after(beam[row][2])[token]) for score, row, token in found]
        rows = [row for _, row, _ in found]
        cache = [(k[rows], v[rows]) for k, v in cache]
        scores, cache = decoder.step(numpy.array([[token] for _, _, token in found]), place, cache, sound)
        place += 1
    near = [(list(tokens), mean) for tokens, mean in told.items() if mean >= best - CLOSED_NEAR_MEAN]
    return sorted(near, key=lambda one: -one[1])[:CLOSED_SENTENCES_MAX]
