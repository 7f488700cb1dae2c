"""What the scripts share: the folder that they write to, and how they write JSON."""

import json
import os
from pathlib import Path

# Nothing here is looked up in the hub, and no earlier run's result is used.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_CACHING="1", TQDM_DISABLE="1")

GOLDEN = Path(__file__).resolve().parents[1]


def read_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_json(path):
    return json.loads(path.read_text())


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
