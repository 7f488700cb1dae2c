"""Writes smollm2.json: what transformers makes of the default model, in float32.

plain     text -> ids, without special tokens added, and what they decode to
chat      messages -> rendered text -> ids
logprobs  log-probabilities of a completion after a prompt, as one exchange of a chat
greedy    up to 48 greedy tokens, with the most likely first tokens and their logits
"""

import torch
from default_model import load
from golden import GOLDEN, read_json, write_json

NEW_TOKENS = 48
END = "<|im_end|>"
path = GOLDEN / "smollm2.json"
model, tokenizer = load()


def encode(text):
    return tokenizer(text, add_special_tokens=False).input_ids


def render(messages, add_generation_prompt=True):
    return tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=add_generation_prompt
    )


def plain(entry):
    ids = encode(entry["text"])
    return {"ids": ids, "decoded": tokenizer.decode(ids)}


def chat(entry):
    text = render(entry["messages"], entry["add_generation_prompt"])
    return {"text": text, "ids": encode(text)}


def logprobs(entry):
    prompt = encode(render([{"role": "user", "content": entry["prompt"]}]))
    completion = encode(f"{entry['completion']}{END}\n")
    logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
    found = logits.log_softmax(-1).gather(-1, torch.tensor(completion)[:, None])[:, 0].tolist()
    return {
        "prompt_ids": prompt,
        "completion_ids": completion,
        "token_logprobs": found,
        "sum": sum(found),
    }


def greedy(entry):
    ids = torch.tensor([encode(render(entry["messages"]))])
    start, end = ids.shape[1], tokenizer.convert_tokens_to_ids(END)
    first = model(ids).logits[0, -1]
    top = first.topk(8)
    while ids.shape[1] < start + NEW_TOKENS and ids[0, -1] != end:
        ids = torch.cat([ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
    made = ids[0, start:].tolist()
    return {
        "ids": made,
        "text": tokenizer.decode(made, skip_special_tokens=True),
        "next_token_top8": [list(pair) for pair in zip(top.indices.tolist(), top.values.tolist())],
        "next_token_logsumexp": first.logsumexp(-1).item(),
    }


given = read_json(path)
with torch.no_grad():
    for make in (plain, chat, logprobs, greedy):
        for entry in given[make.__name__]:
            entry.update(make(entry))
write_json(path, given)
