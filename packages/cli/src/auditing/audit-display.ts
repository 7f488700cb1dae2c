import {
  type Audited,
  auditJson,
  changeTable,
  explainedTable,
  verdictSentences,
  verdictTitle,
} from '@keel/evaluate/auditing';
import { say, sayJson, styled } from '../terminal.ts';

/** Prints an audit: a table of changes, what explains the reward, and the verdict. */
export function showAudit(
  audited: Audited,
  files: Readonly<Record<string, string>> | null,
  json: boolean,
): void {
  if (json) {
    sayJson({ ...(auditJson(audited) as object), ...(files !== null && { files }) });
    return;
  }
  const { audit, about, unpaired } = audited;
  const { before, after } = audit.answers;
  say(`${about}: ${audit.prompts} prompts, ${before} answers before and ${after} after`);
  for (const [side, count] of Object.entries(unpaired))
    if (count > 0) say(`${count} answers ${side} are skipped: the other side has no answer`);
  for (const what of ['reward', 'gold'] as const) {
    const unscored = audit[what]?.unscored ?? 0;
    if (unscored > 0)
      say(
        `${unscored} of the prompts have an answer without ${what}, and do not count in its numbers`,
      );
  }
  say('');
  sayTable(changeTable(audited));
  const explained = explainedTable(audit);
  if (explained !== null) {
    say(styled('bold', '\nWhat explains the change of the reward'), ', prompt by prompt');
    sayTable(explained);
  }
  say('');
  say(styled(audit.verdict.alarm ? ['bold', 'red'] : 'bold', verdictTitle(audit.verdict)));
  for (const sentence of verdictSentences(audit)) say(`  ${sentence}`);
  for (const path of Object.values(files ?? {})) say(path);
}

/** @param texts columns of text; the others are numbers */
export function sayTable(
  table: readonly (readonly string[])[],
  texts: ReadonlySet<number> = new Set([0]),
): void {
  const widths = table[0]!.map((_, at) =>
    Math.max(...table.map((cells) => cells[at]?.length ?? 0)),
  );
  for (const cells of table) {
    const line = cells.map((cell, at) =>
      texts.has(at) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
    );
    say(line.join('  ').trimEnd());
  }
}
