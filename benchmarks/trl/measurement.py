"""Shared by the TRL scripts: flags, measurements of a run, and the JSON line that they print.

Rows are used in order, without shuffling. The first step is excluded from the times.
"""

import argparse
import json
import os
import statistics
import tempfile
import time


def at_least_two(text):
    if int(text) < 2:
        raise argparse.ArgumentTypeError("must be at least 2: the first step is not counted")
    return int(text)


def parser_of(description, rows_flag, rows_default):
    """Flags of a script; `rows_flag` is the flag for the rows per step."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", required=True, help="model folder (export-model.py writes one)")
    parser.add_argument("--data", required=True, help="rows, JSON Lines in the chat format")
    parser.add_argument(
        "--steps",
        type=at_least_two,
        default=9,
        help="optimizer steps, the first not counted (default: 9)",
    )
    parser.add_argument(
        f"--{rows_flag}",
        dest="rows",
        type=int,
        default=rows_default,
        help=f"{rows_flag} per step (default: {rows_default})",
    )
    parser.add_argument(
        "--epochs", type=int, default=1, help="passes over the rows within the steps (default: 1)"
    )
    parser.add_argument(
        "--rank", type=int, default=16, help="LoRA rank on all linear layers; alpha is twice it"
    )
    parser.add_argument(
        "--full", action="store_true", help="train all weights instead of an adapter"
    )
    parser.add_argument(
        "--dtype", choices=["bf16", "fp32"], default="bf16", help="precision of the base weights"
    )
    parser.add_argument(
        "--nf4",
        action="store_true",
        help="hold linear layers in NF4 with double quantisation (bitsandbytes)",
    )
    parser.add_argument(
        "--autocast",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="bfloat16 autocast (TRL's bf16=True); TRL's default with --dtype bf16",
    )
    parser.add_argument(
        "--gradient-checkpointing",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="TRL's default is to recompute activations",
    )
    parser.add_argument(
        "--threads", type=int, help="threads per operator (default: PyTorch's choice)"
    )
    return parser


def memory(field):
    """VmHWM (peak) or VmRSS (now) of this process in bytes; None if the system does not report it."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines[field].split()[0]) * 1024
    except OSError:
        return None


def restart_peak():
    """Resets the peak to the current resident memory, so that loading does not count as training."""
    try:
        with open("/proc/self/clear_refs", "w") as control:
            control.write("5")
    except OSError:
        pass


def measure(arguments, make_trainer, config_class, classifier=False, answers=None, **config):
    """Trains and prints one JSON line.

    make_trainer(trainer arguments, load) creates the trainer; load() loads the model in the
    requested precision. `config` contains the trainer's own settings in addition to the shared
    ones. With `classifier` the model has one label, and the adapter includes the head. With
    `answers` a row is a prompt that is answered that many times, and the answers' tokens are
    counted.
    """
    # A cached result of an earlier run, or a hub look-up, would distort the measurement.
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_CACHING="1", TQDM_DISABLE="1")
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        TrainerCallback,
    )

    class Measurement(TrainerCallback):
        def __init__(self):
            self.seconds, self.tokens, self.losses = [], [], []

        def on_step_begin(self, *_, **__):
            self.begin = time.perf_counter()

        def on_step_end(self, *_, **__):
            self.seconds.append(time.perf_counter() - self.begin)

        def on_log(self, args, state, control, logs=None, **_):
            if "num_tokens" in logs and "loss" in logs:
                if answers is None:
                    self.tokens.append(logs["num_tokens"])
                else:
                    own = round(logs["completions/mean_length"] * answers * arguments.rows)
                    self.tokens.append(own + (self.tokens[-1] if self.tokens else 0))
                self.losses.append(logs["loss"])

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    with open(arguments.data) as file:
        rows = [json.loads(line) for line in file]
    needed = arguments.steps * arguments.rows // arguments.epochs
    rows = (rows * -(-needed // len(rows)))[:needed]
    dtype = torch.bfloat16 if arguments.dtype == "bf16" else torch.float32
    autocast = arguments.dtype == "bf16" if arguments.autocast is None else arguments.autocast

    def load():
        if classifier:
            return AutoModelForSequenceClassification.from_pretrained(
                arguments.model, dtype=dtype, num_labels=1
            )
        quantised = {}
        if arguments.nf4:
            from transformers import BitsAndBytesConfig

            quantised["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=dtype,
            )
            quantised["device_map"] = "cpu"
        return AutoModelForCausalLM.from_pretrained(arguments.model, dtype=dtype, **quantised)

    with tempfile.TemporaryDirectory() as folder:
        measurement = Measurement()
        begin = time.perf_counter()
        lora = LoraConfig(
            r=arguments.rank,
            lora_alpha=2 * arguments.rank,
            lora_dropout=0.0,
            target_modules="all-linear",
            task_type="SEQ_CLS" if classifier else "CAUSAL_LM",
            modules_to_save=["score"] if classifier else None,
        )
        trainer = make_trainer(
            dict(
                model=load(),
                processing_class=AutoTokenizer.from_pretrained(arguments.model),
                train_dataset=Dataset.from_list(rows),
                peft_config=None if arguments.full else lora,
                args=config_class(
                    output_dir=folder,
                    use_cpu=True,
                    bf16=autocast,
                    per_device_train_batch_size=arguments.rows,
                    gradient_accumulation_steps=1,
                    gradient_checkpointing=arguments.gradient_checkpointing,
                    max_steps=arguments.steps,
                    learning_rate=1e-5,
                    lr_scheduler_type="constant",
                    logging_steps=1,
                    logging_strategy="steps",
                    save_strategy="no",
                    report_to="none",
                    disable_tqdm=True,
                    seed=0,
                    **config,
                ),
                callbacks=[measurement],
            ),
            load,
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
                **config,
                "gradient_checkpointing": arguments.gradient_checkpointing,
                "threads": torch.get_num_threads(),
                "rows_per_step": arguments.rows,
                "steps_measured": len(seconds),
                "seconds_per_step": [round(value, 4) for value in seconds],
                "median_seconds_per_step": round(statistics.median(seconds), 4),
                "tokens_per_step": tokens[1:],
                "tokens_per_second": round(sum(tokens[1:]) / sum(seconds), 2),
                # This includes work before the first step, such as a reference pass over all rows.
                "prepare_seconds": round(prepared, 3),
                "peak_rss_bytes": max(peak_before_training or 0, peak_training or 0) or None,
                "peak_training_rss_bytes": peak_training,
                "rss_before_training_bytes": resident_before_training,
                "losses": measurement.losses,
            }
        )
    )


def in_order(trainer_class):
    """The trainer with rows in their order, so that both sides of the comparison see the same batches."""
    from torch.utils.data import SequentialSampler

    class OrderedTrainer(trainer_class):
        def _get_train_sampler(self, train_dataset=None):
            return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    return OrderedTrainer
