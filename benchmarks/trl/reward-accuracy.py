"""Trains TRL's RewardTrainer with LoRA and scores chats with the result.

Prints a JSON list of scores, one per chat.
"""

import argparse
import json
import os
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_CACHING="1", TQDM_DISABLE="1")

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True, help="model folder (export-model.py writes one)")
parser.add_argument("--data", required=True, help="pairs, JSON Lines in the chat format")
parser.add_argument("--score", required=True, help="chats to score, JSON Lines {messages}")
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--learning-rate", type=float, default=1e-4)
parser.add_argument("--steps", type=int, default=-1, help="optimizer steps (default: one epoch)")
parser.add_argument("--rank", type=int, default=16)
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RewardConfig, RewardTrainer


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


tokenizer = AutoTokenizer.from_pretrained(arguments.model)
model = AutoModelForSequenceClassification.from_pretrained(
    arguments.model, dtype=torch.bfloat16, num_labels=1
)
rows = [
    {name: row[name] for name in ("prompt", "chosen", "rejected")} for row in lines(arguments.data)
]
# Passes of 4 pairs: a step's gradient is their mean.
size = min(4, arguments.batch_size)
with tempfile.TemporaryDirectory() as folder:
    trainer = RewardTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
        peft_config=LoraConfig(
            r=arguments.rank,
            lora_alpha=2 * arguments.rank,
            target_modules="all-linear",
            task_type="SEQ_CLS",
            modules_to_save=["score"],
        ),
        args=RewardConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=True,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=max(1, arguments.batch_size // size),
            max_steps=arguments.steps,
            num_train_epochs=1,
            learning_rate=arguments.learning_rate,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=arguments.seed,
        ),
    )
    trainer.train()

trained = trainer.model.eval()
trained.config.pad_token_id = tokenizer.pad_token_id
chats = [
    tokenizer.apply_chat_template(row["messages"], return_dict=False)
    for row in lines(arguments.score)
]
scores = [0.0] * len(chats)
# Right-padded, with chats of similar length together; the head reads each chat's last token.
order = sorted(range(len(chats)), key=lambda index: len(chats[index]))
for start in range(0, len(order), 8):
    some = order[start : start + 8]
    length = max(len(chats[index]) for index in some)
    padded = torch.full((len(some), length), tokenizer.pad_token_id)  # [B, T]
    mask = torch.zeros((len(some), length), dtype=torch.long)
    for row, index in enumerate(some):
        padded[row, : len(chats[index])] = torch.tensor(chats[index])
        mask[row, : len(chats[index])] = 1
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = trained(padded, attention_mask=mask).logits.float().squeeze(-1)  # [B]
    for index, score in zip(some, found.tolist()):
        scores[index] = score
print(json.dumps(scores))
