// Runs a part of `scripts/device-check`: `node run-part.ts NAME OPTIONS`. The last line that it
// prints is its result as JSON.
import type { PartName, PartOptions, PartResult } from './parts.ts';

/** Loaded one at a time: before `build` there is no addon. */
const parts: Record<PartName, () => Promise<(options: PartOptions) => Promise<PartResult>>> = {
  build: async () => (await import('./build.ts')).build,
  golden: async () => (await import('./golden.ts')).golden,
  steps: async () => (await import('./steps.ts')).steps,
  memory: async () => (await import('./memory.ts')).memoryOfSteps,
  sft: async () => (await import('./speed.ts')).sftSpeed,
  dpo: async () => (await import('./speed.ts')).dpoSpeed,
};

const [name, options] = process.argv.slice(2) as [PartName, string];
const part = await parts[name]();
const result = await part(JSON.parse(options) as PartOptions);
process.stdout.write(`\n${JSON.stringify(result)}\n`);
process.exit(0);
