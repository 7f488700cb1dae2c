// What a verb that trains nothing is going to do: shown by --dry-run.
import type { ModelFacts } from '@keel/align/internal';
import { say } from './terminal.ts';
import { printJson } from './training/json-display.ts';
import { alignedLines, modelText, snakeKeys } from './training/run-plan-text.ts';

export interface WorkPlan {
  verb: string;
  /** null: no model is needed. */
  model: ModelFacts | null;
  /** By name: a phrase for people, and plain data for programs. */
  parts: Readonly<Record<string, { text: string; data: unknown }>>;
}

/** Prints a plan, and a line that nothing was run. */
export function sayDryRun({ verb, model, parts }: WorkPlan, json: boolean): void {
  if (json) {
    const data = Object.entries(parts).map(([name, part]) => [name, part.data]);
    const plan = { type: 'plan', verb, dryRun: true, model, ...Object.fromEntries(data) };
    printJson(snakeKeys(plan) as object);
    return;
  }
  const lines = Object.entries(parts).map(([name, { text }]): [string, string] => [name, text]);
  say(alignedLines([...(model === null ? [] : [['model', modelText(model)] as const]), ...lines]));
  say('\nNothing was run or written (--dry-run).');
}
