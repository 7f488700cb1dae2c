// What a project asks of people, and in which order it gives them tasks.
import { z } from 'zod';

/** A quality of answers that people rate with whole numbers, besides their verdict. */
const aspectSchema = z
  .strictObject({
    /** Name of the column in exports. */
    key: z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected small letters, digits and _'),
    label: z.string().min(1),
    question: z.string().default(''),
    least: z.number().int(),
    most: z.number().int(),
  })
  .refine(({ least, most }) => least < most && most - least <= 100, {
    error: 'most must be larger than least, by 100 at most',
  });

/** @see ProjectSettings */
export type Aspect = z.infer<typeof aspectSchema>;

const share = z.number().min(0).max(1);

const settingsSchema = z.strictObject({
  /** People who are to annotate each task. */
  overlap: z.number().int().min(1).max(100).default(1),
  aspects: z
    .array(aspectSchema)
    .max(20)
    .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, {
      error: 'two aspects have the same key',
    })
    .default([]),
  /** How much better an answer can be, in words: a strength is a number from 1. */
  strengths: z
    .array(z.string().min(1))
    .max(4)
    .refine((all) => new Set(all).size === all.length, {
      error: 'two strengths have the same name',
    })
    .default(['slightly better', 'better', 'much better']),
  /** Whether people can say that both answers are equally good, and that both are bad. */
  tie: z.boolean().default(true),
  bothBad: z.boolean().default(true),
  /** Of several answers, people name the order, or only the best. */
  ranking: z.enum(['order', 'best']).default('order'),
  /** Whether people can write a better answer. */
  edits: z.boolean().default(true),
  /** Share of the tasks of a person whose right verdict is known. */
  goldShare: z.number().min(0).max(0.5).default(0.05),
  order: z.enum(['added', 'random', 'priority']).default('added'),
  /**
   * Share of the tasks that are chosen at random where the order is that of priorities, and of the
   * battles whose models are.
   */
  randomShare: share.default(0.3),
  /** Whether people learn after a verdict what the reward model and judges expected. */
  suggestions: z.boolean().default(false),
  /** Verdicts that take less time, in seconds, are too fast. */
  tooFast: z.number().min(0).max(3600).default(3),
});

/** What a project asks of people, and in which order it gives them tasks. */
export type ProjectSettings = z.infer<typeof settingsSchema>;

/** Settings to change; the others stay as they are. */
export type SettingsPatch = Partial<z.input<typeof settingsSchema>>;

/** @param text JSON of the settings that are not the default */
export const settingsIn = (text: string): ProjectSettings => settingsSchema.parse(JSON.parse(text));

/**
 * Settings with a patch.
 * @returns them, and the JSON to keep
 * @throws RangeError that names every fault
 */
export function patchedSettings(
  text: string,
  patch: SettingsPatch,
): { settings: ProjectSettings; text: string } {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const whole = { ...(JSON.parse(text) as object), ...Object.fromEntries(given) };
  const { data, error } = settingsSchema.safeParse(whole);
  if (error === undefined) return { settings: data, text: JSON.stringify(whole) };
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`);
  throw new RangeError(`the settings cannot be saved. ${faults.join('; ')}`);
}
