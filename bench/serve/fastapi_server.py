"""The peer: ONNX Runtime sessions behind FastAPI and uvicorn, the usual way of serving such models in Python.

    python fastapi_server.py --port 9000 --threads 2 --style threadpool embed=FOLDER …

A FOLDER is one of bench/peers/build.py: ort-int8.onnx and hf/tokenizer.json. POST /embed takes what Hone's
/embed takes: {"inputs": TEXT or [TEXT…], "model": NAME}; vectors are mean-pooled and normalised. It is
written to be fast: uvloop, httptools, orjson, Hugging Face's tokenizer in Rust, sessions kept open. Styles:

    threadpool   a `def` endpoint, which FastAPI runs in its pool of 40 threads
    async        an `async def` endpoint that computes in the event loop: one request at a time
    workers      `async`, in as many processes as there are threads, one ONNX Runtime thread each
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from tokenizers import Tokenizer

SETTINGS = "HONE_PEER_SETTINGS"  # how uvicorn's worker processes learn what to serve
MAX_TOKENS = 256


class Embedder:
    def __init__(self, folder: Path, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning pools of two sessions would fight for the cores between requests.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            str(folder / "ort-int8.onnx"), options, providers=["CPUExecutionProvider"])
        self.names = [i.name for i in self.session.get_inputs()]
        self.tokenizer = Tokenizer.from_file(str(folder / "hf/tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()

    def __call__(self, texts: list) -> np.ndarray:
        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        hidden = self.session.run(None, dict(zip(self.names, [ids, mask, np.zeros_like(ids)])))[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


class EmbedRequest(BaseModel):
    inputs: str | list[str]
    model: str


def make() -> FastAPI:
    settings = json.loads(os.environ[SETTINGS])
    models = {name: Embedder(Path(folder), settings["threads"])
              for name, folder in settings["models"].items()}
    for model in models.values():
        model(["a first text, so that the second is not the first"])
    app = FastAPI()

    def embed(request: EmbedRequest) -> Response:
        if request.model not in models:
            raise HTTPException(404, f"no model {request.model}")
        texts = [request.inputs] if isinstance(request.inputs, str) else request.inputs
        vectors = models[request.model](texts)
        return Response(orjson.dumps(vectors, option=orjson.OPT_SERIALIZE_NUMPY),
                        media_type="application/json")

    async def embed_in_loop(request: EmbedRequest) -> Response:
        return embed(request)

    app.post("/embed")(embed if settings["style"] == "threadpool" else embed_in_loop)
    app.get("/ready")(lambda: {"ready": True})
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--style", choices=["threadpool", "async", "workers"], default="threadpool")
    parser.add_argument("models", nargs="+", metavar="NAME=FOLDER")
    args = parser.parse_args()
    workers = args.threads if args.style == "workers" else 1
    os.environ[SETTINGS] = json.dumps({
        "style": args.style, "threads": 1 if workers > 1 else args.threads,
        "models": dict(m.split("=", 1) for m in args.models)})
    uvicorn.run("fastapi_server:make", factory=True, host="127.0.0.1", port=args.port, workers=workers,
                loop="uvloop", http="httptools", access_log=False, log_level="warning", backlog=4096)


if __name__ == "__main__":
    main()
