// Reads constitutions: Keel's own YAML, and the JSON of Anthropic's paper and of Hugging Face's
// alignment handbook.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fileError } from '@keel/model';
import { isPlainObject } from '@keel/model/exact-json';
import { z } from 'zod';
import { ConfigError } from '../config/config-error.ts';
import { readSpec } from '../config/spec-file.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import type { Message } from '../data/messages.ts';
import { type Constitution, constitutionSchema, ownConstitution } from './constitution.ts';
import { parseTranscript } from './transcript.ts';

/** The constitution that comes with Keel. */
export const ownConstitutionFile = fileURLToPath(
  new URL('../../constitutions/keel.yaml', import.meta.url),
);

const WHAT = 'a constitution, with "principles:" that have "critique", "revision" or "preference"';

const readOwn = (file: string): Constitution =>
  ownConstitution(
    readSpec(readYamlFile(file, WHAT), constitutionSchema, { subject: 'the constitution' }),
  );

/** `{"harmful0": {"prompt": ["…CritiqueRequest: …"], "edit_request": "…RevisionRequest: …"}}` */
const paperSchema = z.record(
  z.string(),
  z.strictObject({ prompt: z.array(z.string()).min(1), edit_request: z.string().min(1) }),
);

/** `{"constitutions": [{"critic": …, "revision": …}], "system_chat": [[messages], …]}` */
const handbookSchema = z.object({
  constitutions: z.array(z.object({ critic: z.string().min(1), revision: z.string().min(1) })),
  system_chat: z.array(z.array(z.object({ role: z.string(), content: z.string() }))).default([]),
  system_prompt: z.string().optional(),
});

/** The two halves of a constitution: for critics and revisers, and for judges. */
type Half = 'critiques' | 'preferences';

const lacking: Readonly<Record<Half, string>> = {
  critiques: 'has questions for judges only, but no critiques and revisions',
  preferences: 'has critiques only, but no questions for judges ("preference")',
};

/**
 * Reads a constitution that has what is needed of it.
 * @param file null: Keel's own
 * @throws ConfigError as `readConstitution`; Error if that half is missing
 */
export function constitutionWith(half: Half, file: string | null): Constitution {
  const read = readConstitution(file ?? ownConstitutionFile);
  if (read[half].length > 0) return read;
  throw new Error(`${file}: ${lacking[half]}. Pass another --constitution`);
}

/** Checks a constitution before it is used. @throws as `constitutionWith` */
export const checkConstitution = (file: string | null, half: Half): void =>
  void constitutionWith(half, file);

/**
 * Reads a constitution: YAML or JSON in Keel's own form, the paper's JSON of critiques and
 * revisions (`CritiqueRevisionInstructions.json`) or of preferences (`RLMadisonInstructions.json`),
 * or the handbook's JSON.
 * @throws ConfigError naming the file, the place and what is wrong
 */
export function readConstitution(file: string): Constitution {
  if (!file.endsWith('.json')) return readOwn(file);
  const { text, value } = readJson(file);
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12);
  if (Array.isArray(value)) return preferences(value, file, version);
  if (isPlainObject(value) && 'principles' in value) {
    return readOwn(file);
  }
  if (isPlainObject(value) && 'constitutions' in value) {
    const { constitutions, system_chat } = checked(handbookSchema, value, file);
    return {
      ...{ name: file, version, preferences: [], examples: system_chat as Message[][] },
      critiques: constitutions.map(({ critic, revision }, index) => ({
        id: `principle-${index + 1}`,
        critique: critic,
        revision,
      })),
    };
  }
  const found = checked(paperSchema, value, file);
  const critiques = Object.entries(found).flatMap(([id, { prompt, edit_request }]) =>
    prompt.map((critique, index) => ({
      id: index === 0 ? id : `${id}.${index + 1}`,
      critique: requestIn(critique, 'CritiqueRequest', 'Critique'),
      revision: requestIn(edit_request, 'RevisionRequest', 'Revision'),
    })),
  );
  if (critiques.length === 0)
    throw new ConfigError([`${file}: has no principles; expected ${WHAT}`]);
  return { ...{ name: file, version, critiques }, preferences: [], examples: [] };
}

/**
 * Reads examples for critics: a JSON list of transcripts as in the paper's
 * `CritiqueRevisionFewShotPrompts.json`, or of lists of messages.
 * @throws ConfigError naming the file and the example
 */
export function readExamples(file: string): Message[][] {
  const { value } = readJson(file);
  if (!Array.isArray(value)) throw new ConfigError([`${file}: expected a list of examples`]);
  return value.map((example: unknown, index) => {
    const messages =
      typeof example === 'string'
        ? parseTranscript(example)
        : z.array(z.object({ role: z.string(), content: z.string() })).safeParse(example).data;
    if (messages && messages.length > 0) return messages as Message[];
    throw new ConfigError([
      `${file}: example ${index + 1}: expected a text with "Human:", "Assistant:", "CritiqueRequest:" and "Critique:", or a list of messages`,
    ]);
  });
}

/** The paper's instructions for comparisons, a list of texts that end in "Options:". */
function preferences(value: readonly unknown[], file: string, version: string): Constitution {
  const bad = value.findIndex((one) => typeof one !== 'string' || one.trim() === '');
  if (value.length === 0 || bad >= 0) {
    throw new ConfigError([
      `${file}: expected a list of texts${bad >= 0 ? `, found another value at ${bad + 1}` : ''}`,
    ]);
  }
  return {
    ...{ name: file, version, critiques: [], examples: [] },
    preferences: (value as string[]).map((text, index) => ({
      id: `preference-${index + 1}`,
      preference: text.trim().replace(/\s*Options:$/, ''),
    })),
  };
}

/** The request between its heading and the heading of its answer, if they are there. */
const requestIn = (text: string, heading: string, answer: string): string =>
  text
    .trim()
    .replace(new RegExp(`^${heading}:\\s*`), '')
    .replace(new RegExp(`\\s*${answer}:$`), '');

function readJson(file: string): { text: string; value: unknown } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([(fileError(error, { path: file, use: 'read' }) as Error).message]);
  }
  try {
    return { text, value: JSON.parse(text) };
  } catch (error) {
    throw new ConfigError([`${file}: is not JSON: ${(error as Error).message}`]);
  }
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  file: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(
      ({ path, message }) => `${file}: ${path.join('.') || 'the whole file'}: ${message}`,
    ),
  );
}
