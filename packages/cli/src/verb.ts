import type { OptionsDefinition } from './torch-free/align-config.ts';

/** What a verb's file in options/ exports: enough for its help, without LibTorch. */
export interface VerbOptions<Options> {
  // biome-ignore lint/suspicious/noExplicitAny: a verb's schema is of its own shape
  definition: OptionsDefinition<any, Options>;
  /** One command line, shown at the end of the help. */
  example: string;
  /** Name of the option that is given without a flag. */
  operand?: string;
  /** The JSON Schema of its YAML file, where that is another than its options. */
  jsonSchema?(): Record<string, unknown>;
}

/** What a verb's file in verbs/ exports. */
export interface VerbRun<Options> {
  /** @returns the exit code */
  run(options: Options): Promise<number> | number;
}

/** A verb of the command line; its files are read only when it is called. */
export interface Verb {
  name: string;
  summary: string;
  options(): Promise<VerbOptions<unknown>>;
  run(): Promise<VerbRun<unknown>>;
}

/** Checks that options/ and verbs/ of a verb speak of the same options. */
export function verb<Options>(parts: {
  name: string;
  summary: string;
  options(): Promise<VerbOptions<Options>>;
  run(): Promise<VerbRun<Options>>;
}): Verb {
  return parts as unknown as Verb;
}
