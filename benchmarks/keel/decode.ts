// Measures generation of one sequence: milliseconds of a token, the memory of the loaded model, and
// its peak. Prints one JSON line.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BasePrecision, generateAll, loadModel } from '@keel/model';
import { setThreads } from '@keel/torch';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    'base-precision': { type: 'string', default: 'auto' },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '3' },
  },
});
setThreads(Number(values.threads));
const memory = (field: string): number => {
  const found = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found![1]) * 1024;
};
const before = memory('VmRSS');
const model = await loadModel(values.model, {
  precision: 'bf16',
  basePrecision: values['base-precision'] as BasePrecision | 'auto',
});
const prompt = model.tokenizer.encode('Write a story about a fox.');
const tokens = Number(values.tokens);
const times: number[] = [];
for (let repeat = 0; repeat <= Number(values.repeats); repeat++) {
  const begin = performance.now();
  const options = { temperature: 0, maxNewTokens: tokens, stopTokenIds: [] };
  await generateAll(model, [prompt], options);
  times.push((performance.now() - begin) / tokens);
}
const milliseconds = Math.min(...times.slice(1));
const [peak, loaded] = [memory('VmHWM'), memory('VmRSS') - before];
process.stdout.write(`${JSON.stringify({ milliseconds, peak, loaded })}\n`);
