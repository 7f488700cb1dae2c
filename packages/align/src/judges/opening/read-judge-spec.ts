// Reads what a judge is written as: a spec file, or a short form.
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { DEFAULT_MODEL_NAME, soughtAt } from '@keel/model/without-torch';
import { z } from 'zod';
import { ConfigError } from '../../config/config-error.ts';
import { nearest } from '../../config/nearest.ts';
import { readSpec, specFaults } from '../../config/spec-file.ts';
import type { Written, WrittenMap } from '../../config/written.ts';
import { readYamlFile } from '../../config/yaml-file.ts';
import { memberShape, panelShape } from '../panel/panel-spec.ts';
import type { JudgeKinds } from './judge-kind.ts';

const JUDGE = 'a judge, such as "type: model" and its "model"';

/** A member that is written elsewhere: `{judge: other.yaml, weight: 2}`. */
const namedSchema = z.strictObject({
  type: z.literal('judge'),
  judge: z.string().min(1),
  ...memberShape,
});

/** A checked spec. */
export interface JudgeSpec {
  spec: { type: string };
  /** The folder that its paths are relative to. */
  folder: string;
  /** The file that it is read from; null for a short form and a member of a panel's file. */
  file: string | null;
}

/** A checked spec of a panel. */
export interface PanelSpec extends z.output<z.ZodObject<typeof panelShape>> {
  judges: ({ type: string; weight: number } | z.output<typeof namedSchema>)[];
}

/**
 * Reads a judge: a spec file, or the short form of a kind.
 * @param folder that paths are relative to; a file that is not there is sought as it is named
 * @throws ConfigError for an invalid spec, naming file, line and column of every fault, and for
 *   anything else
 */
export function readJudge(text: string, kinds: JudgeKinds, folder = '.'): JudgeSpec {
  const colon = text.indexOf(':');
  const [name, rest] = colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 1)];
  if (Object.hasOwn(kinds, name)) {
    if (rest === '') {
      throw new ConfigError([
        `judge ${text}: nothing follows the colon. Write ${kinds[name]!.form}`,
      ]);
    }
    return { spec: shortForm(text, kinds[name]!.short(rest), kinds), folder, file: null };
  }
  if (/\.(ya?ml|json)$/.test(text)) {
    const beside = join(folder, text);
    const file = !isAbsolute(text) && existsSync(beside) ? beside : text;
    return { spec: readJudgeFile(file, kinds), folder: dirname(file), file };
  }
  if (Object.hasOwn(kinds, 'function') && isModule(text)) {
    return { spec: shortForm(text, kinds.function!.short(text), kinds), folder, file: null };
  }
  throw new ConfigError([`judge ${text}: ${noJudge(text, kinds)}`]);
}

/** Why a text is no judge, and which short form is meant. */
function noJudge(text: string, kinds: JudgeKinds): string {
  const forms = ['a spec (.yaml, .json)', ...formsOf(kinds)].join(', ');
  if (existsSync(text)) {
    const written = statSync(text).isDirectory()
      ? [`reward:${text} for a reward model`, `model:${text} for a language model`]
      : [`labels:${text} for people's labels`];
    return `a judge is not written as a path alone. Write ${written.join(' or ')}. Expected ${forms}`;
  }
  const none = `there is no such file${soughtAt(text)}`;
  if (text === DEFAULT_MODEL_NAME || text.startsWith('hub:'))
    return `${none}. Did you mean model:${text}?`;
  const [kind, ...rest] = text.split(':');
  const near = rest.length === 0 ? null : nearest(kind!, Object.keys(kinds));
  return near === null
    ? `${none}. Expected ${forms}`
    : `${none}. Did you mean ${near}:${rest.join(':')}?`;
}

/**
 * The members of a panel.
 * @throws ConfigError as {@link readJudge}, and for a panel in a panel
 */
export function membersOf(
  { judges }: PanelSpec,
  folder: string,
  kinds: JudgeKinds,
): { read: JudgeSpec; weight: number }[] {
  return judges.map(({ weight, ...spec }) => {
    if (!('judge' in spec)) return { read: { spec, folder, file: null }, weight };
    const read = readJudge(spec.judge, kinds, folder);
    if (read.spec.type !== 'panel') return { read, weight };
    throw new ConfigError([
      `${spec.judge}: is a panel, and a panel cannot contain another one. List its members`,
    ]);
  });
}

const isModule = (text: string): boolean => /\.(?:[cm]?[jt]s)(?:#[^/\\]*)?$/.test(text);

const formsOf = (kinds: JudgeKinds): string[] => Object.values(kinds).map(({ form }) => form);

function shortForm(text: string, written: object, kinds: JudgeKinds): { type: string } {
  const schema = kinds[(written as { type: string }).type]!.schema;
  const parsed = schema.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    specFaults(schema, written, parsed.error, 'the judge').map(
      (fault) => `judge ${text}: ${fault.text}`,
    ),
  );
}

/**
 * Reads a spec file, YAML or JSON.
 * @throws ConfigError naming file, line and column of every fault
 */
function readJudgeFile(file: string, kinds: JudgeKinds): { type: string } {
  if (!existsSync(file)) {
    throw new ConfigError([`judge ${file}: there is no such file${soughtAt(file)}`]);
  }
  const yaml = readYamlFile(file, JUDGE);
  if (yaml.pairs.length === 0) throw new ConfigError([`${file}: is empty; expected ${JUDGE}`]);
  return readSpec(yaml, specSchema(kinds), {
    subject: 'the judge',
    prepare: withNamedMembers,
  }) as { type: string };
}

function specSchema(kinds: JudgeKinds): z.ZodType {
  const schemas = Object.values(kinds).map(({ schema }) => schema);
  const members = schemas.map((schema) => schema.safeExtend(memberShape));
  const panel = z.strictObject({
    ...panelShape,
    judges: z
      .array(z.discriminatedUnion('type', [namedSchema, ...members]), {
        error: 'a list of judges',
      })
      .min(1, 'at least one judge'),
  });
  return z.discriminatedUnion('type', [panel, ...schemas]);
}

/** Members of a panel that are written elsewhere get a type. */
function withNamedMembers({ entries }: WrittenMap): WrittenMap {
  const named = (member: Written): Written => {
    const type = ['type', { kind: 'scalar', text: 'judge', quoted: true }] as const;
    if (member.kind === 'scalar') return { kind: 'map', entries: [type, ['judge', member]] };
    if (member.kind === 'list' || member.entries.some(([key]) => key === 'type')) return member;
    return { kind: 'map', entries: [type, ...member.entries] };
  };
  return {
    kind: 'map',
    entries: entries.map(([key, value]) =>
      key === 'judges' && value.kind === 'list'
        ? [key, { kind: 'list', items: value.items.map(named) }]
        : [key, value],
    ),
  };
}
