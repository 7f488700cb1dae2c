// @keel/model/internal: what Keel's own benchmarks measure. May change at any time.
export { DecodeAttention } from '../generation/cached-attention.ts';
export { decodeBlocks } from '../generation/decode-blocks.ts';
export { drawByUniform } from '../generation/draw.ts';
export { KeyValueCache } from '../generation/kv-cache.ts';
