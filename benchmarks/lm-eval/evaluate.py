"""Measures lm-evaluation-harness on one task file: the time of its log-likelihoods, without loading
the model, and peak memory. Prints one JSON line, like benchmarks/keel/evaluate.ts.
"""

import argparse
import json
import os
import resource
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")

import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--task", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--batch-size", type=int, required=True)
parser.add_argument("--limit", type=int)
args = parser.parse_args()

torch.set_num_threads(args.threads)
model = HFLM(pretrained=args.model, dtype="float32", device="cpu", batch_size=args.batch_size)
seconds = 0.0
compute = model.loglikelihood


def timed(*given, **named):
    global seconds
    started = time.perf_counter()
    found = compute(*given, **named)
    seconds += time.perf_counter() - started
    return found


model.loglikelihood = timed
found = simple_evaluate(
    model=model, tasks=[args.task], limit=args.limit, log_samples=True, bootstrap_iters=0
)
(samples,) = found["samples"].values()
samples = sorted(samples, key=lambda one: one["doc_id"])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(
    json.dumps(
        {
            "seconds": seconds,
            "questions": len(samples),
            "peak_rss_bytes": peak,
            "log_likelihoods": [[one[0] for one in each["filtered_resps"]] for each in samples],
        }
    )
)
