// Writes a folder of a llama-shaped model with random weights, in bfloat16, and the tokenizer of
// another model: for measuring speed and memory.
//   node benchmarks/random-llama.ts --tokenizer folder --output folder [--hidden 2048]
//     [--intermediate 8192] [--layers 24] [--heads 32] [--key-value-heads 8]
//     [--vocabulary N]  (default: the tokenizer's)
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ops, randn, tidy, withSeed } from '@keel/torch';
import { writeSafetensors } from '../packages/model/src/formats/safetensors-writer.ts';

const { values } = parseArgs({
  options: {
    tokenizer: { type: 'string' },
    output: { type: 'string' },
    hidden: { type: 'string', default: '2048' },
    intermediate: { type: 'string', default: '8192' },
    layers: { type: 'string', default: '24' },
    heads: { type: 'string', default: '32' },
    'key-value-heads': { type: 'string', default: '8' },
    vocabulary: { type: 'string' },
  },
});
const { tokenizer, output } = values;
if (tokenizer === undefined || output === undefined) {
  throw new Error('--tokenizer and --output are required: folders');
}
const [hidden, intermediate] = [Number(values.hidden), Number(values.intermediate)];
const [layers, heads] = [Number(values.layers), Number(values.heads)];
const keyValueHeads = Number(values['key-value-heads']);
const size = hidden / heads;

mkdirSync(output, { recursive: true });
for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']) {
  copyFileSync(join(tokenizer, name), join(output, name));
}
const config = JSON.parse(readFileSync(join(tokenizer, 'config.json'), 'utf8'));
const vocabulary = Number(values.vocabulary ?? config.vocab_size);
const own = {
  ...{ hidden_size: hidden, intermediate_size: intermediate, num_hidden_layers: layers },
  ...{ num_attention_heads: heads, num_key_value_heads: keyValueHeads, head_dim: size },
  ...{ vocab_size: vocabulary, tie_word_embeddings: true, dtype: 'bfloat16' },
};
writeFileSync(join(output, 'config.json'), `${JSON.stringify({ ...config, ...own }, null, 2)}\n`);

const matrix = (name: string, rows: number, columns: number) => ({
  ...{ name, dtype: 'BF16' as const, shape: [rows, columns] },
  data: () =>
    tidy(() => {
      const drawn = withSeed(name.length, () => randn([rows, columns], { dtype: 'bfloat16' }));
      return ops.viewDtype(drawn.mul_(0.02).view(-1), 'uint8').toTypedArray() as Uint8Array;
    }),
});
const ones = (name: string) => ({
  ...{ name, dtype: 'BF16' as const, shape: [hidden] },
  data: () => new Uint8Array(new Uint16Array(hidden).fill(0x3f80).buffer),
});
const block = (index: number) => {
  const at = `model.layers.${index}`;
  return [
    matrix(`${at}.self_attn.q_proj.weight`, hidden, hidden),
    matrix(`${at}.self_attn.k_proj.weight`, keyValueHeads * size, hidden),
    matrix(`${at}.self_attn.v_proj.weight`, keyValueHeads * size, hidden),
    matrix(`${at}.self_attn.o_proj.weight`, hidden, hidden),
    matrix(`${at}.mlp.gate_proj.weight`, intermediate, hidden),
    matrix(`${at}.mlp.up_proj.weight`, intermediate, hidden),
    matrix(`${at}.mlp.down_proj.weight`, hidden, intermediate),
    ones(`${at}.input_layernorm.weight`),
    ones(`${at}.post_attention_layernorm.weight`),
  ];
};
writeSafetensors(join(output, 'model.safetensors'), [
  matrix('model.embed_tokens.weight', vocabulary, hidden),
  ...Array.from({ length: layers }, (_, index) => block(index)).flat(),
  ones('model.norm.weight'),
]);
