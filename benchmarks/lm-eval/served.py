"""Runs a task file in lm-evaluation-harness on a server of the OpenAI API (`keel serve`), as
local-completions, and compares its log-likelihoods with expected ones.

    python benchmarks/lm-eval/served.py --url http://127.0.0.1:8000 --task task.yaml \
        --tokenizer <the model's folder> [--expected expected.json] [--limit n]

The expected file has "rows", each with the "log_likelihoods" of a question's choices.
Needs lm_eval[api] 0.4.13 and transformers.
"""

import argparse
import json
import os
import urllib.request

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")

from lm_eval import simple_evaluate
from lm_eval.models.openai_completions import LocalCompletionsAPI

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--url", required=True)
parser.add_argument("--task", required=True)
parser.add_argument("--tokenizer", required=True)
parser.add_argument("--expected")
parser.add_argument("--limit", type=int)
args = parser.parse_args()

with urllib.request.urlopen(f"{args.url}/v1/models") as response:
    name = json.load(response)["data"][0]["id"]
model = LocalCompletionsAPI(
    base_url=f"{args.url}/v1/completions",
    model=name,
    tokenizer=args.tokenizer,
    tokenizer_backend="huggingface",
    num_concurrent=8,
    batch_size=1,
)
found = simple_evaluate(
    model=model, tasks=[args.task], limit=args.limit, log_samples=True, bootstrap_iters=0
)
(samples,) = found["samples"].values()
samples = sorted(samples, key=lambda one: one["doc_id"])
scores = [[one[0] for one in each["filtered_resps"]] for each in samples]
print(json.dumps(list(found["results"].values())))
if args.expected:
    with open(args.expected) as file:
        rows = json.load(file)["rows"][: len(scores)]
    differences = [
        abs(value - wanted)
        for own, row in zip(scores, rows)
        for value, wanted in zip(own, row["log_likelihoods"])
    ]
    print(f"{len(scores)} questions, largest difference {max(differences):.2e} nats")
