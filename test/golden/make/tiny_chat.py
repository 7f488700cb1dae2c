"""Writes tiny-chat/: a random Llama of 105,000 weights with its own tokenizer and chat template.

The tokenizer is a byte-level BPE of 512 tokens, trained on the texts of trajectories/*/train.jsonl.
Its pad token is its end-of-sequence token on purpose: TRL then masks neither by the token's id.
"""

import torch
from golden import GOLDEN, read_rows
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
    " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def texts():
    """Every text of the rows: strings and the messages of chats."""
    for path in sorted(GOLDEN.glob("*/**/train.jsonl")):
        for row in read_rows(path):
            for value in row.values():
                if isinstance(value, str):
                    yield value
                elif isinstance(value, list):
                    yield from (f"{message['role']}\n{message['content']}" for message in value)


def tokenizer():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts(), trainer)
    assert made.get_vocab_size() == 512, made.get_vocab_size()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        chat_template=TEMPLATE,
    )


def model():
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rms_norm_eps=1e-6,
        rope_theta=10000.0,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    made = LlamaForCausalLM(config)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in sorted(made.named_parameters()):
            weight.normal_(0, 0.054)
            if weight.dim() == 1:
                weight.add_(1)
    return made


folder = GOLDEN / "tiny-chat"
model().save_pretrained(folder)
tokenizer().save_pretrained(folder)
