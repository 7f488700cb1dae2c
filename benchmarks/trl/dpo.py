"""Measures TRL's DPOTrainer on the CPU: time and tokens of each step, peak memory. Prints one JSON line.

The rows come in their order, without shuffling. TRL counts a prompt twice in num_tokens, once with the chosen and
once with the rejected answer, as it also computes it twice. The first step is left out of the times.
"""

import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--model", required=True, help="model folder (export-model.py writes one)")
parser.add_argument("--data", required=True, help="preference rows, JSON Lines in the chat format")
parser.add_argument("--steps", type=int, default=9, help="optimiser steps, the first not counted (default 9)")
parser.add_argument("--pairs", type=int, default=4, help="pairs a step (default 4)")
parser.add_argument("--rank", type=int, default=16, help="LoRA rank on all linear layers; alpha is twice it")
parser.add_argument("--full", action="store_true", help="train all weights instead of an adapter")
parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16", help="of the base weights")
parser.add_argument(
    "--autocast",
    action=argparse.BooleanOptionalAction,
    default=None,
    help="bfloat16 autocast (TRL's bf16=True); TRL's default with --dtype bf16",
)
parser.add_argument("--precompute", action="store_true", help="reference log-probabilities before training")
parser.add_argument(
    "--gradient-checkpointing",
    action=argparse.BooleanOptionalAction,
    default=True,
    help="TRL's default is to recompute activations",
)
parser.add_argument("--threads", type=int, help="threads of an operator (default: PyTorch's choice)")
arguments = parser.parse_args()
if arguments.steps < 2:
    parser.error("--steps must be at least 2: the first step is not counted")

# A cached result of the reference pass, or a look-up in the hub, would not be the training that is measured.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_CACHING="1", TQDM_DISABLE="1")

import tempfile  # noqa: E402

import torch  # noqa: E402
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from torch.utils.data import SequentialSampler  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback  # noqa: E402
from trl import DPOConfig, DPOTrainer  # noqa: E402


class OrderedTrainer(DPOTrainer):
    """Takes the rows as they come, so that each side of the comparison sees the same batches."""

    def _get_train_sampler(self, train_dataset=None):
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)


class Measurement(TrainerCallback):
    def __init__(self):
        self.seconds, self.tokens, self.losses = [], [], []

    def on_step_begin(self, *_, **__):
        self.begin = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.seconds.append(time.perf_counter() - self.begin)

    def on_log(self, args, state, control, logs=None, **_):
        if "num_tokens" in logs and "loss" in logs:
            self.tokens.append(logs["num_tokens"])
            self.losses.append(logs["loss"])


def memory(field):
    """VmHWM (peak) or VmRSS (now) of this process in bytes; None where the system does not tell."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines[field].split()[0]) * 1024
    except OSError:
        return None


def restart_peak():
    """Sets the peak back to what is resident now, so that loading does not count as training."""
    try:
        with open("/proc/self/clear_refs", "w") as control:
            control.write("5")
    except OSError:
        pass


if arguments.threads:
    torch.set_num_threads(arguments.threads)
with open(arguments.data) as file:
    rows = [json.loads(line) for line in file]
needed = arguments.steps * arguments.pairs
rows = (rows * -(-needed // len(rows)))[:needed]
dtype = torch.bfloat16 if arguments.dtype == "bf16" else torch.float32
autocast = arguments.dtype == "bf16" if arguments.autocast is None else arguments.autocast

with tempfile.TemporaryDirectory() as folder:
    measurement = Measurement()
    begin = time.perf_counter()
    trainer = OrderedTrainer(
        model=AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype),
        # For full fine-tuning at the default TRL keeps a second model, which it loads in the same precision.
        ref_model=AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype)
        if arguments.full and not arguments.precompute
        else None,
        processing_class=AutoTokenizer.from_pretrained(arguments.model),
        train_dataset=Dataset.from_list(rows),
        peft_config=None
        if arguments.full
        else LoraConfig(
            r=arguments.rank,
            lora_alpha=2 * arguments.rank,
            lora_dropout=0.0,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        args=DPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=autocast,
            per_device_train_batch_size=arguments.pairs,
            gradient_accumulation_steps=1,
            gradient_checkpointing=arguments.gradient_checkpointing,
            precompute_ref_log_probs=arguments.precompute,
            max_steps=arguments.steps,
            learning_rate=1e-5,
            lr_scheduler_type="constant",
            logging_steps=1,
            logging_strategy="steps",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        ),
        callbacks=[measurement],
    )
    prepared = time.perf_counter() - begin
    peak_before_training = memory("VmHWM")
    resident_before_training = memory("VmRSS")
    restart_peak()
    trainer.train()

peak_training = memory("VmHWM")
totals = [0, *measurement.tokens]
tokens = [after - before for before, after in zip(totals, totals[1:])]
if len(tokens) != arguments.steps or len(measurement.seconds) != arguments.steps:
    raise SystemExit(f"{len(tokens)} steps were logged, {arguments.steps} asked for")
seconds = measurement.seconds[1:]
print(
    json.dumps(
        {
            "trainer": "trl",
            "training": "full" if arguments.full else f"lora-{arguments.rank}",
            "dtype": arguments.dtype,
            "autocast": autocast,
            "precompute": arguments.precompute,
            "gradient_checkpointing": arguments.gradient_checkpointing,
            "threads": torch.get_num_threads(),
            "pairs_per_step": arguments.pairs,
            "steps_measured": len(seconds),
            "seconds_per_step": [round(value, 4) for value in seconds],
            "median_seconds_per_step": round(statistics.median(seconds), 4),
            "tokens_per_step": tokens[1:],
            "tokens_per_second": round(sum(tokens[1:]) / sum(seconds), 2),
            # With --precompute this holds the reference pass over all rows.
            "prepare_seconds": round(prepared, 3),
            "peak_rss_bytes": max(peak_before_training or 0, peak_training or 0) or None,
            "peak_training_rss_bytes": peak_training,
            "rss_before_training_bytes": resident_before_training,
            "losses": measurement.losses,
        }
    )
)
