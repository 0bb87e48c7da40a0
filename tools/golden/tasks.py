#!/usr/bin/env python3
"""Writes tests/golden/tasks/*.json: post-processing by transformers' own pipelines on made-up logits.

Usage: tasks.py VOCAB_TXT GPT2_DIRECTORY    (BERT's vocab.txt; GPT-2's vocab.json and merges.txt)

Offsets are stored in bytes. The question-answering pipeline left transformers in version 5; its span search
lives on in document_question_answering.select_starts_ends, which is called here, and the merging of equal
answers is written down from version 4.
"""
import json
import pathlib
import sys
import types

import numpy as np
import tokenizers
import torch
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast
from transformers.pipelines import FillMaskPipeline, TextClassificationPipeline, TokenClassificationPipeline
from transformers.pipelines.document_question_answering import select_starts_ends
from transformers.pipelines.token_classification import AggregationStrategy

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/tasks"
NER_LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"]
SENTENCES = [
    "Johanna Schwarzenegger moved from Zürich to Newcastle-upon-Tyne.",
    "In naïve São Paulo, unbelievableness costs €3.",
    "x",
]


def bert(vocab_path):
    vocab = {line.rstrip("\n"): i for i, line in enumerate(open(vocab_path, encoding="utf-8"))}
    made = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")


def gpt2(directory):
    made = tokenizers.Tokenizer(models.BPE.from_file(f"{directory}/vocab.json", f"{directory}/merges.txt"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<|endoftext|>")


def to_bytes(text, begin, end):
    return [len(text[:begin].encode()), len(text[:end].encode())]


def rounded(values):
    """Logits that JSON and f32 hold exactly."""
    return np.round(np.asarray(values) * 256) / 256


def write(name, document):
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in document["cases"])
    head = {k: v for k, v in document.items() if k != "cases"}
    text = json.dumps(head, ensure_ascii=False)[:-1] + (", " if head else "") + f'"cases": [\n{lines}\n]}}\n'
    (OUT / name).write_text(text)


def token_cases(tokenizer, word_pieces, generator):
    pipe = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
    pipe.tokenizer = tokenizer
    config = types.SimpleNamespace(id2label=dict(enumerate(NER_LABELS)))
    pipe.model = types.SimpleNamespace(config=config)
    for text in SENTENCES:
        encoded = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True,
                            return_tensors="pt")
        count = encoded["input_ids"].shape[1]
        logits = rounded(generator.normal(0, 2, (count, len(NER_LABELS))))
        case = {"text": text, "word_pieces": word_pieces, "unknown": tokenizer.unk_token,
                "tokens": tokenizer.convert_ids_to_tokens(encoded["input_ids"][0].tolist()),
                "sequence": [-1 if s else 0 for s in encoded["special_tokens_mask"][0].tolist()],
                "offsets": [to_bytes(text, *o) for o in encoded["offset_mapping"][0].tolist()],
                "logits": logits.reshape(-1).tolist(), "entities": {}}
        for strategy in AggregationStrategy:
            output = {"logits": torch.tensor(logits, dtype=torch.float32)[None], "sentence": text,
                      "input_ids": encoded["input_ids"], "offset_mapping": encoded["offset_mapping"],
                      "special_tokens_mask": encoded["special_tokens_mask"]}
            found = pipe.postprocess([output], aggregation_strategy=strategy)
            case["entities"][strategy.value] = [
                [e.get("entity", e.get("entity_group")), round(float(e["score"]), 7),
                 *to_bytes(text, e["start"], e["end"])] for e in found]
        yield case


def merged_overlaps(generator):
    pipe = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
    for _ in range(4):
        entities = []
        for begin in generator.integers(0, 40, 12).tolist():
            entities.append({"entity_group": "X", "start": begin, "end": begin + int(generator.integers(1, 9)),
                             "score": round(float(generator.uniform()), 4)})
        kept = pipe.aggregate_overlapping_entities(entities)
        flat = lambda es: [[e["start"], e["end"], e["score"]] for e in es]
        yield {"in": flat(entities), "out": flat(kept)}


def answers(tokenizer, question, context, windows, options):
    """The question-answering pipeline's postprocess (transformers 4)."""
    least_null, found = 1000000, []
    count = options["count"]
    for window in windows:
        mask = np.array([[0 if i == 0 or s == 1 else 1 for i, s in enumerate(window["sequence"])]])
        logits = np.asarray(window["logits"], dtype=np.float32).reshape(-1, 2)
        starts, ends, scores, least_null = select_starts_ends(
            logits[None, :, 0], logits[None, :, 1], mask, None, least_null,
            count * 2 + 10 if options["whole_words"] else count,
            options["allow_no_answer"], options["max_answer_tokens"])
        encoding = window["encoding"]
        for s, e, score in zip(starts.tolist(), ends.tolist(), scores.tolist()):
            if score == 0:
                continue  # what is left when there are fewer spans than asked for: not an answer
            if options["whole_words"]:
                begin = encoding.word_to_chars(encoding.token_to_word(s), sequence_index=1)[0]
                end = encoding.word_to_chars(encoding.token_to_word(e), sequence_index=1)[1]
            else:
                begin, end = encoding.offsets[s][0], encoding.offsets[e][1]
            text = context[begin:end]
            same = next((a for a in found if a["text"].lower() == text.lower()), None)
            if same:
                same["score"] += score
            else:
                found.append({"text": text, "score": score, "span": to_bytes(context, begin, end)})
    if options["allow_no_answer"]:
        found.append({"text": "", "score": least_null, "span": [0, 0]})
    found = sorted(found, key=lambda a: a["score"], reverse=True)[:count]
    return [[a["text"], round(a["score"], 7), *a["span"]] for a in found]


def question_cases(tokenizer, generator):
    question = "Where did the Émigrés go?"
    context = ("The émigrés went to Århus, and the other ÉMIGRÉS went to Saskatchewan; "
               "unquestionably, Århus was århus-like.")
    encoded = tokenizer(question, context, truncation="only_second", max_length=30, stride=6,
                        return_overflowing_tokens=True)
    windows = []
    for encoding in encoded.encodings:
        logits = rounded(generator.normal(0, 2, (len(encoding.ids), 2)))
        windows.append({
            "encoding": encoding, "logits": logits.reshape(-1).tolist(),
            "offsets": [to_bytes(context, *o) if s == 1 else [0, 0]
                        for o, s in zip(encoding.offsets, encoding.sequence_ids)],
            "sequence": [-1 if s is None else s for s in encoding.sequence_ids],
            "word": [-1 if w is None else w for w in encoding.word_ids]})
    stored = [{k: v for k, v in w.items() if k != "encoding"} for w in windows]
    context_tokens = len(tokenizer(context, add_special_tokens=False)["input_ids"])
    question_tokens = len(tokenizer(question, add_special_tokens=False)["input_ids"])
    sizes = [sum(s == 1 for s in w["sequence"]) for w in stored]
    results = []
    for count, length, null, whole in ((1, 15, False, True), (4, 15, True, True), (8, 3, False, False),
                                       (20, 2, True, True), (1, 1, False, False)):
        options = {"count": count, "max_answer_tokens": length, "allow_no_answer": null, "whole_words": whole}
        results.append({"options": options, "answers": answers(tokenizer, question, context, windows, options)})
    yield {"context": context, "windows": stored, "results": results, "context_tokens": context_tokens,
           "room": 30 - question_tokens - 3, "stride": 6, "window_sizes": sizes}


def classification_cases(generator):
    pipe = TextClassificationPipeline.__new__(TextClassificationPipeline)
    for problem, size in (("single_label_classification", 4), ("multi_label_classification", 3), ("regression", 2),
                          ("single_label_classification", 2)):
        names = {i: f"L{i}" for i in range(size)}
        pipe.model = types.SimpleNamespace(
            config=types.SimpleNamespace(id2label=names, num_labels=size, problem_type=problem))
        logits = rounded(generator.normal(0, 3, size))
        found = pipe.postprocess({"logits": torch.tensor(logits)[None]}, top_k=None, _legacy=False)
        yield {"problem": problem, "logits": logits.tolist(),
               "scores": [[f["label"], round(f["score"], 7)] for f in found]}


def mask_cases(tokenizer, generator):
    pipe = FillMaskPipeline.__new__(FillMaskPipeline)
    pipe.tokenizer = tokenizer
    size = 50  # the pipeline does not look at the vocabulary beyond the logits
    ids = torch.tensor([[1, tokenizer.mask_token_id, 2]])
    for targets in (None, [3, 17, 40]):
        logits = rounded(generator.normal(0, 2, size))
        every = torch.zeros(1, 3, size)
        every[0, 1] = torch.tensor(logits)
        found = pipe.postprocess({"input_ids": ids, "logits": every}, top_k=5,
                                 target_ids=None if targets is None else np.array(targets))
        yield {"logits": logits.tolist(), "targets": targets or [],
               "tokens": [[f["token"], round(f["score"], 8)] for f in found]}


def main():
    generator = np.random.default_rng(11)
    wordpiece = bert(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    write("token_classification.json", {
        "labels": NER_LABELS, "overlaps": list(merged_overlaps(generator)),
        "cases": [*token_cases(wordpiece, True, generator), *token_cases(gpt2(sys.argv[2]), False, generator)]})
    write("question_answering.json", {"cases": list(question_cases(wordpiece, generator))})
    write("classification.json", {"cases": list(classification_cases(generator))})
    write("fill_mask.json", {"cases": list(mask_cases(wordpiece, generator))})


if __name__ == "__main__":
    main()
