// The logits of a tiny model of every family in fp32, beside the CPU's, and whether attention in
// bf16 is flash attention.
import { ops, zeros } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import {
  largestDifference,
  logitValues,
} from '../../packages/model/src/loading/fixtures/forward.ts';
import { loadDecoder } from '../../packages/model/src/loading/load-decoder.ts';
import { disposeDecoder } from '../../packages/model/src/loading/named-weights.ts';
import { goldenFamilies } from '../../packages/model/src/testing/golden-families.ts';
import type { PartOptions, PartResult } from './parts.ts';

const ALLOWED = 1e-4;
const sequences = [
  Array.from({ length: 40 }, (_, at) => (at * 37 + 11) % 256),
  [5, 4, 200],
  [250, 1, 7, 99, 31],
];

export async function golden({ device }: PartOptions): Promise<PartResult> {
  const logits = async (name: string, place: string): Promise<number[]> => {
    const shape = { computeType: 'float32' as const, device: place };
    const { decoder } = await loadDecoder(goldenPath(`models/${name}`), shape);
    const found = logitValues(decoder, sequences);
    disposeDecoder(decoder);
    return found;
  };
  const found: Record<string, number> = {};
  for (const name of goldenFamilies) {
    found[name] = largestDifference(await logits(name, device), await logits(name, 'cpu'));
  }
  const passed = Object.values(found).every((difference) => difference < ALLOWED);
  using like = zeros([1], { dtype: 'bfloat16', device });
  const flash = Object.fromEntries(
    [64, 128].map((size) => [`heads of ${size}`, ops.attendsByFlash(like, size)]),
  );
  return { passed, found: { allowed: ALLOWED, largestDifferences: found, flashAttention: flash } };
}
