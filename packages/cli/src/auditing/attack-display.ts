import {
  attackJson,
  attackSentences,
  attackTable,
  attackTitle,
  type RewardAttack,
} from '@keel/evaluate/auditing';
import { say, sayJson, styled } from '../terminal.ts';
import { sayTable } from './audit-display.ts';

/** Prints what each attack on a reward earns. */
export function showAttack(
  found: RewardAttack,
  files: Readonly<Record<string, string>> | null,
  json: boolean,
): void {
  if (json) {
    sayJson({ ...(attackJson(found) as object), ...(files !== null && { files }) });
    return;
  }
  say(`${found.reward}, attacked on ${found.rows} rows`);
  say('');
  sayTable(attackTable(found), new Set([0, 5]));
  say('');
  say(styled(found.won ? ['bold', 'red'] : 'bold', attackTitle(found)));
  for (const sentence of attackSentences(found)) say(`  ${sentence}`);
  for (const path of Object.values(files ?? {})) say(path);
}
