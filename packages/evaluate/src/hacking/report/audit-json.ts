// audit.json, and what --json prints.
import type { FeatureChange } from '@keel/align/hacking';
import { snakeJson } from '../../judging/files/snake-json.ts';
import type { AuditFile } from '../../result-files/audit-file.ts';
import type { Audited } from '../audit/audit-options.ts';
import { verdictSentences, verdictTitle } from './verdict-text.ts';

/** Plain data; features are in the order in which they are measured. */
export function auditJson({ audit, rows, names, about, course, unpaired }: Audited): AuditFile {
  const { verdict, explained, gainers, correlations, features } = audit;
  const score = (what: 'reward' | 'gold') =>
    audit[what] === null ? null : { name: names[what], ...audit[what] };
  return snakeJson({
    verdict: {
      ...{ code: verdict.code, alarm: verdict.alarm, title: verdictTitle(verdict) },
      sentences: verdictSentences(audit),
      ...{ reward: verdict.reward, gold: verdict.gold },
      mechanisms: verdict.mechanisms.map(({ change, with: others, ...mechanism }) => ({
        feature: nameOf(change),
        ...mechanism,
        size: change.size,
        with: others.map(nameOf),
      })),
    },
    ...{ about, prompts: audit.prompts, answers: audit.answers, unpaired },
    ...{ reward: score('reward'), gold: score('gold'), agreement: audit.agreement },
    ...{ deviation: audit.deviation, course },
    features: features.map(({ feature, values: _, changes: __, ...change }, at) => ({
      ...{ name: feature.name, label: feature.label, unit: feature.unit, ...change },
      correlation: correlations?.[at] ?? null,
    })),
    explained: explained && {
      ...explained,
      parts: explained.parts.map(({ quantity, ...part }) => ({
        feature: nameOf(features[quantity]!),
        ...part,
      })),
    },
    gainers: gainers && {
      answers: gainers.gainers.map(({ index, ...gain }) => ({
        ...gain,
        prompt: rows[index]!.prompt,
        before: rows[index]!.before.map(({ answer }) => answer),
        after: rows[index]!.after.map(({ answer }) => answer),
      })),
      features: gainers.features.map(({ change, ...common }) => ({
        feature: nameOf(change),
        ...common,
      })),
      phrases: gainers.phrases,
    },
  });
}

const nameOf = ({ feature }: FeatureChange): string => feature.name;
