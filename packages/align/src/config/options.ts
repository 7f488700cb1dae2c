import { z } from 'zod';
import { kebabCase, snakeCase } from './case.ts';

/** What the command line needs to know of an option beside its zod schema. */
export interface OptionDetails {
  /** One sentence for --help and for editors. */
  description: string;
  /** Heading under which --help lists the option. */
  group: string;
  /** Name of the value in --help, for example `path`. */
  value?: string;
  /** Only a flag: belongs to one call, so neither YAML nor config.yaml has it. */
  flagOnly?: boolean;
  /** The flag may stand without a value; this is the one that it then has. */
  bare?: string | number;
  /** What --help says is the default, where it is not a value of this option's own. */
  shownDefault?: string;
  /** Left out of config.yaml where it has no value. */
  sparse?: boolean;
  /** Values that it is given elsewhere, and what to write for them here. */
  otherNames?: Readonly<Record<string, string>>;
  /** For lists: whether one text may hold several values, separated by commas (default: true). */
  commas?: boolean;
  /**
   * The value is prose: `none` and `null` are texts like any other, and no value is written by
   * leaving the option out.
   */
  literal?: boolean;
  /** The value is JSON text of an object; YAML may write it as a mapping. */
  mapping?: boolean;
}

const details = z.registry<OptionDetails>();

/** Attaches a description and the command line's details to an option's schema. */
export function option<Schema extends z.ZodType>(schema: Schema, about: OptionDetails): Schema {
  const described = schema.describe(about.description) as Schema;
  details.add(described, about);
  return described;
}

/** What was attached to an option's schema. @throws Error where nothing was */
export function detailsOf(schema: z.ZodType): OptionDetails {
  const about = details.get(schema);
  if (!about) throw new Error('not made with option(schema, details)');
  return about;
}

export type OptionType = 'string' | 'number' | 'integer' | 'boolean' | 'map';

/** One option as the command line, the YAML reader and the documentation see it. */
export interface OptionDescriptor extends OptionDetails {
  /** camelCase, as in TypeScript. */
  name: string;
  /** snake_case, as in YAML. */
  yamlKey: string;
  /** `--learning-rate`. */
  flag: string;
  /** `--no-shuffle`; null for what is not a boolean. */
  negatedFlag: string | null;
  /** What --help shows, in commander's notation: `--data <path...>`, `--no-shuffle`. */
  usage: string;
  type: OptionType;
  list: boolean;
  /** Whether null is a value; flags and YAML write it `none`. */
  nullable: boolean;
  required: boolean;
  /** undefined where there is none. */
  default: unknown;
  choices: readonly string[] | null;
  /** Words that a number may be instead. */
  words: readonly string[];
}

/** A verb's options: one zod object in camelCase and what is derived from it. */
export interface OptionsDefinition<Schema extends z.ZodObject = z.ZodObject, Options = unknown> {
  verb: string;
  schema: Schema;
  descriptors: readonly OptionDescriptor[];
  /** Fills in the defaults that depend on other options. */
  complete: (parsed: z.output<Schema>) => Options;
  /** Options of which one replaces the others: a flag for one unsets the others that YAML set. */
  exclusive: readonly (readonly string[])[];
  /** Keys of its YAML file that are no options: the verb reads what is under them itself. */
  parts?: readonly string[];
}

export interface DefineOptions<Schema extends z.ZodObject, Options> {
  complete: (parsed: z.output<Schema>) => Options;
  exclusive?: readonly (readonly (keyof z.output<Schema> & string)[])[];
}

/** The definition, with more that is filled in after its own. */
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
 * @throws Error where an option was not made by `option` or has a type no flag can carry.
 */
export function defineOptions<Schema extends z.ZodObject, Options>(
  verb: string,
  schema: Schema,
  { complete, exclusive = [] }: DefineOptions<Schema, Options>,
): OptionsDefinition<Schema, Options> {
  const descriptors = Object.entries(schema.shape).map(([name, field]) =>
    describe(name, field as z.ZodType),
  );
  return { verb, schema, descriptors, complete, exclusive };
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

/** What a flag of this schema holds. @throws Error where a flag cannot */
export function scalarType(schema: z.ZodType, name: string): OptionType {
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodNumber) {
    return (schema.format ?? '').includes('int') ? 'integer' : 'number';
  }
  if (schema instanceof z.ZodUnion) return scalarType(schema.options[0] as z.ZodType, name);
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'string';
  throw new Error(`option ${name}: a flag cannot carry a value of zod type ${schema.def.type}`);
}

const wordsOf = (union: z.ZodUnion): string[] =>
  union.options.flatMap((one) => (one instanceof z.ZodEnum ? one.options.map(String) : []));

function describe(name: string, schema: z.ZodType): OptionDescriptor {
  const about = details.get(schema);
  if (!about) throw new Error(`option ${name}: make it with option(schema, details)`);
  const unwrapped = unwrap(schema);
  const list = unwrapped.inner instanceof z.ZodArray;
  const scalar = list ? ((unwrapped.inner as z.ZodArray).element as z.ZodType) : unwrapped.inner;
  const type = about.mapping ? 'map' : scalarType(scalar, name);
  const flag = `--${kebabCase(name)}`;
  const negatedFlag = type === 'boolean' ? `--no-${kebabCase(name)}` : null;
  const value = about.value ?? (type === 'integer' ? 'n' : type === 'map' ? 'json' : type);
  const usage =
    about.bare !== undefined
      ? `${flag} [${value}]`
      : type !== 'boolean'
        ? `${flag} <${value}${list ? '...' : ''}>`
        : unwrapped.default === true
          ? `--no-${kebabCase(name)}`
          : flag;
  return {
    ...about,
    name,
    yamlKey: snakeCase(name),
    flag,
    negatedFlag,
    usage,
    type,
    list,
    nullable: unwrapped.nullable,
    required: unwrapped.required,
    default: unwrapped.default,
    choices: scalar instanceof z.ZodEnum ? scalar.options.map(String) : null,
    words: scalar instanceof z.ZodUnion ? wordsOf(scalar) : [],
  };
}
