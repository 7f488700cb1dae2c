// `keel dpo`, registered.
import { rankedObjectiveNames } from '../../objectives/ranked-names.ts';
import { pairedObjective, pairedObjectiveNames } from '../../objectives/registry.ts';
import { defineDpoOptions } from '../pairs/dpo-options.ts';
import { methodVerb } from '../registration/method-verb.ts';

const ofRankings = ({ loss }: { loss: readonly string[] }): boolean =>
  loss.some((name) => rankedObjectiveNames.includes(name));

export const dpoVerb = methodVerb({
  name: 'dpo',
  summary: 'align a model on preference pairs (DPO and its variants)',
  example:
    'npx keel dpo --data pairs.jsonl --eval-data held-out.jsonl --output runs/first --lora --beta 0.1',
  definition: defineDpoOptions([...pairedObjectiveNames, ...rankedObjectiveNames]),
  run: async () => (await import('./run-dpo.ts')).runDpo,
  stage: {
    gives: 'language model',
    rows: (options) => {
      if (ofRankings(options)) return 'rankings';
      return options.rankingPairs === null ? 'preference' : 'ranking pairs';
    },
    otherPasses: (options) => {
      const { loss, referenceSyncSteps } = options;
      const needed =
        ofRankings(options) || loss.some((name) => pairedObjective(name).needsReference);
      const passes = needed ? 1 : 0;
      // Scores from before the reference moved are of no use.
      return referenceSyncSteps === null ? { once: passes } : { always: passes };
    },
  },
});
