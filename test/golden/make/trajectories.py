"""Trains tiny-chat with TRL, as the configuration of each trajectories/*/expected.json says, and
writes the metrics of every step beside it.

    python trajectories.py              # all of them
    python trajectories.py dpo-ipo kto

AdamW with betas 0.9 and 0.999, epsilon 1e-8 and no weight decay; gradients are clipped at norm 1.
The rows come in the order of train.jsonl, again and again.
"""

import sys
import tempfile

import torch
from golden import GOLDEN, read_json, read_rows, write_json
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer
from trl import SFTConfig, SFTTrainer

TRAINERS = {
    "dpo": (DPOTrainer, DPOConfig),
    "kto": (KTOTrainer, KTOConfig),
    "reward": (RewardTrainer, RewardConfig),
    "sft": (SFTTrainer, SFTConfig),
}
# What the Trainer reports of its own run, and no metric of a step.
LEFT_OUT = {"epoch", "step", "total_flos", "train_runtime"}


def trained(verb, config, rows, **trainer):
    """The metrics of each step."""
    trainer_class, config_class = TRAINERS[verb]
    with tempfile.TemporaryDirectory() as folder:
        arguments = config_class(
            output_dir=folder,
            **config,
            weight_decay=0.0,
            max_grad_norm=1.0,
            logging_steps=1,
            train_sampling_strategy="sequential",
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        )
        made = trainer_class(args=arguments, train_dataset=Dataset.from_list(rows), **trainer)
        made.train()
        steps = [one for one in made.state.log_history if "loss" in one]
    assert len(steps) == config["max_steps"]
    return [{key: value for key, value in one.items() if key not in LEFT_OUT} for one in steps]


def classifier(tiny_chat, weight):
    """tiny-chat with a head of one score."""
    made = AutoModelForSequenceClassification.from_pretrained(
        tiny_chat, dtype=torch.float32, num_labels=1
    )
    with torch.no_grad():
        made.score.weight.copy_(torch.tensor([weight]))
    return made


def main(names):
    tiny_chat = GOLDEN / "tiny-chat"
    for folder in sorted((GOLDEN / "trajectories").iterdir()):
        if names and folder.name not in names:
            continue
        config = read_json(folder / "expected.json")["config"]
        verb = folder.name.split("-")[0]
        if verb == "reward":
            model = classifier(tiny_chat, read_json(folder / "score_weight.json"))
        else:
            model = AutoModelForCausalLM.from_pretrained(tiny_chat, dtype=torch.float32)
        steps = trained(
            verb,
            config,
            read_rows(folder / "train.jsonl"),
            model=model,
            processing_class=AutoTokenizer.from_pretrained(tiny_chat),
        )
        write_json(folder / "expected.json", {"config": config, "steps": steps})


if __name__ == "__main__":
    main(sys.argv[1:])
