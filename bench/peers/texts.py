"""Real text for the measurements: STS-B sentences and SQuAD contexts, drawn with a fixed seed."""

import json
import os
import random
from pathlib import Path

BATCH = 8
SEED = 7


def default_data() -> Path:
    """HONE_TEST_DATA, or ../shared/data beside the checkout, as for the tests."""
    checkout = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("HONE_TEST_DATA", checkout.parent / "shared" / "data"))


def sts_sentences(data: Path, split: str) -> list[str]:
    """Columns: genre, file, year, id, score, sentence 1, sentence 2; tab-separated, unquoted."""
    sentences = []
    for line in (data / "glue/STS-B" / f"sts-{split}.csv").read_text("utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) >= 7:
            sentences += fields[5:7]
    return sentences


def squad_contexts(data: Path) -> list[str]:
    document = json.loads((data / "squad/xquad.en.json").read_text("utf-8"))
    return [p["context"] for article in document["data"] for p in article["paragraphs"]]


def _tokenizer(path: Path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def calibration_ids(tokenizer_json: Path, data: Path, count: int) -> list[list[int]]:
    """Training sentences and a quarter of longer contexts, none of which the batches use."""
    tokenizer = _tokenizer(tokenizer_json)
    tokenizer.enable_truncation(384)
    rng = random.Random(SEED + 1)
    chosen = rng.sample(sts_sentences(data, "train"), count - count // 4)
    chosen += rng.sample(squad_contexts(data)[120:], count // 4)
    rng.shuffle(chosen)
    return [tokenizer.encode(text).ids for text in chosen]


def natural_batches(tokenizer_json: Path, data: Path, limit: int) -> dict[str, list[dict]]:
    """Batches of 8 texts: {"text": [...], "ids": [[...], ...]}. A text over `limit` tokens is cut in
    the text itself, so that every engine sees the same tokens whatever limit its model states."""
    tokenizer = _tokenizer(tokenizer_json)
    rng = random.Random(SEED)
    sources = {
        "STS-B ×8": (rng.sample(sts_sentences(data, "dev"), 4 * BATCH)),
        "SQuAD ×8": (rng.sample(squad_contexts(data)[:120], 2 * BATCH)),
    }
    batches = {}
    for name, chosen in sources.items():
        rows = []
        for text in chosen:
            text = " ".join(text.split())  # one line a text: Hone reads them from a file of lines
            encoding = tokenizer.encode(text)
            if len(encoding.ids) > limit:
                text = text[: encoding.offsets[limit - 2][1]]  # two special tokens around it
                encoding = tokenizer.encode(text)
            rows.append((text, encoding.ids))
        batches[name] = [
            {"text": [r[0] for r in rows[i : i + BATCH]], "ids": [r[1] for r in rows[i : i + BATCH]]}
            for i in range(0, len(rows), BATCH)
        ]
    return batches
