"""The default model as transformers reads it: its GGUF file dequantised to float32."""

import os
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

CACHE = Path(os.environ.get("KEEL_CACHE") or Path.home() / ".cache/keel")
GGUF = CACHE / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


def load():
    if not GGUF.exists():
        raise SystemExit(f"{GGUF} is missing. Fetch it with `npm run setup`.")
    source = {"pretrained_model_name_or_path": str(GGUF.parent), "gguf_file": GGUF.name}
    loaded = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    # PEFT takes no model that was read from a GGUF file: a plain one takes the same weights.
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    return model.eval(), AutoTokenizer.from_pretrained(**source)
