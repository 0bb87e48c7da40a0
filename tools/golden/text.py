"""Makes tests/golden/text: what Hugging Face `tokenizers` and `sentencepiece` say.

Needs the packages tokenizers and sentencepiece, and the data folder (HONE_TEST_DATA).
Run from the top of the repository:  python tools/golden/text.py

Compact on purpose: a golden is a hash of ids and byte offsets over a block of texts. The texts come
from the data folder or from a generator that src/text/test_texts.h implements identically.
"""
import codecs
import io
import json
import os
import struct

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

DATA = os.environ.get("HONE_TEST_DATA", "../shared/data")
OUT = "tests/golden/text"
MASK = (1 << 64) - 1
BLOCK = 500
GENERATED = 20000


class Random:
    """splitmix64 (Steele, Lea, Flood 2014)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % n


# First and last code point of each kind of character; test_texts.h has the same list.
POOLS = [
    (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0x20, 0x20), (0x21, 0x2F), (0x3A, 0x40), (0x00, 0x1F),
    (0x7F, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0xFFF), (0x1100, 0x11FF), (0xAC00, 0xD7A3),
    (0x1E00, 0x20FF), (0x2000, 0x206F), (0x2100, 0x30FF), (0x4E00, 0x9FFF), (0x1F600, 0x1F64F),
    (0x1F1E6, 0x1F1FF), (0xF900, 0xFFFD), (0x10000, 0x1FFFF), (0x20000, 0x10FFFF),
]
SNIPPETS = [
    "the ", "hello", "World", "token", "ing ", " of", "[MASK]", "[SEP]", "<s>", "</s>", "<mask>",
    "<|endoftext|>", "'s", "'ll", "'LL", "\u017f", "\u0130", "\u00df", "\r\n", "  ", "\u2581",
    "\u3000", "\ufeff", "\u200b", "\u00e9", "e\u0301", "\u1100\u1161\u11a8", "\u65e5\u672c",
    "\ud55c\uad6d\uc5b4", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "supercalifragilistic",
]


def generated(seed, count, invalid=True):
    """Texts of mixed scripts; with `invalid` one in eight has bytes that are not UTF-8."""
    r = Random(seed)
    for _ in range(count):
        kinds = [r.below(len(POOLS) + 4) for _ in range(1 + r.below(4))]
        limit = [4, 12, 40, 40][r.below(4)]
        if r.below(200) == 0:
            limit = 400
        broken = r.below(8) == 0
        text = b""
        for _ in range(r.below(limit)):
            kind = kinds[r.below(len(kinds))]
            if kind >= len(POOLS):
                text += SNIPPETS[r.below(len(SNIPPETS))].encode()
            else:
                first, last = POOLS[kind]
                text += chr(first + r.below(last - first + 1)).encode("utf-8")
            if broken and r.below(6) == 0:
                byte = r.below(256)
                if invalid:
                    text += bytes([byte])
        yield text


def decode(raw):
    """The text with U+FFFD for invalid bytes, and for each character the bytes that it stands for."""
    spans = []

    def replace(error):
        spans.append((error.start, error.end))
        return "\ufffd", error.end

    codecs.register_error("record", replace)
    text = raw.decode("utf-8", "record")
    origins, at, bad = [], 0, iter(spans)
    following = next(bad, None)
    for c in text:
        if following is not None and following[0] == at:
            origins.append(following)
            at = following[1]
            following = next(bad, None)
        else:
            size = len(c.encode())
            origins.append((at, at + size))
            at += size
    return text, origins


class Hash:
    """FNV-1a, 64 bits."""

    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, data):
        for byte in data:
            self.value = ((self.value ^ byte) * 0x100000001B3) & MASK

    def hex(self):
        return f"{self.value:016x}"


def add_text(h, tokenizer, raw, words=False):
    text, origins = decode(raw)
    encoding = tokenizer.encode(text)
    for i, (token, (begin, end)) in enumerate(zip(encoding.ids, encoding.offsets)):
        if begin == end:
            # An empty range: before the character at `begin`; (0, 0) for special tokens.
            place = origins[begin][0] if begin < len(origins) else (origins[-1][1] if origins else 0)
            span = (0, 0) if begin == 0 else (place, place)
        else:
            span = (origins[begin][0], origins[end - 1][1])
        h.add(struct.pack("<III", token, *span))
        if words:
            word = encoding.word_ids[i]
            h.add(struct.pack("<i", -1 if word is None else word))
    h.add(b"\xff\xff\xff\xff")


def hashes(tokenizer, texts, words=False):
    h, result = Hash(), []
    for i, raw in enumerate(texts):
        if i % BLOCK == 0 and i > 0:
            result.append(h.hex())
            h = Hash()
        add_text(h, tokenizer, raw, words)
    result.append(h.hex())
    return result


def read(path):
    with open(os.path.join(DATA, path), encoding="utf-8") as f:
        return f.read()


def wikitext():
    return [line.encode() for line in read("lm/wikitext-2/wiki.test.raw").split("\n")]


def xquad():
    return [p["context"].encode() for d in json.loads(read("squad/xquad.en.json"))["data"]
            for p in d["paragraphs"]]


# ---- The tokenizers ----


def bert(lower):
    path = os.path.join(DATA, "tokenizers/bert-base-uncased/vocab.txt")
    t = Tokenizer(models.WordPiece.from_file(path, unk_token="[UNK]", max_input_chars_per_word=100))
    t.normalizer = normalizers.BertNormalizer(lowercase=lower)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    t.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    t.decoder = decoders.WordPiece()
    return t


def byte_level(name):
    path = os.path.join(DATA, "tokenizers", name)
    t = Tokenizer(models.BPE.from_file(path + "/vocab.json", path + "/merges.txt"))
    t.decoder = decoders.ByteLevel()
    return t


def gpt2():
    t = byte_level("gpt2")
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens(["<|endoftext|>"])
    return t


def roberta():
    t = byte_level("gpt2")
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True, special=True)])
    t.add_tokens([AddedToken("World", single_word=True), AddedToken("token", rstrip=True)])
    t.post_processor = processors.RobertaProcessing(
        ("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")), True, True)
    return t


def qwen2():
    t = byte_level("qwen2")
    t.normalizer = normalizers.NFC()
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+")
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def llama2():
    path = os.path.join(DATA, "tokenizers/llama2/tokenizer.model")
    sp = sentencepiece.SentencePieceProcessor(model_file=path)
    pieces = [sp.id_to_piece(i) for i in range(sp.vocab_size())]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for i, piece in enumerate(pieces):
        splits = [(piece[:k], piece[k:]) for k in range(1, len(piece))]
        splits = [s for s in splits if s[0] in vocab and s[1] in vocab]
        splits.sort(key=lambda s: (vocab[s[0]], vocab[s[1]]))
        merges += [(sp.get_score(i), s) for s in splits]
    merges.sort(key=lambda m: -m[0])
    t = Tokenizer(models.BPE(vocab, [m[1] for m in merges], unk_token="<unk>", fuse_unk=True,
                             byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.add_special_tokens(["<unk>", "<s>", "</s>"])
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return t


TRAINING = [
    "The quick brown fox jumps over the lazy dog near the river bank.",
    "A tokenizer turns words into numbers, and numbers into words again.",
    "El veloz zorro marr\u00f3n salta sobre el perro perezoso.",
    "Der schnelle braune Fuchs springt \u00fcber den faulen Hund.",
    "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3082\u5c11\u3057\u3042\u308a\u307e\u3059\u3002",
    "\ud55c\uad6d\uc5b4 \ubb38\uc7a5\ub3c4 \uc870\uae08 \uc788\uc2b5\ub2c8\ub2e4.",
    "\u043d\u0435\u043c\u043d\u043e\u0433\u043e \u0440\u0443\u0441\u0441\u043a\u043e\u0433\u043e \u0442\u0435\u043a\u0441\u0442\u0430",
    "hello world, hello tokens, hello there; the token of the world",
] * 4


def sentence_piece(model_type, **options):
    """A small model with a character map of its own: full-width letters, ligatures, odd spaces."""
    rules = [([0xFF21 + i], [0x61 + i]) for i in range(26)]
    rules += [([0xFB01], [0x66, 0x69]), ([0x3000], [0x20]), ([0xA0], [0x20]), ([0x9], [0x20]),
              ([0xA], [0x20]), ([0xD], [0x20]), ([0x200B], []), ([0x65, 0x301], [0xE9]),
              ([0x2126], [0x3A9]), ([0xAD], []), ([0x337F], [0x682A, 0x5F0F, 0x4F1A, 0x793E])]
    tsv = "/tmp/hone_text_rules.tsv"
    with open(tsv, "w", encoding="utf-8") as f:
        for before, after in rules:
            f.write(" ".join(f"{c:X}" for c in before) + "\t" + " ".join(f"{c:X}" for c in after) + "\n")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING), model_writer=model, model_type=model_type, vocab_size=400,
        normalization_rule_tsv=tsv, hard_vocab_limit=False, minloglevel=2, **options)
    return model.getvalue()


def unigram(model):
    """The tokenizer.json that transformers makes of an XLM-R-like model."""
    sp = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocab = [(sp.id_to_piece(i), sp.get_score(i)) for i in range(sp.vocab_size())]
    t = Tokenizer(models.Unigram(vocab, unk_id=sp.unk_id(), byte_fallback=False))
    t.normalizer = normalizers.Sequence([
        normalizers.Precompiled(charsmap(model)), normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), "\u2581")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    t.decoder = decoders.Metaspace(prepend_scheme="always")
    t.add_special_tokens(["<unk>", "<s>", "</s>"])
    return t


def charsmap(model):
    """Field 2 of field 3 of the protobuf."""

    def fields(data):
        at = 0

        def varint():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        while at < len(data):
            key = varint()
            if key & 7 == 0:
                yield key >> 3, varint()
            elif key & 7 == 2:
                size = varint()
                yield key >> 3, data[at:at + size]
                at += size
            else:
                at += 4 if key & 7 == 5 else 8

    spec = next(v for k, v in fields(model) if k == 3)
    return next(v for k, v in fields(spec) if k == 2)


# ---- Components one by one, seen through a model whose ids are the bytes of the normalised text ----


def byte_model():
    vocab = {f"<0x{i:02X}>": i for i in range(256)}
    return models.BPE(vocab, [], byte_fallback=True)


COMPONENTS = [
    ("NFC", normalizers.NFC(), None), ("NFD", normalizers.NFD(), None),
    ("NFKC", normalizers.NFKC(), None), ("NFKD", normalizers.NFKD(), None),
    ("Lowercase", normalizers.Lowercase(), None),
    ("StripAccents", normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), None),
    ("Strip", normalizers.Strip(), None), ("StripLeft", normalizers.Strip(True, False), None),
    ("Nmt", normalizers.Nmt(), None),
    ("Prepend", normalizers.Prepend("\u2581x"), None),
    ("ReplaceText", normalizers.Replace("l", "\u00e9\u00e9"), None),
    ("ReplaceRegex", normalizers.Replace(Regex(r"\s{2,}|[aeiou]+"), " "), None),
    ("ByteLevelNormalizer", normalizers.ByteLevel(), None),
    ("Bert", normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()),
    ("BertCased", normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer()),
    ("BertAccents", normalizers.BertNormalizer(strip_accents=False, handle_chinese_chars=False,
                                               clean_text=False), pre_tokenizers.BertPreTokenizer()),
    ("NfkcLower", normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.NFD()]),
     pre_tokenizers.Whitespace()),
    ("Whitespace", None, pre_tokenizers.Whitespace()),
    ("WhitespaceSplit", None, pre_tokenizers.WhitespaceSplit()),
    ("Punctuation", None, pre_tokenizers.Punctuation()),
    ("PunctuationRemoved", None, pre_tokenizers.Punctuation("removed")),
    ("PunctuationPrevious", None, pre_tokenizers.Punctuation("merged_with_previous")),
    ("PunctuationNext", None, pre_tokenizers.Punctuation("merged_with_next")),
    ("PunctuationContiguous", None, pre_tokenizers.Punctuation("contiguous")),
    ("Digits", None, pre_tokenizers.Digits(False)), ("DigitsEach", None, pre_tokenizers.Digits(True)),
    ("CharDelimiter", None, pre_tokenizers.CharDelimiterSplit("e")),
    ("Metaspace", None, pre_tokenizers.Metaspace()),
    ("MetaspaceFirst", None, pre_tokenizers.Metaspace(prepend_scheme="first")),
    ("MetaspaceNever", None, pre_tokenizers.Metaspace(prepend_scheme="never", split=False)),
    ("XlmR", None, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])),
    ("ByteLevel", None, pre_tokenizers.ByteLevel(add_prefix_space=True)),
    ("ByteLevelThenDigits", None, pre_tokenizers.Sequence([
        pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(True)])),
    ("SplitText", None, pre_tokenizers.Split("e", "merged_with_previous")),
    ("SplitInvert", None, pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True)),
    ("Llama3", None, pre_tokenizers.Split(Regex(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated")),
    ("O200k", None, pre_tokenizers.Split(Regex(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated")),
    ("Lazy", None, pre_tokenizers.Split(Regex(r"a.*?e|(?<=l)o|(?<![a-z])t|\bh(?>el)*|^W|(?:in){1,2}g$"),
                                        "isolated")),
    ("ClipLike", normalizers.Lowercase(), pre_tokenizers.Split(Regex(
        r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True)),
]


def component_json(name, normalizer, pre_tokenizer):
    t = Tokenizer(byte_model())
    if normalizer is not None:
        t.normalizer = normalizer
    if pre_tokenizer is not None:
        t.pre_tokenizer = pre_tokenizer
    config = json.loads(t.to_str())
    return {"name": name, "normalizer": config["normalizer"], "pre_tokenizer": config["pre_tokenizer"],
            "hash": hashes(t, generated(7, 1500), words=True)}


def shell(t):
    """A tokenizer.json whose vocabulary and merges a test puts in from the data folder."""
    config = json.loads(t.to_str())
    config["model"]["vocab"] = {}
    config["model"]["merges"] = []
    return json.dumps(config, separators=(",", ":"))


READABLE = ["Hello, World! It's 2024.", "na\u00efve caf\u00e9 \u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4", "a\u0301\u0323b  <mask>  c",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok", "", "   ", "unaffable [MASK] x"]


def readable(name, t):
    rows = []
    for text in READABLE:
        e = t.encode(text)
        rows.append({"tokenizer": name, "text": text, "ids": e.ids, "tokens": e.tokens,
                     "decoded": t.decode(e.ids)})
    pair = t.encode("one two", "three")
    rows.append({"tokenizer": name, "text": "one two", "pair": "three", "ids": pair.ids,
                 "types": pair.type_ids})
    return rows


def write(name, data):
    mode = "wb" if isinstance(data, bytes) else "w"
    with open(os.path.join(OUT, name), mode) as f:
        f.write(data)


def main():
    os.makedirs(OUT, exist_ok=True)
    spm_unigram = sentence_piece("unigram")
    write("unigram.model", spm_unigram)
    write("unigram.json", unigram(spm_unigram).to_str())
    write("roberta.json", shell(roberta()))
    write("qwen2.json", shell(qwen2()))
    components = [component_json(*c) for c in COMPONENTS]
    write("components.json", "[\n" + ",\n".join(
        json.dumps(c, separators=(",", ":")) for c in components) + "\n]\n")
    smollm = Tokenizer.from_file(os.path.join(DATA, "tokenizers/smollm/tokenizer.json"))
    tokenizers = {"bert": bert(True), "bert_cased": bert(False), "gpt2": gpt2(), "roberta": roberta(),
                  "qwen2": qwen2(), "smollm": smollm, "llama2": llama2(), "unigram": unigram(spm_unigram)}
    lines, cases = [], []
    for name, t in tokenizers.items():
        sets = [("generated", generated(1, GENERATED)), ("wikitext", wikitext()), ("xquad", xquad())]
        for kind, texts in sets:
            lines += [f"{name} {kind} {i} {h}" for i, h in enumerate(hashes(t, texts))]
        cases += readable(name, t)
        print(name, flush=True)
    write("hashes.txt", "\n".join(lines) + "\n")
    write("cases.json", "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
