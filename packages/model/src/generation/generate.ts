// Generates text. Prompts are computed packed; then each step draws one token for each sample in
// flight.
import { setImmediate as breathe } from 'node:timers/promises';
import { adaptedLayers } from '../adapters/lora.ts';
import { BatchInFlight } from './batch-in-flight.ts';
import {
  type CheckedOptions,
  checkOptions,
  checkPrompts,
  type GenerateOptions,
  type GenerationModel,
} from './options.ts';
import type { GenerationEvent, GenerationResult } from './sequence.ts';

/**
 * Continues prompts, and yields events: tokens as they are drawn, and the result of each sample
 * when it ends. Other work of the process can run between two steps. Leaving the loop early frees
 * everything.
 *
 * The same seed, prompt and indices give the same random numbers in every batch. The tokens are
 * then the same up to floating-point rounding, since the products of a large and a small batch may
 * differ in their last bit.
 * @param prompts token ids of each prompt
 * @throws RangeError at once, naming the option, the prompt or the adapter that cannot be used
 */
export function generate(
  model: GenerationModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions = {},
): AsyncGenerator<GenerationEvent, void, void> {
  const checked = checkOptions(options, model.tokenizer);
  checkPrompts(prompts, model.decoder);
  for (const [name, all] of [
    ['promptSeeds', checked.promptSeeds],
    ['promptConstraints', checked.promptConstraints],
  ] as const) {
    if (all === null || all.length === prompts.length) continue;
    throw new RangeError(`${name} has ${all.length} entries for ${prompts.length} prompts`);
  }
  if (checked.adapter !== null) adaptedLayers(model.decoder, checked.adapter);
  return events(model, prompts, checked);
}

async function* events(
  model: GenerationModel,
  prompts: readonly (readonly number[])[],
  options: CheckedOptions,
): AsyncGenerator<GenerationEvent, void, void> {
  const batch = new BatchInFlight(model, { ...options, retainedTokens: 0 });
  for (const [promptIndex, tokens] of prompts.entries()) {
    const draws =
      options.promptSeeds === null
        ? { seed: options.seed, promptIndex: options.firstIndex + promptIndex }
        : { seed: options.promptSeeds[promptIndex]!, promptIndex: 0 };
    const constraint = options.promptConstraints?.[promptIndex] ?? null;
    const own = options.promptConstraints === null ? options : { ...options, constraint };
    batch.add({ promptIndex, tokens, options: own, draws });
  }
  try {
    while (!batch.finished) {
      if (options.signal?.aborted) {
        yield* batch.abort();
        return;
      }
      if (batch.hasPlace) yield* batch.admit();
      else if (batch.hasLive) yield* batch.advance();
      await breathe();
    }
  } finally {
    batch.dispose();
  }
}

/**
 * Runs {@link generate} to the end.
 * @param onEvent receives every event as it occurs
 * @returns the samples of each prompt, in order, prompt by prompt
 */
export async function generateAll(
  model: GenerationModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions & { onEvent?: (event: GenerationEvent) => void } = {},
): Promise<GenerationResult[]> {
  const { onEvent, ...rest } = options;
  const results: GenerationResult[] = [];
  for await (const event of generate(model, prompts, rest)) {
    onEvent?.(event);
    if (event.type === 'done') {
      results[event.promptIndex * (rest.samplesPerPrompt ?? 1) + event.sampleIndex] = event.result;
    }
  }
  return results;
}
