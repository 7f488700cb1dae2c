// Parts of a run that a program passes and options cannot name. config.yaml records them under
// `program`, so that a resumed run does not use others.

import { createHash } from 'node:crypto';
import { exactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import type { YamlFile } from './yaml-file.ts';
import { yamlText } from './yaml-text.ts';

/** Key of config.yaml. */
export const PROGRAM_KEY = 'program';

/** A part of a run that comes from the program that started it. */
export interface ProgramPart {
  name: string;
  /** SHA-256 of its source, as far as it is known. */
  sha256: string;
}

/** By the kind of part: `objective`. */
export type ProgramParts = Readonly<Record<string, ProgramPart>>;

/**
 * Identifies a part by its name and the source text of its functions, without the functions that
 * these call.
 */
export function programPart(name: string, part: object): ProgramPart {
  return { name, sha256: createHash('sha256').update(sourceOf(part)).digest('hex') };
}

function sourceOf(value: unknown, seen: Set<unknown> = new Set()): string {
  if (typeof value === 'function') return value.toString();
  if (typeof value !== 'object' || value === null) return exactJson(value) ?? String(value);
  if (value instanceof z.ZodType) {
    return JSON.stringify(z.toJSONSchema(value, { unrepresentable: 'any' }));
  }
  if (seen.has(value)) return '"seen"';
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // The methods of a class are on its prototype.
  const own = prototype === Object.prototype || prototype === null ? '' : classOf(value);
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}: ${sourceOf(one, seen)}`);
  return `${own}{${entries.join(', ')}}`;
}

const classOf = (value: object): string =>
  typeof value.constructor === 'function' ? value.constructor.toString() : '';

/** Their text in config.yaml. */
export function programYaml(parts: ProgramParts = {}): string {
  if (Object.keys(parts).length === 0) return '';
  const heading =
    '# From the program that started the run, not from Keel: only that program can resume it';
  return `\n${heading}\n${yamlText({ [PROGRAM_KEY]: parts })}`;
}

/**
 * How the program's parts differ from those of the resumed run; null if they are the same.
 * @param before the value of `program` in config.yaml
 */
export function changedProgram(before: unknown, now: unknown): string | null {
  const [old, own] = [before ?? {}, now ?? {}] as [ProgramParts, ProgramParts];
  for (const key of new Set([...Object.keys(old), ...Object.keys(own)])) {
    const [was, is] = [old[key], own[key]];
    if (was === undefined) {
      return `this run was started with Keel's own ${key}, and the program passes ${key} "${is!.name}". Resume it without`;
    }
    if (is === undefined) {
      return `the ${key} "${was.name}" of this run came from the program that started it, not from Keel. Run that program again with the option resume: true`;
    }
    if (was.name !== is.name)
      return `the ${key} was "${was.name}", now "${is.name}". Pass the one that the run was started with`;
    if (was.sha256 !== is.sha256) {
      return `the source of the ${key} "${is.name}" has changed since the run was started. Restore it`;
    }
  }
  return null;
}

/** @throws ConfigError if the file is the config.yaml of a run with parts of a program */
export function refuseProgramParts(file: YamlFile): void {
  const pair = file.pairs.find((one) => file.keyOf(one) === PROGRAM_KEY);
  if (pair === undefined) return;
  const parts = (file.pairsIn(pair) ?? []).map((one) => {
    const { written } = file.writtenOf(one);
    const [, name] =
      (written.kind === 'map' && written.entries.find(([key]) => key === 'name')) || [];
    return `${file.keyOf(one)}${name?.kind === 'scalar' ? ` "${name.text}"` : ''}`;
  });
  throw new ConfigError([
    `${file.placeOf(pair.key)}: the ${parts.join(' and the ')} of this run came from the program that started it, not from Keel. ` +
      `To resume the run, run that program again with the option resume: true. To start another run with Keel's own parts, copy the file without "${PROGRAM_KEY}"`,
  ]);
}
