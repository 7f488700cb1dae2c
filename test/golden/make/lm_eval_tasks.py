"""What lm-evaluation-harness 0.4.13 finds on evaluation/lm-eval's tasks with tiny-chat.

One more package than the others need: lm_eval==0.4.13. The texts of `rolling` are longer than the
model, so that they are scored in windows.
"""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM

folder = os.path.join(os.path.dirname(__file__), "..", "evaluation", "lm-eval")
tiny = os.path.abspath(os.path.join(folder, "..", "..", "tiny-chat"))
os.chdir(folder)
model = HFLM(pretrained=tiny, dtype="float32", device="cpu", batch_size=1)
tasks = ["few", "others", "spaces", "answers", "rolling", "last"]
found = simple_evaluate(
    model=model, tasks=[f"{name}.yaml" for name in tasks], log_samples=True, bootstrap_iters=0
)
expected = {}
for name in tasks:
    samples = sorted(found["samples"][name], key=lambda one: (one["doc_id"], one["filter"]))
    metrics = {
        key: value
        for key, value in found["results"][name].items()
        if "," in key and value != "N/A"
    }
    expected[name] = {
        "results": metrics,
        "samples": [
            {
                "doc_id": one["doc_id"],
                "filter": one["filter"],
                "arguments": [list(each) for each in one["arguments"]],
                "resps": one["resps"],
                "filtered_resps": one["filtered_resps"],
                "prompt_hash": one["prompt_hash"],
                "doc_hash": one["doc_hash"],
            }
            for one in samples
        ],
    }
with open("expected.json", "w") as file:
    json.dump(expected, file, indent=1, ensure_ascii=False)
    file.write("\n")
