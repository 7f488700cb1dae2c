// Whether steps leave memory behind.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alignPairs } from '@keel/align';
import { freeMemory, memory } from '@keel/torch';
import { tinyRows, writeTinyChatModel } from '../../packages/align/src/testing/tiny-chat-model.ts';
import type { PartOptions, PartResult } from './parts.ts';

const STEPS = 40;
/** Steps after which nothing new is needed: the optimizer has its moments, the caches are full. */
const SETTLED = 10;
/** Bytes that the device's allocator may round up to. */
const ALLOWED = 64 * 2 ** 20;

export async function memoryOfSteps({ device, folder }: PartOptions): Promise<PartResult> {
  const model = writeTinyChatModel(join(folder, 'memory-model'));
  const data = join(folder, 'memory-rows.jsonl');
  writeFileSync(
    data,
    tinyRows(16)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  );
  const seen: { tensors: number; free: number }[] = [];
  await alignPairs(
    {
      ...{ model, data, device: device as 'auto', output: join(folder, 'memory-run') },
      ...{ lora: true, batchSize: 4, maxSteps: STEPS, saveSteps: null, precision: 'fp32' },
    },
    {
      onEvent(event) {
        if (event.type !== 'step') return;
        seen.push({ tensors: memory().tensors, free: freeMemory(device) });
      },
    },
  );
  const [settled, last] = [seen[SETTLED]!, seen.at(-1)!];
  const tensors = last.tensors - settled.tensors;
  const bytes = settled.free - last.free;
  // Free memory of the CPU is also other programs'.
  const passed = tensors === 0 && (device === 'cpu' || bytes < ALLOWED);
  return { passed, found: { steps: STEPS, tensorsLeft: tensors, bytesTaken: bytes } };
}
