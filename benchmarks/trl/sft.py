"""Measures TRL's SFTTrainer on the CPU: time and tokens of each step, peak memory.

Prints one JSON line. Rows {prompt, completion}; the loss is on the completions, TRL's default for
them.
"""

from measurement import in_order, measure, parser_of

parser = parser_of(__doc__.splitlines()[0], "rows", 8)
arguments = parser.parse_args()


def make_trainer(options, _load):
    from trl import SFTTrainer

    return in_order(SFTTrainer)(**options)


def config(**options):
    from trl import SFTConfig

    return SFTConfig(**options)


measure(arguments, make_trainer, config)
