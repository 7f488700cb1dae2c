"""Converts a GGUF model to a folder that transformers and Keel load.

Writes dequantised weights, tokenizer and template.
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("gguf", type=Path, help="the GGUF file")
parser.add_argument("output", type=Path, help="the folder to write")
parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
arguments = parser.parse_args()

source = {
    "pretrained_model_name_or_path": str(arguments.gguf.parent),
    "gguf_file": arguments.gguf.name,
}
dequantised = GgufConfig(dequantize=True)
loaded = AutoModelForCausalLM.from_pretrained(
    **source, dtype=torch.float32, quantization_config=dequantised
)
# transformers refuses to save a model read from a GGUF file, so a plain model gets the same
# weights.
config = loaded.config
if hasattr(config, "quantization_config"):
    del config.quantization_config
model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
model.load_state_dict(loaded.state_dict())
model.tie_weights()
if arguments.dtype == "bf16":
    model = model.to(torch.bfloat16)
tokenizer = AutoTokenizer.from_pretrained(**source)
if tokenizer.chat_template is None:
    raise SystemExit(f"{arguments.gguf} holds no chat template, and the benchmark's rows are chats")
model.save_pretrained(arguments.output)
tokenizer.save_pretrained(arguments.output)
print(arguments.output)
