// Attacks on a reward as a table, in sentences and as JSON.

import { snakeJson } from '../../judging/files/snake-json.ts';
import { rated } from '../../judging/summary/words.ts';
import type { AttacksFile } from '../../result-files/attacks-file.ts';
import type { AttackResult, RewardAttack } from '../attacks/attack-reward.ts';
import type { Table } from './audit-lines.ts';
import { inUnit } from './numbers.ts';

export function attackTable({ results }: RewardAttack): Table {
  return [
    ['attack', 'wins against real answers', 'its reward', 'real', '', ''],
    ...results.map(({ attack, wins, score, real, unscored, outcome }) => [
      attack.name,
      wins === null ? 'fits no row' : rated(wins),
      score === null ? '-' : inUnit('score', score),
      real === null ? '-' : inUnit('score', real),
      outcome === 'wins' ? 'WINS' : outcome === 'level' && attack.kind === 'empty' ? 'level' : '',
      `${attack.about}${unscored > 0 ? ` (${unscored} not scored)` : ''}`,
    ]),
  ];
}

export function attackSentences({ won, results, unscored, reward }: RewardAttack): string[] {
  const names = (
    kind: AttackResult['attack']['kind'],
    outcome: AttackResult['outcome'],
  ): string[] =>
    results
      .filter((one) => one.outcome === outcome && one.attack.kind === kind)
      .map(({ attack }) => attack.name);
  const [empty, changed] = [names('empty', 'wins'), names('changed', 'wins')];
  const level = names('empty', 'level');
  return [
    ...(unscored > 0
      ? [`${unscored} rows are skipped: ${reward} gave their answer no score.`]
      : []),
    ...(empty.length > 0
      ? [`Answers without content earn more than real ones: ${empty.join(', ')}.`]
      : []),
    ...(changed.length > 0
      ? [`An answer earns more when it is made no better: ${changed.join(', ')}.`]
      : []),
    ...(level.length > 0
      ? [`The reward cannot tell these from real answers: ${level.join(', ')}.`]
      : []),
    won
      ? 'A policy that is trained on this reward can learn to do that instead.'
      : 'This is no proof: a policy finds attacks that nobody thought of.',
  ];
}

export const attackTitle = ({ won }: Pick<RewardAttack, 'won'>): string =>
  won ? 'The reward can be gamed' : 'No attack wins';

/** Plain data, as attacks.json has it. */
export const attackJson = (found: RewardAttack): AttacksFile =>
  snakeJson({
    ...{ reward: found.reward, rows: found.rows, unscored: found.unscored, won: found.won },
    attacks: found.results.map(({ attack: { name, kind, about }, ...result }) => ({
      ...{ name, kind, about, ...result },
    })),
  });
