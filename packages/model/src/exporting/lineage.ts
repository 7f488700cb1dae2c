// What a file was made from, as a GGUF file's `general.*` metadata.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openGguf } from '../formats/gguf.ts';
import type { GgufValue } from '../formats/gguf-writer.ts';

/** Where a model comes from. */
export interface Lineage {
  /** The model's name, for example the folder's. */
  name: string;
  /** The model that it was made from. */
  base: {
    /** Its name in Keel. */
    name: string;
    /** owner/name on the Hugging Face Hub; null for a local model. */
    repository: string | null;
    /** SHA-256 of its files, in hex. */
    sha256: string;
  };
  /** SHA-256 of the adapter's files, in hex; null if there is none. */
  adapterSha256: string | null;
  /** The trainings since the base, such as `sft` and `dpo`. */
  methods: readonly string[];
  /** SPDX identifier; null if the base names none. */
  license: string | null;
}

/** @param parameters number of weights; null for an adapter */
export function lineageMetadata(
  { name, base, adapterSha256, methods, license }: Lineage,
  parameters: number | null,
): [string, GgufValue][] {
  const entries: [string, string | null][] = [
    ['general.name', name],
    ['general.finetune', methods.length === 0 ? null : methods.join('-')],
    ['general.size_label', parameters === null ? null : sizeLabel(parameters)],
    ['general.license', license],
  ];
  const [owner = null, own = null] = base.repository?.split('/') ?? [];
  const origin: [string, string | null][] = [
    ['general.base_model.0.name', own ?? base.name.split(/[\\/]/).at(-1)!],
    ['general.base_model.0.organization', owner],
    [
      'general.base_model.0.repo_url',
      base.repository === null ? null : `https://huggingface.co/${base.repository}`,
    ],
    ['keel.base.sha256', base.sha256],
    ['keel.adapter.sha256', adapterSha256],
  ];
  const texts = (pairs: [string, string | null][]): [string, GgufValue][] =>
    pairs.flatMap(([key, value]) => (value === null ? [] : [[key, { type: 'string', value }]]));
  return [
    ...texts(entries),
    ['general.base_model.count', { type: 'uint32', value: 1 }],
    ...texts(origin),
  ];
}

/** 134515008 -> 135M, as in file names on the hub. */
export function sizeLabel(parameters: number): string {
  const units: [number, string][] = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ];
  const [unit, letter] = units.find(([size]) => parameters >= size) ?? [1, ''];
  const scaled = parameters / unit;
  return `${scaled >= 10 || letter !== 'B' ? Math.round(scaled) : Math.round(scaled * 10) / 10}${letter}`;
}

/**
 * The license that a model's own files name: in the front matter of README.md, or in a GGUF file's
 * metadata. null if they name none.
 * @param path a folder or a GGUF file
 */
export function modelLicense(path: string): string | null {
  if (!statSync(path).isDirectory()) {
    using file = openGguf(path);
    const license = file.metadata['general.license'];
    return typeof license === 'string' ? license : null;
  }
  const card = join(path, 'README.md');
  if (!existsSync(card)) return null;
  const [, front] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readFileSync(card, 'utf8')) ?? [];
  return /^license:\s*["']?([\w.+-]+)["']?\s*$/m.exec(front ?? '')?.[1] ?? null;
}
