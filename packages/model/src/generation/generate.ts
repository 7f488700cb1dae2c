// Text from a model: prompts are computed packed, then every step draws one token of each sample in
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
 * Continues prompts, event by event: tokens as they are drawn, and the result of each sample as it
 * ends. Between two steps other work of the process gets its turn. Leaving the loop early frees
 * everything.
 *
 * The same seed, prompt and indices give the same draws in every batch; what is drawn is then the
 * same but for floating-point rounding, since the products of a large and of a small batch may
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
  if (checked.adapter !== null) adaptedLayers(model.decoder, checked.adapter);
  return events(model, prompts, checked);
}

async function* events(
  model: GenerationModel,
  prompts: readonly (readonly number[])[],
  options: CheckedOptions,
): AsyncGenerator<GenerationEvent, void, void> {
  const batch = new BatchInFlight(model, prompts, options);
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
 * {@link generate} to the end.
 * @param onEvent sees every event as it comes
 * @returns of each prompt its samples, in order: prompt after prompt
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
