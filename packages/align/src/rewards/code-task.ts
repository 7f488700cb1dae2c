import { z } from 'zod';
import { type RewardInput, spokenText } from './reward.ts';

/** The fields of a row with its tests. */
export const codeTaskShape = {
  /** Field with a test or a list of tests, in Python. */
  tests_field: z.string().min(1).default('tests'),
  /** Field with a list of {input, output}: what a program reads and must print. */
  cases_field: z.string().min(1).default('cases'),
  /** Field with the only name that the tests use from the program. */
  entry_point_field: z.string().min(1).default('entry_point'),
  /** Field with code that the tests need and the program cannot see. */
  setup_field: z.string().min(1).default('setup'),
  /**
   * The completion continues the prompt, which is code. The prompt is then part of the program, and
   * setup of the tests.
   */
  prompt_is_code: z.boolean().default(false),
  /** Whether the program may change lists, dicts and sets that the tests pass to it. */
  in_place: z.boolean().default(false),
};

export type CodeTaskSpec = z.output<z.ZodObject<typeof codeTaskShape>>;

/** Names of these fields in public datasets. */
const otherNames = {
  tests: ['test', 'test_list', 'unit_tests'],
  cases: ['input_output', 'test_cases'],
};

const testsSchema = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const casesSchema = z.array(z.strictObject({ input: z.string(), output: z.string() })).min(1);

export type CodeTask = { prefix: string } & (
  | { tests: string[]; setup: string; entryPoint: string | null; inPlace: boolean }
  | { cases: { input: string; output: string }[] }
);

/** A row's tests. `fail` throws an error with what is missing or wrong. */
export function codeTask(
  { prompt, extra }: RewardInput,
  spec: CodeTaskSpec,
  fail: (message: string) => never,
): CodeTask {
  const prefix = spec.prompt_is_code ? spokenText(prompt) : '';
  const find = (field: string, standard: keyof typeof otherNames): [string, unknown] | null => {
    const known = field === standard ? [field, ...otherNames[standard]] : [field];
    const name = known.find((one) => extra[one] !== undefined && extra[one] !== null);
    return name === undefined ? null : [name, extra[name]];
  };
  const text = (field: string): string | null => {
    const value = extra[field] ?? null;
    if (value !== null && typeof value !== 'string') fail(`the field "${field}" is not text`);
    return value as string | null;
  };
  const tests = find(spec.tests_field, 'tests');
  if (tests !== null) {
    const parsed = testsSchema.safeParse(tests[1]);
    if (!parsed.success) return fail(`the field "${tests[0]}" is not a test or a list of tests`);
    return {
      prefix,
      tests: [parsed.data].flat(),
      setup: text(spec.setup_field) ?? prefix,
      entryPoint: text(spec.entry_point_field),
      inPlace: spec.in_place,
    };
  }
  const cases = find(spec.cases_field, 'cases');
  if (cases !== null) {
    const parsed = casesSchema.safeParse(asCases(cases[1]));
    if (!parsed.success) return fail(`the field "${cases[0]}" is not a list of {input, output}`);
    return { prefix, cases: parsed.data };
  }
  const fields = Object.keys(extra).map((name) => `"${name}"`);
  return fail(
    `the row has no tests: it needs "${spec.tests_field}" or "${spec.cases_field}", but ` +
      `${fields.length > 0 ? `its other fields are ${fields.join(', ')}` : 'has no other fields'}`,
  );
}

/**
 * Some datasets have two lists instead of a list of cases, and some write them as JSON in a string.
 */
function asCases(value: unknown): unknown {
  if (typeof value === 'string') {
    try {
      return asCases(JSON.parse(value));
    } catch {
      return value;
    }
  }
  const lists = value as { inputs?: unknown[]; outputs?: unknown[] } | null;
  if (!Array.isArray(lists?.inputs) || lists.inputs.length !== lists.outputs?.length) return value;
  return lists.inputs.map((input, index) => ({ input, output: lists.outputs![index] }));
}
