// A step of every method on a tiny model in fp32, beside the CPU's.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  largestDifferences,
  trainOn,
  writeMethodRuns,
} from '../../packages/align/src/testing/method-runs.ts';
import type { PartOptions, PartResult } from './parts.ts';

/** Of the metrics before and after the step, relative to numbers above 1. */
const ALLOWED = 1e-4;

export async function steps({ device, folder }: PartOptions): Promise<PartResult> {
  const found: Record<string, unknown> = {};
  let passed = true;
  for (const [at, run] of writeMethodRuns(folder).entries()) {
    const one = { ...run, options: { ...run.options, maxSteps: 1 } };
    const on = (name: string) => {
      const place = join(folder, `${at}-${name === device ? 'device' : 'cpu'}`);
      mkdirSync(place, { recursive: true });
      return trainOn(name, one, { folder, place });
    };
    try {
      const here = await on(device);
      const { metrics, weights } = largestDifferences(
        here,
        device === 'cpu' ? here : await on('cpu'),
      );
      passed &&= metrics.difference < ALLOWED;
      found[run.name] = { metrics, weights };
    } catch (error) {
      passed = false;
      found[run.name] = {
        error: error instanceof Error ? error.message.slice(0, 600) : `${error}`,
      };
    }
  }
  return { passed, found: { allowed: ALLOWED, largestDifferences: found } };
}
