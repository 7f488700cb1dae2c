// Which models answer: two models, a model with and without an adapter, or a run before and after.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { parse } from 'yaml';

/** A model that answers the prompts. */
export interface AnsweringSide {
  name: string;
  model: string;
  adapter: string | null;
}

/** The word for the model without an adapter. */
const BASE = 'base';

/**
 * The two sides that `--model` and `--adapter` name. One model serves both sides; one adapter is
 * compared with the model alone.
 * @throws ConfigError unless they make two different sides
 */
export function sidesOf(
  models: readonly string[],
  adapters: readonly string[],
): readonly [a: AnsweringSide, b: AnsweringSide] {
  const named = adapters.length === 1 ? [BASE, ...adapters] : adapters;
  const both = [0, 1].map((side): AnsweringSide => {
    const model = models[side] ?? models[0]!;
    const adapter = named[side] ?? null;
    const own = adapter === null || adapter === BASE ? null : adapter;
    return { name: nameOf(own ?? model), model, adapter: own };
  });
  const [a, b] = both as [AnsweringSide, AnsweringSide];
  if (a.model === b.model && a.adapter === b.adapter) {
    throw new ConfigError([
      `both sides are the same: ${a.name}. Pass --adapter base,<run>, or two models with --model`,
    ]);
  }
  return [a, b];
}

/** A run's result is named as the run. */
const nameOf = (path: string): string => path.replace(/[\\/]final[\\/]?$/, '');

export interface RunSides {
  sides: readonly [before: AnsweringSide, after: AnsweringSide];
  /** The run's held-out rows; null if it had none. */
  heldOut: readonly string[] | null;
  columns: readonly string[] | null;
  wrapChat: boolean;
}

/** A run before and after training. @throws Error if the folder has no finished run */
export function runSides(run: string): RunSides {
  const path = join(run, 'config.yaml');
  if (!existsSync(path)) {
    throw new Error(`--run ${run}: there is no config.yaml. Pass the folder of a training run`);
  }
  const config = parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const final = join(run, 'final');
  if (!existsSync(final)) {
    throw new Error(`--run ${run}: the run has not finished, so it has no final/. Resume it first`);
  }
  const model = String(config.model);
  const from = typeof config.adapter === 'string' ? config.adapter : null;
  const isAdapter = existsSync(join(final, 'adapter_config.json'));
  const after = isAdapter ? { model, adapter: final } : { model: final, adapter: null };
  return {
    sides: [
      { name: 'before', model, adapter: from },
      { name: run, ...after },
    ],
    heldOut: textsOf(config.eval_data),
    columns: textsOf(config.columns),
    wrapChat: config.wrap_chat === true,
  };
}

function textsOf(value: unknown): readonly string[] | null {
  const texts = [value].flat().filter((one): one is string => typeof one === 'string');
  return texts.length === 0 ? null : texts;
}
