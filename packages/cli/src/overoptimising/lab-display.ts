import { type LabResults, labFindings, labTables } from '@keel/evaluate/over-optimisation';
import { sayTable } from '../auditing/audit-display.ts';
import { say, sayJson, styled } from '../terminal.ts';

/** Prints the results of a lab: its tables, and what they show. */
export function showLab({ analysis, files, notes }: LabResults, json: boolean): void {
  const findings = labFindings(analysis);
  if (json) {
    sayJson({ type: 'lab', findings, notes, ...files });
    return;
  }
  for (const { title, table } of labTables(analysis)) {
    say(styled('bold', `\n${title}`));
    sayTable(table);
  }
  say('');
  for (const sentence of [...findings, ...notes]) say(sentence);
  say(`\nReport: ${files.report}`);
}
