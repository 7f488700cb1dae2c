import { counted } from '@keel/align/checking';
import type { ExportSummary, ImportSummary } from '@keel/studio';
import { say, sayJson } from '../terminal.ts';

export function showImport(summary: ImportSummary, json: boolean): void {
  if (json) {
    sayJson(summary);
    return;
  }
  const { formats, skipped, dropped, badRows, firstBadRow } = summary;
  for (const [format, files] of Object.entries(formats))
    say(`read as ${format}: ${files.join(', ')}`);
  if (badRows > 0) say(`${counted(badRows, 'bad row')} skipped. First fault: ${firstBadRow}`);
  for (const [why, rows] of Object.entries(skipped)) say(`${counted(rows, 'row')} skipped: ${why}`);
  for (const { column, rows, why } of dropped)
    say(`not read: ${column} (${counted(rows, 'row')}): ${why}`);
  const { tasks, known, annotations, gold, project, database, guidelines, rows } = summary;
  say(
    `${counted(rows, 'row')} read: ${counted(tasks, 'new task')}, ${known} known, ${counted(annotations, 'new verdict')}`,
  );
  if (gold > 0) say(`${counted(gold, 'task')} with a known right verdict`);
  if (guidelines !== null) say(`guidelines: version ${guidelines}`);
  say(`project ${project} in ${database}`);
}

export function showExport(summary: ExportSummary, json: boolean): void {
  if (json) {
    sayJson(summary);
    return;
  }
  const { tasks, written, output, skipped } = summary;
  for (const [why, count] of Object.entries(skipped)) say(`${count} skipped: ${why}`);
  say(`${counted(tasks, 'task')} read, ${counted(written, 'row')} written to ${output}`);
}
