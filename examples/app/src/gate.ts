// Decides whether a trained adapter may be used: it must prefer the answers that people preferred,
// on comparisons that it was not trained on.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gateText, planEvaluation, runEvaluation } from '@keel/evaluate';
import type { Pair } from './preferences.ts';

/** The suite and its gates, written as JSON, which YAML includes. */
const suite = {
  tasks: [{ name: 'held-out', type: 'preference-accuracy', data: 'held-out.jsonl' }],
};
const gates = { gates: [{ metric: 'held-out/accuracy', entry: 'trained', at_least: 0.6 }] };

/** Evaluates the model with the adapter, and prints every gate. @returns whether all passed */
export async function passesGate(
  model: string,
  adapter: string,
  heldOut: Iterable<Pair>,
  folder: string,
): Promise<boolean> {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  write('held-out.jsonl', Array.from(heldOut, (row) => `${JSON.stringify(row)}\n`).join(''));
  const options = {
    entries: [
      { name: 'base', model, adapter: null },
      { name: 'trained', model, adapter },
    ],
    suites: [write('suite.yaml', JSON.stringify(suite))],
    tasks: [],
    gates: write('gates.yaml', JSON.stringify(gates)),
    limit: null,
    output: join(folder, 'results'),
    precision: 'auto' as const,
    device: 'auto',
    unsafeCode: false,
  };
  const evaluation = await runEvaluation(options, await planEvaluation(options));
  for (const one of evaluation!.gates) {
    console.log(`${one.passed ? 'passed' : 'failed'}: ${gateText(one)}`);
  }
  console.log(`report: ${evaluation!.report}`);
  return evaluation!.gates.every(({ passed }) => passed);
}
