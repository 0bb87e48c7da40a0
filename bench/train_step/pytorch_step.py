"""The step of train_step.cc with PyTorch and transformers: python pytorch_step.py [threads] [steps]"""
import json
import sys
import time

import torch
from transformers import BertConfig, BertForSequenceClassification

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 15
torch.set_num_threads(threads)
torch.manual_seed(1)
model = BertForSequenceClassification(BertConfig(
    vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
    intermediate_size=1536)).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)

times = []
for _ in range(steps):
    ids, labels = torch.randint(0, 30522, (32, 16)), torch.randint(0, 2, (32,))
    processor = time.process_time()
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = model(input_ids=ids, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    backward = time.perf_counter()
    optimizer.step()
    end = time.perf_counter()
    times.append((end - start, backward - start, end - backward, time.process_time() - processor))
best = min(times)
names = ("step_ms", "gradients_ms", "optimizer_ms")
result = {name: round(1e3 * value, 1) for name, value in zip(names, best)}
result["median_ms"] = round(1e3 * sorted(times)[len(times) // 2][0], 1)
result["processor_ms"] = round(1e3 * min(t[3] for t in times), 1)
print(json.dumps(result))
