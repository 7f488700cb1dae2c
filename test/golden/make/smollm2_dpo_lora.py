"""Writes smollm2-dpo-lora/: a LoRA adapter of PEFT on the default model as it starts, and the
metrics of six steps of TRL's DPOTrainer from there, on the 8 rows of train.jsonl.
"""

import torch
from default_model import NAME, load
from golden import GOLDEN, read_json, read_rows, write_json
from peft import LoraConfig, get_peft_model
from trajectories import trained

RANK, ALPHA, TARGETS = 4, 8, ["q_proj", "v_proj"]
CONFIG = {
    "per_device_train_batch_size": 4,
    "max_steps": 6,
    "learning_rate": 0.0005,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "beta": 0.1,
    "loss_type": ["sigmoid"],
    "max_length": 256,
}

folder = GOLDEN / "smollm2-dpo-lora"
model, tokenizer = load()
torch.manual_seed(0)
adapted = get_peft_model(
    model,
    LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=TARGETS, task_type="CAUSAL_LM"
    ),
)
adapted.peft_config["default"].base_model_name_or_path = NAME
adapter = folder / "initial-adapter"
adapted.save_pretrained(adapter, save_embedding_layers=False)
(adapter / "README.md").unlink(missing_ok=True)
# PEFT writes a set, whose order changes from run to run.
saved = read_json(adapter / "adapter_config.json")
write_json(adapter / "adapter_config.json", saved | {"target_modules": TARGETS})
steps = trained(
    "dpo", CONFIG, read_rows(folder / "train.jsonl"), model=adapted, processing_class=tokenizer
)
lora = {"r": RANK, "alpha": ALPHA, "dropout": 0, "target_modules": TARGETS}
write_json(folder / "expected.json", {"config": CONFIG | {"lora": lora}, "steps": steps})
