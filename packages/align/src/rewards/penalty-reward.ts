// A penalty for what a policy likes to add when a reward lets it: hedges, lists, repetition. It is
// measured as `keel audit` measures it.
import { z } from 'zod';
import { contentText } from '../data/messages.ts';
import { answerFeatures } from '../hacking/features/answer-features.ts';
import { ReadAnswer } from '../hacking/features/read-answer.ts';
import { functionReward } from './function-reward.ts';
import type { Reward } from './reward.ts';

/** What can be measured of one answer alone, and of which less is better. */
export const penalisedFeatures = [
  'repetition',
  'list_items',
  'headers',
  'bold',
  'emoji',
  'exclamations',
  'hedges',
  'pleasantries',
  'flattery',
  'self_praise',
  'speaks_to_judge',
  'other_language',
] as const;

const feature = z.enum(penalisedFeatures);

export const penaltySchema = z.strictObject({
  type: z.literal('penalty'),
  /** One feature, or several whose amounts are added up. */
  feature: z.union([feature, z.array(feature).min(1)]),
  /** The amount that costs nothing. */
  above: z.number().nonnegative().default(0),
  /** The largest penalty. */
  most: z.number().positive().optional(),
});

const measures = new Map(answerFeatures.map(({ name, measure }) => [name, measure]));

/**
 * 0 for an answer with at most `above` of the features, otherwise minus what it has beyond that, at
 * most `most`. The amounts are in the features' units: per answer, per 100 words, or a share.
 */
export function penaltyReward(spec: z.input<typeof penaltySchema>): Reward {
  const { feature: named, above, most = Number.POSITIVE_INFINITY } = penaltySchema.parse(spec);
  const names = [...new Set([named].flat())];
  return functionReward(`penalty:${names.join(',')}`, ({ prompt, text }) => {
    const answer = new ReadAnswer(contentText(prompt), text);
    const aspects = Object.fromEntries(
      names.map((name) => [name, measures.get(name)!([answer])[0]!]),
    );
    const amount = Object.values(aspects).reduce((sum, one) => sum + one, 0);
    const excess = Math.min(Math.max(amount - above, 0), most);
    return { score: excess === 0 ? 0 : -excess, aspects };
  });
}
