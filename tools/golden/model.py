#!/usr/bin/env python3
"""Writes tests/golden/model/tiny.json: outputs of tiny random models, by the original implementations.

Usage: model.py            needs torch, transformers and sentence-transformers; downloads nothing

Every architecture and head of Hone is run once through the `transformers` class of that name. The weights
are not stored: tensor_values() makes them from each tensor's name, here and in tests/support/tiny_models.cc
alike, so the file holds shapes, inputs and (a stride of) the outputs. The original runs in f64 on weights
that f32 holds exactly; the goldens are therefore good to the digits given.
"""
import json
import pathlib

import numpy as np
import torch
import transformers as tf
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.sentence_transformer.modules.pooling import Pooling

ROOT = pathlib.Path(__file__).resolve().parents[2]
MASK_ID = 4
VOCABULARY = 60
STRIDE = 7  # coprime to every width, so that each column is seen
LENGTHS = (1, 9, 20)
NOISE_KEYS = {"transformers_version", "initializer_range", "initializer_cutoff_factor", "dtype", "use_cache",
              "deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index", "label2id",
              "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "add_cross_attention",
              "output_hidden_states", "return_dict", "chunk_size_feed_forward", "summary_type",
              "summary_use_proj", "summary_activation", "summary_last_dropout"}


def tensor_values(name, shape):
    """Element i is splitmix64 of (FNV-1a of the name) + i, its top 16 bits as u in [-1, 1)."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z = z ^ z >> np.uint64(31)
    u = ((z >> np.uint64(48)).astype(np.float64) - 32768) / 32768
    if len(shape) == 1:
        u = 1 + u / 4 if name.endswith(".weight") else u / 4
    elif "embeddings." not in name and "relative_attention_bias" not in name:
        u = u / 4
    return torch.from_numpy(u.reshape(shape))


def digits(values):
    """All values where there are few, every STRIDE-th where there are many."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return [float(f"{v:.7g}") for v in (flat if flat.size <= STRIDE else flat[::STRIDE])]


def make_cases(pad_id, types):
    generator = np.random.default_rng(7)
    cases = []
    for length in LENGTHS:
        ids = generator.integers(5, VOCABULARY, length)
        if length > 1:
            ids[[1, length // 2]] = MASK_ID
        case = {"ids": ids.tolist()}
        if types > 1:
            case["types"] = [int(i >= length // 3) for i in range(length)]
        cases.append(case)
    return cases


class Joint(torch.nn.Module):
    """Hone's own joint head on top of a transformers encoder."""

    def __init__(self, encoder, prefix, intents, slots):
        super().__init__()
        self.add_module(prefix, encoder)
        self.encoder_name = prefix
        width = encoder.config.hidden_size
        self.intent_classifier = torch.nn.Linear(width, intents)
        self.slot_classifier = torch.nn.Linear(width, slots)

    def forward(self, **inputs):
        out = getattr(self, self.encoder_name)(**inputs)
        pooled = out.pooler_output if getattr(out, "pooler_output", None) is not None \
            else out.last_hidden_state[:, 0]
        return {"intent": self.intent_classifier(pooled), "slots": self.slot_classifier(out.last_hidden_state)}


def fill(model, prefix):
    """Sets every parameter and returns {name: shape}; tied parameters count once."""
    tensors = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            bare = name.removeprefix(prefix)
            parameter.copy_(tensor_values(bare, parameter.shape))
            tensors[name] = list(parameter.shape)
    return tensors


def fold_layers(tensors, layers):
    """x.0.y, x.1.y, … of one shape become x.#.y."""
    folded = {}
    for name, shape in tensors.items():
        parts = name.split(".")
        index = next((i for i, p in enumerate(parts) if p.isdigit()), None)
        if index is not None:
            peers = [".".join(parts[:index] + [str(l)] + parts[index + 1:]) for l in range(layers)]
            if all(tensors.get(p) == shape for p in peers):
                name = ".".join(parts[:index] + ["#"] + parts[index + 1:])
        folded[name] = shape
    return folded


def run(model, case):
    inputs = {"input_ids": torch.tensor([case["ids"]])}
    if "types" in case:
        inputs["token_type_ids"] = torch.tensor([case["types"]])
    with torch.no_grad():
        return model(**inputs)


def head_outputs(kind, out, case):
    if kind == "ForQuestionAnswering":
        return {"logits": digits(torch.stack([out.start_logits[0], out.end_logits[0]], -1))}
    if kind == "ForMaskedLM":
        masked = [i for i, t in enumerate(case["ids"]) if t == MASK_ID]
        return {"logits": digits(out.logits[0, masked])}
    if kind == "Joint":
        return {name: digits(value[0]) for name, value in out.items()}
    return {"logits": digits(out.logits[0])}


def embedding_heads(config, encoder, cases):
    """Pooling and Dense by sentence-transformers itself; Normalize is torch's normalize."""
    width = config.hidden_size
    for mode, dense, activation, normalize in (("mean", 0, None, True), ("cls", 0, None, False),
                                               ("max", 0, None, True), ("lasttoken", 24, "Tanh", False),
                                               ("mean", 40, "Identity", True)):
        modules = ["Transformer", "Pooling"] + ["Dense"] * bool(dense) + ["Normalize"] * normalize
        flag = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens", "lasttoken": "lasttoken"}[mode]
        files = {
            "modules.json": [{"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{m}",
                              "type": f"sentence_transformers.models.{m}"} for i, m in enumerate(modules)],
            "1_Pooling/config.json": {"word_embedding_dimension": width, f"pooling_mode_{flag}": True},
        }
        entry = {"name": f"embed-{mode}{dense or ''}", "kind": "Model", "prefix": "", "files": files,
                 "config": {"architectures": [type(encoder).__name__]}, "tensors": {}}
        pooling, layer = Pooling(width, mode), None
        if dense:
            bias = activation == "Tanh"
            layer = Dense(width, dense, bias=bias, activation_function=getattr(torch.nn, activation)())
            files["2_Dense/config.json"] = {
                "in_features": width, "out_features": dense, "bias": bias,
                "activation_function": f"torch.nn.modules.linear.{activation}"}
            entry["folder_tensors"] = {"2_Dense": fill(layer.double(), "")}
        entry["outputs"] = []
        for case in cases:
            hidden = run(encoder, case).last_hidden_state
            features = pooling({"token_embeddings": hidden, "attention_mask": torch.ones(hidden.shape[:2])})
            if layer is not None:
                features = layer(features)
            vector = features["sentence_embedding"]
            if normalize:
                vector = torch.nn.functional.normalize(vector, p=2, dim=1)
            entry["outputs"].append({"embedding": digits(vector.detach())})
        yield entry


def encoder_entry(name, config, base_class, prefix, heads, embeddings=False):
    """`heads`: (kind, class, config fields that the head adds)."""
    layers = config.num_hidden_layers
    cases = make_cases(config.pad_token_id, getattr(config, "type_vocab_size", 0))
    encoder = base_class(config).double().eval()
    tensors = fill(encoder, "")
    hidden = [digits(run(encoder, case).last_hidden_state) for case in cases]
    kept = {k: v for k, v in json.loads(config.to_json_string()).items() if k not in NOISE_KEYS and "dropout" not in k}
    entry = {"name": name, "config": kept, "tensors": fold_layers(tensors, layers), "cases": cases,
             "hidden": hidden, "heads": []}
    if embeddings:
        entry["heads"] += list(embedding_heads(config, encoder, cases))
    for kind, head_class, fields in heads:
        config_now = type(config)(**{**config.to_dict(), **fields})
        if kind == "Joint":
            model = Joint(base_class(config_now), prefix.rstrip("."), len(fields["id2label"]),
                          len(fields["slot_id2label"]))
            architecture = "HoneForIntentAndSlots"
        else:
            model = head_class(config_now)
            architecture = head_class.__name__
        model = model.double().eval()
        own = {n: s for n, s in fill(model, prefix).items() if not n.startswith(prefix)}
        with_pooler = any(n.startswith(prefix + "pooler") for n, _ in model.named_parameters())
        added = {k: v for k, v in json.loads(config_now.to_json_string()).items()
                 if k not in NOISE_KEYS and "dropout" not in k and kept.get(k) != v}
        # transformers leaves id2label out where it is the default two labels.
        added.update({k: v for k, v in fields.items() if k in ("id2label", "slot_id2label")})
        added["architectures"] = [architecture]
        entry["heads"].append({
            "name": kind, "kind": kind, "prefix": prefix, "pooler": with_pooler, "config": added,
            "tensors": own, "outputs": [head_outputs(kind, run(model, case), case) for case in cases]})
    return entry


def labels(*names):
    return {"id2label": {str(i): n for i, n in enumerate(names)}}


def main():
    torch.manual_seed(0)
    three, five = labels("A", "B", "C"), labels("O", "B-X", "I-X", "B-Y", "I-Y")
    one = labels("SCORE")
    joint = {**labels("play", "stop", "ask"), "slot_id2label": five["id2label"]}
    bert_like = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=48,
                     vocab_size=VOCABULARY, max_position_embeddings=24)

    def heads_of(stem, sequence, with_joint=False):
        made = [("ForSequenceClassification", getattr(tf, stem + "ForSequenceClassification"), sequence),
                ("ForTokenClassification", getattr(tf, stem + "ForTokenClassification"), five),
                ("ForQuestionAnswering", getattr(tf, stem + "ForQuestionAnswering"), {}),
                ("ForMaskedLM", getattr(tf, stem + "ForMaskedLM"), {})]
        return made + ([("Joint", None, joint)] if with_joint else [])

    modern = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=4, intermediate_size=24,
                  vocab_size=VOCABULARY, max_position_embeddings=64, local_attention=8, pad_token_id=0)
    entries = [
        encoder_entry("bert", tf.BertConfig(**bert_like), tf.BertModel, "bert.",
                      heads_of("Bert", three, with_joint=True), embeddings=True),
        encoder_entry("bert-gelu-new", tf.BertConfig(**bert_like, hidden_act="gelu_new", type_vocab_size=1),
                      tf.BertModel, "bert.", []),
        encoder_entry("distilbert", tf.DistilBertConfig(dim=32, n_heads=4, n_layers=3, hidden_dim=48,
                                                        vocab_size=VOCABULARY, max_position_embeddings=24),
                      tf.DistilBertModel, "distilbert.", heads_of("DistilBert", one, with_joint=True)),
        encoder_entry("roberta", tf.RobertaConfig(**{**bert_like, "max_position_embeddings": 26},
                                                  type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
                      tf.RobertaModel, "roberta.",
                      heads_of("Roberta", {**three, "problem_type": "multi_label_classification"})),
        encoder_entry("xlm-roberta", tf.XLMRobertaConfig(**{**bert_like, "max_position_embeddings": 26},
                                                         type_vocab_size=1, pad_token_id=1),
                      tf.XLMRobertaModel, "roberta.",
                      [("ForSequenceClassification", tf.XLMRobertaForSequenceClassification, one)]),
        encoder_entry("electra", tf.ElectraConfig(**bert_like, embedding_size=16, type_vocab_size=2),
                      tf.ElectraModel, "electra.", heads_of("Electra", three)),
        encoder_entry("mpnet", tf.MPNetConfig(**{**bert_like, "max_position_embeddings": 26}),
                      tf.MPNetModel, "mpnet.", heads_of("MPNet", three)),
        encoder_entry("modernbert", tf.ModernBertConfig(**modern), tf.ModernBertModel, "model.",
                      heads_of("ModernBert", three, with_joint=True)),
        encoder_entry("modernbert-biased",
                      tf.ModernBertConfig(**modern, attention_bias=True, mlp_bias=True, norm_bias=True,
                                          classifier_bias=True, decoder_bias=False,
                                          classifier_pooling="mean", classifier_activation="silu"),
                      tf.ModernBertModel, "model.", heads_of("ModernBert", three)),
    ]
    deltas = torch.arange(-200, 201)
    bucket = tf.models.mpnet.modeling_mpnet.MPNetEncoder.relative_position_bucket(deltas)
    document = {"mask_id": MASK_ID, "stride": STRIDE, "relative_buckets": bucket.tolist(), "models": entries}
    text = json.dumps(document, separators=(",", ":"))
    # A line for each model and head: differences stay readable.
    for mark in ('{"name":', '"heads":', '"outputs":', '"hidden":', '"tensors":'):
        text = text.replace(mark, "\n" + mark)
    (ROOT / "tests/golden/model/tiny.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
