// @keel/model/internal: what Keel's own packages and benchmarks use. May change at any time.
export { BatchInFlight, type BatchLimits } from '../generation/batch-in-flight.ts';
export { DecodeAttention } from '../generation/cached-attention.ts';
export { decodeBlocks } from '../generation/decode-blocks.ts';
export { drawByUniform } from '../generation/draw.ts';
export { KeyValueCache } from '../generation/kv-cache.ts';
export type { TokenLogprobs } from '../generation/model-logprobs.ts';
export { checkOptions, checkPrompts } from '../generation/options.ts';
