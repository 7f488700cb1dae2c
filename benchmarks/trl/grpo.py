"""Measures TRL's GRPOTrainer on the CPU: time and completion tokens of each step, peak memory.

Prints one JSON line. Every completion has exactly 48 tokens. Rows {prompt}, 4 completions each, one
optimizer step per batch.
"""

from measurement import measure, parser_of

COMPLETIONS = 4
TOKENS = 48

parser = parser_of(__doc__.splitlines()[0], "prompts", 4)
arguments = parser.parse_args()


def reward(completions, **_):
    """Same as benchmarks/keel/length-reward.ts."""
    return [-abs(len(completion[0]["content"]) - 200) / 200 for completion in completions]


def make_trainer(options, _load):
    from trl import GRPOTrainer

    return GRPOTrainer(reward_funcs=reward, **options)


def config(**options):
    from trl import GRPOConfig

    answers = COMPLETIONS * options.pop("per_device_train_batch_size")
    return GRPOConfig(
        per_device_train_batch_size=answers,
        num_generations=COMPLETIONS,
        max_completion_length=TOKENS,
        generation_kwargs={"min_new_tokens": TOKENS},
        # Prompts in their order.
        shuffle_dataset=False,
        **options,
    )


measure(arguments, make_trainer, config, answers=COMPLETIONS)
