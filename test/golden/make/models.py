"""Writes models/<name>/: tiny random models of ten families, as transformers saves them, each with
expected.safetensors, what transformers computes with it in float32:

input_ids, attention_mask  [3, 16] int32, padded on the right
logits                     [3, 16, 256]; where the mask is 0 they mean nothing
greedy                     [1, 29] int32: the first 13 ids of row 0, and 16 greedy tokens after them
"""

import torch
from golden import GOLDEN
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

LENGTHS = [16, 9, 13]
PROMPT, GENERATED = 13, 16
LLAMA = dict(
    vocab_size=256,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    rms_norm_eps=1e-6,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
)
# Heads twice as wide as hidden_size / num_attention_heads, and windows within the 16 ids.
GEMMA = dict(
    LLAMA,
    head_dim=16,
    query_pre_attn_scalar=16,
    sliding_window=6,
    layer_types=["sliding_attention", "full_attention"],
    tie_word_embeddings=True,
)
GPT2 = dict(
    vocab_size=256,
    n_embd=32,
    n_layer=2,
    n_head=4,
    n_inner=48,
    n_positions=64,
    embd_pdrop=0.0,
    attn_pdrop=0.0,
    resid_pdrop=0.0,
)


def rope(theta, **others):
    return dict(rope_type="default", rope_theta=theta) | others


# One of the four frequencies stays as it is, one is interpolated, two are divided by the factor.
LLAMA3_ROPE = rope(
    500.0,
    rope_type="llama3",
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=32,
)
GEMMA3_ROPE = dict(full_attention=rope(1e6), sliding_attention=rope(1e4))
MODELS = {
    # Caps so low that they change the numbers of so small a model.
    "gemma2": dict(
        GEMMA,
        model_type="gemma2",
        rope_parameters=rope(1e4),
        attn_logit_softcapping=2.0,
        final_logit_softcapping=2.0,
    ),
    "gemma3": dict(GEMMA, model_type="gemma3_text", rope_parameters=GEMMA3_ROPE),
    "gpt2": dict(GPT2, model_type="gpt2", bos_token_id=1, eos_token_id=2),
    "llama": dict(
        LLAMA, model_type="llama", rope_parameters=rope(1e5), tie_word_embeddings=True
    ),
    "llama3-rope": dict(
        LLAMA, model_type="llama", rope_parameters=LLAMA3_ROPE, tie_word_embeddings=False
    ),
    "mistral": dict(
        LLAMA,
        model_type="mistral",
        sliding_window=6,
        rope_parameters=rope(1e4),
        tie_word_embeddings=False,
    ),
    "phi3": dict(LLAMA, model_type="phi3", rope_parameters=rope(1e4), tie_word_embeddings=False),
    "qwen2": dict(LLAMA, model_type="qwen2", rope_parameters=rope(1e6), tie_word_embeddings=True),
    "qwen3": dict(
        LLAMA,
        model_type="qwen3",
        head_dim=16,
        rope_parameters=rope(1e6),
        tie_word_embeddings=False,
    ),
    # The second layer has no rotary embedding.
    "smollm3": dict(
        LLAMA,
        model_type="smollm3",
        no_rope_layers=[1, 0],
        rope_parameters=rope(5e6),
        tie_word_embeddings=True,
    ),
}


def random_model(config, seed):
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    generator = torch.Generator().manual_seed(seed)
    # Gemma's norms multiply by 1 + weight, and its embeddings by the root of hidden_size: with
    # larger ones it would only repeat the last token.
    gemma = config.model_type.startswith("gemma")
    one = 0 if gemma else 1
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            std = 0.1 if gemma and "embed_tokens" in name else 0.2
            weight.normal_(0, std, generator=generator)
            if weight.dim() == 1 and name.endswith("weight"):
                weight.add_(one)
    return model.eval()


def greedy_tokens(model, ids):
    """The ids with the greedy tokens, and the least lead of a greedy token over the second."""
    lead = float("inf")
    for _ in range(GENERATED):
        first, second = model(ids).logits[0, -1].topk(2).values.tolist()
        lead = min(lead, first - second)
        ids = torch.cat([ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
    return ids, lead


def expected(model, seed):
    """None where rounding could change a greedy token, or they are few different ones."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 256, (len(LENGTHS), max(LENGTHS)), generator=generator)
    mask = torch.tensor([[int(t < length) for t in range(max(LENGTHS))] for length in LENGTHS])
    ids = torch.where(mask == 1, ids, 2)
    with torch.no_grad():
        logits = model(ids, attention_mask=mask).logits
        greedy, lead = greedy_tokens(model, ids[:1, :PROMPT])
    if lead < 0.01 or len(set(greedy[0, PROMPT:].tolist())) < 6:
        return None
    return {
        "input_ids": ids.int(),
        "attention_mask": mask.int(),
        "logits": logits.contiguous(),
        "greedy": greedy.int(),
    }


for name, fields in MODELS.items():
    fields = dict(fields)
    config = AutoConfig.for_model(fields.pop("model_type"), **fields)
    for seed in range(100):
        model = random_model(config, seed)
        values = expected(model, seed)
        if values is not None:
            break
    else:
        raise SystemExit(f"{name}: no seed gives greedy tokens that are different and sure")
    folder = GOLDEN / "models" / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    save_file(values, folder / "expected.safetensors")
    logits = values["logits"]
    print(f"{name}: seed {seed}, logits up to {logits.abs().max():.2f}", end=", ")
    print("greedy", values["greedy"][0, PROMPT:].tolist())
