// A tiny random model with a tokenizer and a chat template, and pairs for it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LanguageModel, loadDecoder, Tokenizer } from '@keel/model';
import {
  randomTensors,
  tinyConfigs,
  writeTinyModel,
} from '../../../model/src/loading/fixtures/tiny-models.ts';
import {
  tinyTokenizerJson,
  tinyTokens,
} from '../../../model/src/tokenizer/testing/tiny-tokenizer.ts';
import type { PreferenceRow } from '../data/rows.ts';
import { xoshiro128 } from '../data/shuffle.ts';
import type { Rows } from '../training/tokenised-source.ts';

/** Each turn is `<|user|>role\ncontent<|end|>\n`. */
export const tinyTemplate =
  "{% for message in messages %}{{ '<|user|>' + message.role + '\\n' + message.content + '<|end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|user|>assistant\\n' }}{% endif %}";

/** A tokenizer for any text; its end-of-sequence token is `<|end|>`, with ID 0. */
export const tinyChatTokenizer = (template: string | null = tinyTemplate): Tokenizer =>
  new Tokenizer({
    source: 'tiny',
    json: tinyTokenizerJson(),
    config: { eos_token: '<|end|>', pad_token: '<|pad|>' },
    ...(template === null ? {} : { chatTemplates: { default: template } }),
  });

/**
 * Writes a two-layer model. The same seed gives the same weights.
 * @param config fields of its configuration (default: a Llama model)
 * @returns the folder
 */
export function writeTinyChatModel(folder: string, seed = 1, config = tinyConfigs.llama!): string {
  const positions = 'n_positions' in config ? 'n_positions' : 'max_position_embeddings';
  const json = {
    ...config,
    vocab_size: tinyTokens.length,
    [positions]: 2048,
    eos_token_id: 0,
    bos_token_id: null,
  };
  mkdirSync(folder, { recursive: true });
  writeTinyModel(folder, json, randomTensors(json, seed));
  tinyChatTokenizer().save(folder);
  return folder;
}

/** Loads the model from such a folder; unlike a user's, it may be computed in float64. */
export async function loadTiny(
  folder: string,
  computeType: 'float32' | 'bfloat16' | 'float64',
  trainable = false,
): Promise<LanguageModel> {
  const { decoder, configJson, weightHash } = await loadDecoder(folder, { computeType, trainable });
  return new LanguageModel({
    decoder,
    tokenizer: tinyChatTokenizer(),
    device: 'cpu',
    configJson,
    name: folder,
    hash: weightHash,
  });
}

/** Whole numbers below `limit`, the same for the same seed. */
export function draws(seed: number): (limit: number) => number {
  const next = xoshiro128([seed, 2, 3, 4]);
  return (limit) => next() % limit;
}

/**
 * Reproducible rows of uneven length, alternating chats and plain ones; every third pair of rows
 * shares a prompt.
 */
export function tinyRows(count: number, seed = 7): PreferenceRow[] {
  const draw = draws(seed);
  const words = ['hello', 'world', 'day', '1234', 'é', 'wo', 'lighthouse', 'x'];
  const text = (most: number): string =>
    Array.from({ length: 1 + draw(most) }, () => words[draw(words.length)]!).join(' ');
  const turn = (role: string, content: string) => [{ role, content }];
  const rows: PreferenceRow[] = [];
  for (let i = 0; i < count; i++) {
    const [own, chosen, rejected] = [text(5), `${text(6)}.`, `${text(9)}!`];
    // The row two places earlier is of the same kind.
    const shared = i >= 2 && i % 3 === 2 ? rows[i - 2]!.prompt : null;
    if (i % 2 === 1) rows.push({ prompt: shared ?? own, chosen, rejected, extra: {} });
    else {
      rows.push({
        prompt: shared ?? turn('user', own),
        chosen: turn('assistant', chosen),
        rejected: turn('assistant', rejected),
        extra: {},
      });
    }
  }
  return rows;
}

/** Rows in memory, in the form that a trainer reads. */
export const rowsOf = <Row>(rows: readonly Row[]): Rows<Row> => ({
  length: rows.length,
  readMany: async (indices) => indices.map((index) => rows[index]!),
  place: (index) => ({ file: 'rows', row: index + 1 }),
  fingerprint: async () => JSON.stringify(rows),
});

/** Writes rows as JSONL. @returns the path */
export function writeRowsFile(folder: string, rows: readonly PreferenceRow[]): string {
  const path = join(folder, 'rows.jsonl');
  writeFileSync(
    path,
    rows
      .map(({ prompt, chosen, rejected }) => `${JSON.stringify({ prompt, chosen, rejected })}\n`)
      .join(''),
  );
  return path;
}
