// llama.cpp's names for a decoder's modules.
import type { DecoderConfig, ModuleNames } from '../decoder-config.ts';
import { inLayer } from './module-plan.ts';

/** Places of {@link ModuleNames}, fused ones included, by their name in a GGUF file. */
function places(modules: ModuleNames): [string, string | undefined][] {
  const { queryKeyValue: qkv, gateUp } = modules;
  return [
    ['token_embd', modules.embedding],
    ['position_embd', modules.positions],
    ['output_norm', modules.finalNorm],
    ['output', modules.head],
    ['blk.#.attn_norm', modules.attentionNorm],
    ...(typeof qkv === 'string'
      ? ([['blk.#.attn_qkv', qkv]] satisfies [string, string][])
      : ([
          ['blk.#.attn_q', qkv.query],
          ['blk.#.attn_k', qkv.key],
          ['blk.#.attn_v', qkv.value],
        ] satisfies [string, string][])),
    ['blk.#.attn_q_norm', modules.queryNorm],
    ['blk.#.attn_k_norm', modules.keyNorm],
    ['blk.#.attn_output', modules.attentionOutput],
    ['blk.#.post_attention_norm', modules.postAttentionNorm],
    ['blk.#.ffn_norm', modules.mlpNorm],
    ['blk.#.ffn_gate', gateUp.form === 'gated' ? gateUp.gate : undefined],
    // A fused gate and up projection has the name of up.
    ['blk.#.ffn_up', gateUp.form === 'fused' ? gateUp.both : gateUp.up],
    ['blk.#.ffn_down', modules.down],
    ['blk.#.post_ffw_norm', modules.postMlpNorm],
  ];
}

/** transformers' module names by llama.cpp's names, both without `.weight`. */
export function ggufModuleNames(config: DecoderConfig): Map<string, string> {
  const names = new Map<string, string>();
  for (const [own, module] of places(config.modules)) {
    if (module === undefined) continue;
    if (!own.includes('#')) names.set(own, module);
    else
      config.layers.forEach(
        (_, layer) => void names.set(inLayer(own, layer), inLayer(module, layer)),
      );
  }
  return names;
}
