// Answers of a model to prompts, and what a check says of them.
import { createHash } from 'node:crypto';
import { type GenerationResult, generate, type LanguageModel } from '@keel/model';
import { decodeBlocks } from '@keel/model/internal';
import type { Item, Outcome, RunHooks, Subject } from './task.ts';

/** How answers are generated. */
export interface GenerationSettings {
  maxNewTokens: number;
  temperature: number;
  topP: number;
  samples: number;
  stop: readonly string[];
  seed: number;
}

/** A prompt as the model reads it. */
export interface RenderedPrompt {
  tokens: readonly number[];
  /** For the record. */
  text: string;
  /** What the generation prompt put before the answer, such as `<think>\n`. */
  opened: string;
  /**
   * Whether it may be cut from the left where it leaves no room for the answer, as lm-eval does;
   * a chat may not, since its template would be damaged.
   */
  cuttable: boolean;
}

export interface GenerationParts<Request> {
  settings: GenerationSettings;
  /** @throws Error for a prompt that the model cannot read */
  render(item: Item<Request>, model: LanguageModel): RenderedPrompt;
  /** What the answers are worth; `values`, `target` and `filtered` at least. */
  judge(
    answers: readonly string[],
    item: Item<Request>,
    signal: AbortSignal,
  ): Promise<Omit<Outcome, 'arguments' | 'responses'>>;
}

/** Answers in flight at a time. */
const BATCH = 16;

/**
 * How many answers may be in flight without one changing another's last bits. Keel's decoding
 * kernels compute each row alone. Other products on the CPU depend on the number of rows, so that
 * only the samples of one prompt are in flight together. On accelerators that would be too slow.
 */
function inFlight({ decoder, device }: LanguageModel, samples: number): number {
  if (device !== 'cpu') return BATCH;
  const kernels = decodeBlocks(decoder);
  kernels?.dispose();
  return kernels === null ? samples : BATCH;
}

interface Asked<Request> {
  item: Item<Request>;
  prompt: RenderedPrompt;
  tokens: readonly number[];
  truncated: boolean;
}

/** Generates answers to all items and judges them, each as soon as its answers are complete. */
export async function runGeneration<Request>(
  items: readonly Item<Request>[],
  { model, role }: Subject,
  { settings, render, judge }: GenerationParts<Request>,
  { signal, done, working }: RunHooks,
): Promise<void> {
  const asked: Asked<Request>[] = [];
  for (const item of items) {
    const prompt = render(item, model);
    const room = model.decoder.config.maxPositions - settings.maxNewTokens;
    const whole = prompt.tokens.length <= room;
    if (whole || (prompt.cuttable && room > 0)) {
      const tokens = prompt.tokens.slice(-Math.max(room, 1));
      asked.push({ item, prompt, tokens, truncated: !whole });
    } else done(item, tooLong(prompt, model, settings));
  }
  if (asked.length === 0) return;
  const { samples } = settings;
  const answers = asked.map(() => new Array<GenerationResult | undefined>(samples));
  const judging: Promise<void>[] = [];
  const finish = async (index: number): Promise<void> => {
    const { item, prompt, truncated } = asked[index]!;
    const results = answers[index]! as GenerationResult[];
    const texts = results.map(({ text }) => prompt.opened + text);
    const found = await judge(texts, item, signal);
    const cut = results.filter(({ finishReason }) => finishReason === 'length').length;
    done(item, {
      ...found,
      values: { ...found.values, cut_off: cut / samples },
      arguments: [[prompt.text, gen(settings)]],
      responses: [texts],
      ...(truncated && { truncated }),
    });
  };
  const tokensOf = new Map<number, number>();
  for await (const event of generate(
    model,
    asked.map((one) => one.tokens),
    {
      ...{ maxNewTokens: settings.maxNewTokens, temperature: settings.temperature },
      ...{ topP: settings.topP, samplesPerPrompt: samples, stopStrings: settings.stop },
      promptSeeds: asked.map(({ item }) => itemSeed(settings.seed, item.doc.id)),
      adapter: role === 'reference' ? null : role,
      batchSize: inFlight(model, samples),
      // Every prompt is computed alone, so that no other one changes its last bits.
      prefillTokens: 1,
      signal,
    },
  )) {
    if (signal.aborted) break;
    const { promptIndex, sampleIndex } = event;
    if (event.type !== 'done') {
      tokensOf.set(promptIndex, (tokensOf.get(promptIndex) ?? 0) + 1);
      working?.(shareOf(tokensOf, settings));
      continue;
    }
    const own = answers[promptIndex]!;
    own[sampleIndex] = event.result;
    if (own.filter((one) => one !== undefined).length < samples) continue;
    tokensOf.delete(promptIndex);
    judging.push(finish(promptIndex));
    // An error of a check is reported when it happens, not after all answers.
    if (judging.length % BATCH === 0) await Promise.all(judging.splice(0));
  }
  await Promise.all(judging);
  signal.throwIfAborted();
}

/** The work that is done on answers in progress, in items. */
function shareOf(tokens: ReadonlyMap<number, number>, settings: GenerationSettings): number {
  const most = settings.maxNewTokens * settings.samples;
  return [...tokens.values()].reduce((sum, count) => sum + Math.min(count / most, 1), 0);
}

/** lm-eval's record of how an answer was generated. */
const gen = ({ maxNewTokens, temperature, topP, stop }: GenerationSettings) => ({
  ...{ until: stop, max_gen_toks: maxNewTokens, do_sample: temperature > 0, temperature },
  ...(topP < 1 && { top_p: topP }),
});

function tooLong(
  { tokens, text }: RenderedPrompt,
  model: LanguageModel,
  settings: GenerationSettings,
): Outcome {
  const { maxPositions } = model.decoder.config;
  return {
    ...{ values: {}, target: '', arguments: [[text, gen(settings)]], responses: [], filtered: {} },
    skipped: `the prompt has ${tokens.length} tokens and leaves no room for ${settings.maxNewTokens} more: the model allows ${maxPositions}`,
  };
}

/** The same for a row in every batch and order. */
function itemSeed(seed: number, id: number): number {
  const hash = createHash('sha256').update(`${seed}/${id}`).digest();
  return hash.readUIntBE(0, 6);
}
