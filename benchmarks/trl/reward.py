"""Measures TRL's RewardTrainer on the CPU: time and tokens of each step, peak memory.

Prints one JSON line. TRL counts a prompt twice in num_tokens, once with the chosen and once with
the rejected answer, because it also computes it twice.
"""

from measurement import in_order, measure, parser_of

parser = parser_of(__doc__.splitlines()[0], "pairs", 4)
arguments = parser.parse_args()


def make_trainer(options, _load):
    from trl import RewardTrainer

    return in_order(RewardTrainer)(**options)


def config(**options):
    from trl import RewardConfig

    return RewardConfig(**options)


measure(arguments, make_trainer, config, classifier=True)
