"""Measures TRL's DPOTrainer on the CPU: time and tokens of each step, peak memory.

Prints one JSON line. TRL counts a prompt twice in num_tokens, once with the chosen and once with
the rejected answer, because it also computes it twice.
"""

from measurement import in_order, measure, parser_of

parser = parser_of(__doc__.splitlines()[0], "pairs", 4)
parser.add_argument(
    "--precompute", action="store_true", help="reference log-probabilities before training"
)
arguments = parser.parse_args()


def make_trainer(options, load):
    from trl import DPOTrainer

    # For full fine-tuning, TRL by default keeps a second model in memory, which it loads in the
    # same precision.
    reference = load() if arguments.full and not arguments.precompute else None
    return in_order(DPOTrainer)(ref_model=reference, **options)


def config(**options):
    from trl import DPOConfig

    return DPOConfig(**options)


measure(arguments, make_trainer, config, precompute_ref_log_probs=arguments.precompute)
