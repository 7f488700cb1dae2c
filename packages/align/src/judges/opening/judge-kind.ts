// What there is to know of a kind of judge: its spec, its short form, and how it is opened.
import type { z } from 'zod';
import type { EndpointOptions } from '../endpoint/endpoint-client.ts';
import type { Judge } from '../judge.ts';
import type { ModelJudgeOptions } from '../model/model-judge.ts';

export interface JudgeOptions extends ModelJudgeOptions, EndpointOptions {
  /** What a judge that is asked becomes, such as one with a cache; of a panel, its members. */
  wrap?(judge: Judge): Judge;
}

/** Keys of a spec, of which `type` names the kind. */
type SpecSchema = z.ZodObject<{ type: z.ZodLiteral<string> }>;

export interface JudgeKind {
  schema: SpecSchema;
  /** Its short form, for messages: `model:NAME`. */
  form: string;
  /**
   * The spec that a short form stands for.
   * @param rest what follows the first colon of `form`
   */
  short(rest: string): object;
  /**
   * Opens a judge of a checked spec.
   * @param folder that its paths are relative to
   */
  open(spec: never, folder: string, options: JudgeOptions): Promise<Judge>;
}

/** Kinds by the `type` of their specs. */
export type JudgeKinds = Readonly<Record<string, JudgeKind>>;

/** A kind, checked by the types of its schema. */
export const judgeKind = <Schema extends z.ZodObject>(
  schema: Schema,
  own: {
    form: string;
    short(rest: string): object;
    open(spec: z.output<Schema>, folder: string, options: JudgeOptions): Promise<Judge>;
  },
): JudgeKind => ({ ...own, schema: schema as unknown as SpecSchema });
