"""Writes tests/golden/eval: what the published metric implementations say about small inputs.

    python tools/golden/eval.py            needs scipy, scikit-learn, seqeval

scikit-learn, scipy and seqeval are asked themselves. SQuAD's scores are computed here from the
description of its evaluation scripts (evaluate-v1.1.py, evaluate-v2.0.py): with regular expressions
and Counter as they do it, so that the C++ code's own scanner is checked against those.
"""

import collections
import json
import random
import re
import string
from pathlib import Path

from scipy.stats import pearsonr, spearmanr
from seqeval.metrics import accuracy_score as tag_accuracy
from seqeval.metrics import f1_score as entity_f1
from seqeval.metrics import precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

OUT = Path(__file__).resolve().parents[2] / "tests/golden/eval"
RNG = random.Random(11)


def classes() -> list[dict]:
    inputs = [([0, 1], [0, 1]), ([1, 1], [0, 0]), ([0, 0, 0], [0, 0, 0]), ([1, 1, 1], [1, 0, 1]),
              ([0, 1, 1, 0], [1, 1, 1, 1])]
    for kinds in (2, 2, 3, 5):
        expected = [RNG.randrange(kinds) for _ in range(30)]
        predicted = [e if RNG.random() < 0.6 else RNG.randrange(kinds) for e in expected]
        inputs.append((expected, predicted))
    cases = []
    for expected, predicted in inputs:
        case = {"expected": expected, "predicted": predicted,
                "accuracy": accuracy_score(expected, predicted),
                "matthews": matthews_corrcoef(expected, predicted)}
        if max(expected + predicted) < 2:
            case["f1"] = f1_score(expected, predicted, zero_division=0)
        cases.append(case)
    return cases


def correlations() -> list[dict]:
    inputs = [([1, 2, 3], [1, 2, 3]), ([1, 2, 3], [3, 2, 1]), ([1, 1, 2, 2], [1, 2, 1, 2]),
              ([1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 5], [4, 4, 4, 9]),
              ([1e-200, 2e-200, 5e-200], [3e200, 1e200, 2e200])]
    for ties in (0, 1):
        x = [round(RNG.uniform(0, 5), 1 - ties) for _ in range(40)]
        y = [round(a + RNG.gauss(0, 1.5), 1 - ties) for a in x]
        inputs.append((x, y))
    return [{"x": x, "y": y, "pearson": float(pearsonr(x, y)[0]),
             "spearman": float(spearmanr(x, y)[0])} for x, y in inputs]


def normalize(text: str) -> str:
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def overlap_f1(expected: str, predicted: str, both_empty: float) -> float:
    a, b = normalize(expected).split(), normalize(predicted).split()
    if not a or not b:
        return both_empty if a == b else 0.0
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(b), same / len(a)
    return 2 * precision * recall / (precision + recall)


def squad_texts() -> list[dict]:
    texts = [
        "The  Normans", "a an the", "an apple, a day", "The-Who", "a–b and the–c", "«The» end", "",
        "...", "U.S.", "theatre", "  10th and\t11th\ncenturies ", "A\u00a0B", "the_end", "1a the1",
        "CAFÉ AU LAIT", "Straße", "ΟΔΟΣ ΟΔΟΣ", "İstanbul", "a\u0301 b", "$1,000.50", "x\u2028the\u3000y",
        "ТHE дом", "東京 the 京都", "½ a ²", "\x1fa\x1c", "don't", "A.A.", "a²", "Σ", "ﬁ THE ﬁ",
    ]
    return [{"text": t, "normalized": normalize(t)} for t in texts]


def squad_pairs() -> list[dict]:
    pairs = [("France", "france."), ("the 10th century", "10th century AD"), ("", ""), ("the", "a"),
             ("the", ""), ("x", ""), ("", "x"), ("a b b c", "b b b"), ("New York City", "York new")]
    vocabulary = ["the", "norman", "duke", "of", "a", "1066", "william"]
    for _ in range(12):
        pairs.append(tuple(" ".join(RNG.choices(vocabulary, k=RNG.randrange(1, 6))) for _ in "ab"))
    return [{"expected": e, "predicted": p, "exact": int(normalize(e) == normalize(p)),
             "f1_v1": overlap_f1(e, p, 0.0), "f1_v2": overlap_f1(e, p, 1.0)} for e, p in pairs]


def percent(scores: list[float]) -> float:
    return 100.0 * sum(scores) / len(scores) if scores else 0.0


def squad_sets() -> list[dict]:
    words = ["the", "norman", "duke", "of", "1066", "william"]
    sets = []
    for impossible in (0.0, 0.4):
        rows = []
        for _ in range(25):
            answers = [] if RNG.random() < impossible else [
                " ".join(RNG.choices(words, k=RNG.randrange(1, 4))) for _ in range(RNG.randrange(1, 4))]
            guess = RNG.choice(answers) if answers and RNG.random() < 0.5 else " ".join(
                RNG.choices(words, k=RNG.randrange(0, 3)))
            rows.append({"answers": answers, "predicted": guess})
        exact, f1 = [], []
        for row in rows:
            # Version 2 drops answers that normalise to nothing; what is left empty expects "".
            gold = [a for a in row["answers"] if normalize(a)] or [""] if impossible else row["answers"]
            exact.append(max(int(normalize(g) == normalize(row["predicted"])) for g in gold))
            f1.append(max(overlap_f1(g, row["predicted"], 1.0 if impossible else 0.0) for g in gold))
        result = {"version": 2 if impossible else 1, "rows": rows, "exact": percent(exact),
                  "f1": percent(f1)}
        for name, has in (("HasAns", True), ("NoAns", False)):
            part = [i for i, row in enumerate(rows) if bool(row["answers"]) == has]
            result[name] = {"exact": percent([exact[i] for i in part]),
                            "f1": percent([f1[i] for i in part]), "total": len(part)}
        sets.append(result)
    return sets


def entities() -> list[dict]:
    fixed = [
        ([["O", "B-PER", "I-PER", "O"]], [["O", "B-PER", "I-PER", "O"]]),
        ([["B-PER", "I-PER", "B-PER"]], [["I-PER", "I-PER", "I-PER"]]),  # IOB1 reading
        ([["B-PER", "I-LOC"]], [["B-PER", "I-PER"]]),                   # the type changes inside
        ([["O", "O"]], [["O", "O"]]),                                   # 0/0
        ([["O", "O"]], [["B-A", "O"]]),
        ([["B-X", "I-X", "E-X", "S-Y", "O"]], [["B-X", "I-X", "I-X", "S-Y", "S-Y"]]),
        ([["E-X", "I-X", "E-X", "E-X"]], [["S-X", "I-X", "B-X", "E-X"]]),
        ([["B-a-b", "I-a-b"], ["O"]], [["B-a-b", "O"], ["B-a"]]),       # a dash in the type
        ([["B-X"], ["I-X"]], [["B-X"], ["I-X"]]),                       # nothing crosses sentences
    ]
    tags = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-PER"]
    for count in (4, 8):
        expected = [[RNG.choice(tags) for _ in range(RNG.randrange(1, 9))] for _ in range(count)]
        predicted = [[t if RNG.random() < 0.7 else RNG.choice(tags) for t in s] for s in expected]
        fixed.append((expected, predicted))
    return [{
        "expected": e, "predicted": p,
        "precision": float(precision_score(e, p, zero_division=0)),
        "recall": float(recall_score(e, p, zero_division=0)),
        "f1": float(entity_f1(e, p, zero_division=0)),
        "accuracy": float(tag_accuracy(e, p)),
        # seqeval's end is inclusive
        "entities": [[[t, b, end + 1] for t, b, end in get_entities(s)] for s in e],
    } for e, p in fixed]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, content in {
        "classes": classes(), "correlations": correlations(), "entities": entities(),
        "squad": {"texts": squad_texts(), "pairs": squad_pairs(), "sets": squad_sets()},
    }.items():
        (OUT / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
