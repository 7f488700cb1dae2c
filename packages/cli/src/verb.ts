import type { OptionsDefinition } from '@keel/align/config';

/** The exports of a verb's file in options/: enough for its help, without LibTorch. */
export interface VerbOptions<Options> {
  // biome-ignore lint/suspicious/noExplicitAny: every verb's schema has another shape
  definition: OptionsDefinition<any, Options>;
  /** One command line, shown at the end of the help. */
  example: string;
  /** Name of the option that is passed without a flag. */
  operand?: string;
  /** Whether flags after the operand are part of it. */
  passThrough?: boolean;
  /** The JSON Schema of its YAML file, if that has more than its options. */
  jsonSchema?(): Record<string, unknown>;
}

/** The exports of a verb's file in verbs/. */
export interface VerbRun<Options> {
  /** @returns the exit code */
  run(options: Options): Promise<number> | number;
}

/** A verb of the command line; its files are loaded only when it runs. */
export interface Verb {
  /** One word, or two for a verb of a group: `data convert`. */
  name: string;
  summary: string;
  /** Whether several processes can run it together (default: it runs in one). */
  together?: boolean;
  options(): Promise<VerbOptions<unknown>>;
  run(): Promise<VerbRun<unknown>>;
}

/** Verbs that share their first word: `keel data convert`, `keel data split`. */
export interface VerbGroup {
  name: string;
  summary: string;
  verbs: readonly Verb[];
}

/** Checks that a verb's files in options/ and verbs/ have the same options type. */
export function verb<Options>(parts: {
  name: string;
  summary: string;
  together?: boolean;
  options(): Promise<VerbOptions<Options>>;
  run(): Promise<VerbRun<Options>>;
}): Verb {
  return parts as unknown as Verb;
}
