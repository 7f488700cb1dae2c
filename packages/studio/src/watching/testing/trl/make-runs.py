# Makes the runs of this folder with TRL 1.13.0, transformers 5.17.0 and torch 2.13.0 (CPU):
#   python make-runs.py sft 7; python make-runs.py sft resume; python make-runs.py grpo
# The first is killed in step 7, and the second resumes from the checkpoint of step 4. Only the
# files that are tested are kept.
import os
import random
import sys

from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

WORDS = "the a cat dog sat on mat yes no maybe what is this thing red blue green sum of".split()
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<eos>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
random.seed(0)


def text(words):
    return " ".join(random.choice(WORDS) for _ in range(words))


def message(role, words):
    return {"role": role, "content": text(words)}


def tiny_model(folder):
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    special = ["<pad>", "<eos>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    tokens.train_from_iterator([text(20) for _ in range(200)], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token="<pad>", eos_token="<eos>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    sizes = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2)
    heads = dict(num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=256)
    ids = dict(vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=1, bos_token_id=None)
    LlamaForCausalLM(LlamaConfig(**sizes, **heads, **ids)).save_pretrained(folder)


class Kill(TrainerCallback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            os._exit(9)


def short(completions, **_):
    return [-abs(20 - len(one[0]["content"])) / 20 for one in completions]


def varied(completions, **_):
    return [len(set(one[0]["content"])) / 20 for one in completions]


what, how = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
if not os.path.exists("tiny"):
    tiny_model("tiny")
common = dict(
    **dict(output_dir=what, report_to="tensorboard", logging_steps=1, save_steps=4, seed=1),
    **dict(per_device_train_batch_size=4, use_cpu=True, max_steps=8, learning_rate=1e-3),
)
if what == "sft":
    best = dict(load_best_model_at_end=True, metric_for_best_model="eval_loss")
    args = SFTConfig(**common, **best, eval_strategy="steps", eval_steps=4)
    chats = [{"messages": [message("user", 6), message("assistant", 8)]} for _ in range(64)]
    data = Dataset.from_list(chats)
    parts = dict(args=args, train_dataset=data, eval_dataset=data.select(range(8)))
    trainer = SFTTrainer("tiny", **parts, callbacks=[Kill(int(how))] if how.isdigit() else [])
else:
    online = dict(num_generations=4, max_completion_length=16, beta=0.04)
    args = GRPOConfig(**common, **online, log_completions=True, reward_weights=[1.0, 0.5])
    prompts = Dataset.from_list([{"prompt": [message("user", 6)]} for _ in range(64)])
    functions = [short, varied]
    trainer = GRPOTrainer("tiny", reward_funcs=functions, args=args, train_dataset=prompts)
trainer.train(resume_from_checkpoint=True if how == "resume" else None)
