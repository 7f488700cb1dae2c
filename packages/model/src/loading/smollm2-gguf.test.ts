import { readFileSync } from 'node:fs';
import { noGrad, tidy } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decoder } from '../decoder.ts';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openGguf } from '../formats/gguf.ts';
import { tokenizerFromGguf } from '../tokenizer/tokenizer-from-gguf.ts';
import { logitsOf } from './fixtures/forward.ts';
import { loadDecoder } from './load-decoder.ts';
import { disposeDecoder } from './named-weights.ts';

interface Golden {
  logprobs: { prompt_ids: number[]; completion_ids: number[]; token_logprobs: number[] }[];
  greedy: { messages: { role: 'user'; content: string }[]; ids: number[] }[];
}

const model = cachedDefaultModel();

describe.skipIf(!model)('SmolLM2-135M-Instruct from its GGUF, in float32', () => {
  const { logprobs, greedy } = JSON.parse(
    readFileSync(goldenPath('smollm2.json'), 'utf8'),
  ) as Golden;
  let decoder: Decoder;
  let configJson: Record<string, unknown>;
  beforeAll(async () => {
    ({ decoder, configJson } = await loadDecoder(model!, { computeType: 'float32' }));
  });
  afterAll(() => disposeDecoder(decoder));

  it('has the configuration of its config.json', () => {
    expect(configJson).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-5,
      rope_theta: 100_000,
      tie_word_embeddings: true,
      vocab_size: 49_152,
      bos_token_id: 1,
      eos_token_id: 2,
    });
  });

  it('gives the golden log-probabilities', () => {
    for (const { prompt_ids, completion_ids, token_logprobs } of logprobs) {
      const found = tidy(() =>
        noGrad(() => {
          const all = logitsOf(decoder, [[...prompt_ids, ...completion_ids]]).logSoftmax(-1);
          const row = (i: number) => all.select(0, prompt_ids.length - 1 + i);
          return completion_ids.map((id, i) => row(i).select(0, id).item());
        }),
      );
      found.forEach(
        (value, i) => void expect(Math.abs(value - token_logprobs[i]!)).toBeLessThan(2e-3),
      );
    }
  });

  it('gives the golden greedy answers', () => {
    using file = openGguf(model!);
    const tokenizer = tokenizerFromGguf(file.metadata);
    for (const { messages, ids } of greedy) {
      const text = tokenizer.chatTemplate!.render(messages, { addGenerationPrompt: true });
      const prompt = tokenizer.encode(text);
      // Greedy decoding gives these ids if, and only if, each is the most likely one after the
      // preceding ids.
      const found = tidy(() =>
        noGrad(() =>
          logitsOf(decoder, [[...prompt, ...ids]])
            .argmax(-1)
            .toArray(),
        ),
      );
      expect(found.slice(prompt.length - 1, -1)).toEqual(ids);
    }
  });
});
