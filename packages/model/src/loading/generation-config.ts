import { join } from 'node:path';
import { writeAside } from '../formats/write-aside.ts';
import { writeJson } from './write-folder.ts';

/** The part of a tokenizer that is needed here. */
export interface EndsTurns {
  readonly endOfTurnIds?: ReadonlySet<number>;
}

export interface GenerationConfigParts {
  /** The base's generation_config.json as text; null if there is none. */
  generationConfig: string | null;
  configJson: Readonly<Record<string, unknown>>;
  tokenizer: EndsTurns | null;
}

/**
 * Writes generation_config.json: the base's, byte for byte except that the tokens that end a turn
 * are added to `eos_token_id`. Without them, transformers continues after the end of an answer. If
 * there is none, it is made from config.json's token ids.
 */
export function writeGenerationConfig(
  folder: string,
  { generationConfig, configJson, tokenizer }: GenerationConfigParts,
): void {
  const path = join(folder, 'generation_config.json');
  const turnEnds = [...(tokenizer?.endOfTurnIds ?? [])];
  if (generationConfig === null) {
    writeJson(path, newGenerationConfig(configJson, turnEnds));
    return;
  }
  const text = withEnds(generationConfig, turnEnds);
  writeAside(path, (append) => append(new TextEncoder().encode(text)));
}

const ENDS = /("eos_token_id"\s*:\s*)(null|\d+|\[[\d,\s]*\])/;

function withEnds(text: string, turnEnds: readonly number[]): string {
  const found = ENDS.exec(text);
  const own = [(JSON.parse(found?.[2] ?? 'null') as number | number[] | null) ?? []].flat();
  const missing = turnEnds.filter((id) => !own.includes(id));
  if (missing.length === 0) return text;
  const all = [...own, ...missing];
  const value = JSON.stringify(all.length === 1 ? all[0] : all);
  if (found !== null) return text.replace(ENDS, `$1${value}`);
  // Without the field, transformers would not stop at all.
  return text.replace(/\{\s*(\}?)/, (_, end: string) =>
    end === '' ? `{\n  "eos_token_id": ${value},\n  ` : `{\n  "eos_token_id": ${value}\n}`,
  );
}

function newGenerationConfig(
  configJson: Readonly<Record<string, unknown>>,
  turnEnds: readonly number[],
): Record<string, unknown> {
  const ids = Object.fromEntries(
    ['bos_token_id', 'eos_token_id', 'pad_token_id']
      .filter((name) => configJson[name] != null)
      .map((name) => [name, configJson[name]]),
  );
  // A GGUF file's eos token may be one of several that end a turn.
  const ends = [...new Set([ids.eos_token_id ?? [], ...turnEnds].flat())];
  return ends.length > 1 ? { ...ids, eos_token_id: ends } : ids;
}
