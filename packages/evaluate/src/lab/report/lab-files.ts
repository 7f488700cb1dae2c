// The files of a lab's folder: results.json, table.md, plot.svg and report.html.
import { join } from 'node:path';
import { writeFileAtomic } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { snakeJson, writeJson } from '../../judging/files/snake-json.ts';
import type { LabFile } from '../../result-files/lab-file.ts';
import type { LabAnalysis } from '../curves/analyse.ts';
import { curvesPlot } from './curves-plot.ts';
import { labFindings } from './findings.ts';
import { type LabAbout, writeLabReport } from './lab-report.ts';
import { type LabTable, labTables } from './tables.ts';

export type LabFiles = Readonly<Record<'results' | 'table' | 'plot' | 'report', string>>;

export function writeLabFiles(folder: string, analysis: LabAnalysis, about: LabAbout): LabFiles {
  const files = {
    results: join(folder, 'results.json'),
    table: join(folder, 'table.md'),
    plot: join(folder, 'plot.svg'),
    report: join(folder, 'report.html'),
  };
  makeFolder(folder);
  writeJson<LabFile>(files.results, { version: 1, ...snakeJson(analysis) });
  writeFileAtomic(files.table, markdown(analysis));
  writeFileAtomic(files.plot, curvesPlot(analysis).text);
  writeLabReport(files.report, analysis, about);
  return files;
}

function markdown(analysis: LabAnalysis): string {
  const tables = labTables(analysis).map(
    ({ title, table }) => `## ${title}\n\n${markdownTable(table)}`,
  );
  const findings = labFindings(analysis).map((sentence) => `- ${sentence}\n`);
  return [...tables, findings.join('')].join('\n');
}

const markdownTable = ([head, ...rows]: LabTable): string =>
  [head!, head!.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
