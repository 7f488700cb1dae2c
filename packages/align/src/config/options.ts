import { z } from 'zod';
import { kebabCase, snakeCase } from './case.ts';
import { inGroupOrder, type OptionGroup } from './option-groups.ts';

/**
 * What a value names: files of rows (paths, globs, hub:owner/name), a model, a reward, or a plain
 * file or folder. The content of these is part of what a run is made of.
 */
export type OptionInput = 'rows' | 'model' | 'reward' | 'file' | 'folder';

/** What the command line needs to know about an option besides its zod schema. */
export interface OptionDetails {
  /** One sentence for --help and for editors. It does not mention the default. */
  description: string;
  /** Heading under which --help lists the option. */
  group: OptionGroup;
  /** Whether --help lists the option; --help-all lists all. Required options are always common. */
  common?: boolean;
  /** What the value names, if it names a file, a folder or a model that is read. */
  reads?: OptionInput;
  /** Placeholder of the value in --help (default: by `reads` and the type). */
  value?: string;
  /** Only a flag: it applies to one command, so it is neither in YAML files nor in config.yaml. */
  flagOnly?: boolean;
  /** The flag may be given without a value; this is its value then. */
  bare?: string | number;
  /** The default in words, where the value alone (such as null) does not explain it. */
  shownDefault?: string;
  /** Omitted from config.yaml if it has no value. */
  sparse?: boolean;
  /** Names of a value in papers and other trainers, and what to write instead. */
  otherNames?: Readonly<Record<string, string>>;
  /**
   * For lists: whether one text may hold several values, separated by commas (default: true, but
   * false for rows, since globs may contain commas).
   */
  commas?: boolean;
  /**
   * The value is prose: `none` and `null` are ordinary texts. To give no value, omit the option.
   */
  literal?: boolean;
  /** The value is JSON text of an object; in YAML it may be a mapping. */
  mapping?: boolean;
}

const details = z.registry<OptionDetails>();

/** Attaches a description and the command line's details to an option's schema. */
export function option<Schema extends z.ZodType>(schema: Schema, about: OptionDetails): Schema {
  const described = schema.describe(about.description) as Schema;
  details.add(described, about);
  return described;
}

/** The details of an option. @throws Error if the schema was not made with `option` */
export function detailsOf(schema: z.ZodType): OptionDetails {
  const about = details.get(schema);
  if (!about) throw new Error('not made with option(schema, details)');
  return about;
}

/** The same option with other details, for a verb that describes or lists it differently. */
export const variant = <Schema extends z.ZodType>(
  schema: Schema,
  changes: Partial<OptionDetails>,
): Schema => option(schema, { ...detailsOf(schema), ...changes });

export type OptionType = 'string' | 'number' | 'integer' | 'boolean' | 'map';

/** One option as the command line, the YAML reader and the documentation see it. */
export interface OptionDescriptor extends OptionDetails {
  /** camelCase, as in TypeScript. */
  name: string;
  /** snake_case, as in YAML. */
  yamlKey: string;
  /** `--learning-rate`. */
  flag: string;
  /** `--no-shuffle`; null unless the option is a boolean. */
  negatedFlag: string | null;
  /** The flag with its value as --help shows it: `--data <path...>`, `--[no-]shuffle`. */
  usage: string;
  type: OptionType;
  list: boolean;
  /** Whether null is a value; in flags and YAML it is written `none`. */
  nullable: boolean;
  required: boolean;
  /** undefined if there is none. */
  default: unknown;
  choices: readonly string[] | null;
  /** Words that are allowed instead of a number. */
  words: readonly string[];
}

/** A verb's options: one zod object in camelCase, and what is derived from it. */
export interface OptionsDefinition<Schema extends z.ZodObject = z.ZodObject, Options = unknown> {
  verb: string;
  schema: Schema;
  /** In the order of {@link optionGroups}. */
  descriptors: readonly OptionDescriptor[];
  /** Fills in the defaults that depend on other options. */
  complete: (parsed: z.output<Schema>) => Options;
  /** Alternatives: a flag for one of them unsets the others that YAML set. */
  exclusive: readonly (readonly string[])[];
  /** Keys of its YAML file that are not options; the verb reads them itself. */
  parts?: readonly string[];
}

export interface DefineOptions<Schema extends z.ZodObject, Options> {
  complete: (parsed: z.output<Schema>) => Options;
  exclusive?: readonly (readonly (keyof z.output<Schema> & string)[])[];
}

/** The definition with a further step that fills in defaults. */
export const withCompletion = <Schema extends z.ZodObject, Options>(
  definition: OptionsDefinition<Schema, Options>,
  more: (options: Options) => Options,
): OptionsDefinition<Schema, Options> => ({
  ...definition,
  complete: (parsed) => more(definition.complete(parsed)),
});

/**
 * Derives a verb's flags and YAML keys from one zod object.
 *
 * @throws Error if an option was not made with `option`, or has a type that no flag can express
 */
export function defineOptions<Schema extends z.ZodObject, Options>(
  verb: string,
  schema: Schema,
  { complete, exclusive = [] }: DefineOptions<Schema, Options>,
): OptionsDefinition<Schema, Options> {
  const descriptors = Object.entries(schema.shape).map(([name, field]) =>
    describe(name, field as z.ZodType),
  );
  return { verb, schema, descriptors: inGroupOrder(descriptors), complete, exclusive };
}

interface Unwrapped {
  inner: z.ZodType;
  nullable: boolean;
  required: boolean;
  default: unknown;
}

function unwrap(schema: z.ZodType): Unwrapped {
  const result: Unwrapped = { inner: schema, nullable: false, required: true, default: undefined };
  for (;;) {
    const { inner } = result;
    if (inner instanceof z.ZodDefault) {
      result.default = inner.def.defaultValue;
      result.required = false;
    } else if (inner instanceof z.ZodNullable) result.nullable = true;
    else if (inner instanceof z.ZodOptional) result.required = false;
    else return result;
    result.inner = inner.def.innerType as z.ZodType;
  }
}

/** The type of a flag's value. @throws Error if no flag can express it */
export function scalarType(schema: z.ZodType, name: string): OptionType {
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodNumber) {
    return (schema.format ?? '').includes('int') ? 'integer' : 'number';
  }
  if (schema instanceof z.ZodUnion) return scalarType(schema.options[0] as z.ZodType, name);
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'string';
  throw new Error(`option ${name}: no flag can express the zod type ${schema.def.type}`);
}

const wordsOf = (union: z.ZodUnion): string[] =>
  union.options.flatMap((one) => (one instanceof z.ZodEnum ? one.options.map(String) : []));

const placeholders: Readonly<Record<OptionInput | OptionType, string>> = {
  rows: 'path',
  model: 'model',
  reward: 'reward',
  file: 'file',
  folder: 'folder',
  string: 'text',
  number: 'number',
  integer: 'n',
  boolean: '',
  map: 'json',
};

function describe(name: string, schema: z.ZodType): OptionDescriptor {
  const about = details.get(schema);
  if (!about) throw new Error(`option ${name}: make it with option(schema, details)`);
  const unwrapped = unwrap(schema);
  const list = unwrapped.inner instanceof z.ZodArray;
  const scalar = list ? ((unwrapped.inner as z.ZodArray).element as z.ZodType) : unwrapped.inner;
  const type = about.mapping ? 'map' : scalarType(scalar, name);
  const choices = scalar instanceof z.ZodEnum ? scalar.options.map(String) : null;
  const kebab = kebabCase(name);
  const flag = `--${kebab}`;
  const value = about.value ?? (choices ? 'choice' : placeholders[about.reads ?? type]);
  const usageOf = (): string => {
    if (type === 'boolean') return unwrapped.default === false ? flag : `--[no-]${kebab}`;
    return about.bare === undefined
      ? `${flag} <${value}${list ? '...' : ''}>`
      : `${flag} [${value}]`;
  };
  return {
    ...about,
    commas: about.commas ?? about.reads !== 'rows',
    common: unwrapped.required || about.common === true,
    name,
    yamlKey: snakeCase(name),
    flag,
    negatedFlag: type === 'boolean' ? `--no-${kebab}` : null,
    usage: usageOf(),
    type,
    list,
    nullable: unwrapped.nullable,
    required: unwrapped.required,
    default: unwrapped.default,
    choices,
    words: scalar instanceof z.ZodUnion ? wordsOf(scalar) : [],
  };
}
