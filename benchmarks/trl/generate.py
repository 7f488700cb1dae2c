"""Measures generation with transformers: tokens per second at several batch sizes.

Prints one JSON line for each.
"""

import argparse
import json
import os
import resource
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True, help="model folder (export-model.py writes one)")
parser.add_argument(
    "--prompts", required=True, help="JSON file: lists of token ids, all of the same length"
)
parser.add_argument("--batches", default="1,16,64", help="batch sizes (default: 1,16,64)")
parser.add_argument("--new-tokens", type=int, default=64, help="tokens per sample (default: 64)")
parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
parser.add_argument("--device", default="cpu")
parser.add_argument(
    "--repeats", type=int, default=3, help="runs after the warm-up; the best counts (default: 3)"
)
parser.add_argument("--threads", type=int, help="threads per operator (default: PyTorch's choice)")
arguments = parser.parse_args()

os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1")

import torch  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

if arguments.threads:
    torch.set_num_threads(arguments.threads)
dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[arguments.dtype]
model = (
    AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype).to(arguments.device).eval()
)
with open(arguments.prompts) as file:
    prompts = json.load(file)


def once(batch, seed):
    torch.manual_seed(seed)
    ids = torch.tensor(prompts[:batch], device=arguments.device)
    begin = time.perf_counter()
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        # Without a stop token every sample has the same length, on both sides of the comparison.
        eos_token_id=None,
        pad_token_id=0,
        max_new_tokens=arguments.new_tokens,
    )
    if arguments.device.startswith("cuda"):
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    if output.shape[1] != ids.shape[1] + arguments.new_tokens:
        raise SystemExit(
            f"expected {arguments.new_tokens} tokens, got {output.shape[1] - ids.shape[1]}"
        )
    return seconds


with torch.inference_mode():
    for batch in map(int, arguments.batches.split(",")):
        once(batch, 0)
        seconds = min(once(batch, seed) for seed in range(1, arguments.repeats + 1))
        line = {
            "program": "transformers",
            "batch": batch,
            "promptTokens": len(prompts[0]),
            "newTokens": arguments.new_tokens,
            "precision": arguments.dtype,
            "threads": torch.get_num_threads(),
            "seconds": seconds,
            "tokensPerSecond": batch * arguments.new_tokens / seconds,
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        print(json.dumps(line), flush=True)
