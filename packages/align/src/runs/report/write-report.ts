import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { writeFileAtomic } from '../../files/atomic-write.ts';
import { keelVersion } from '../environment.ts';
import { comparisonSection, sampleSection } from './answer-sections.ts';
import { chartSection } from './chart-section.ts';
import { comparisonOfRuns } from './comparison-section.ts';
import { courseSection } from './course-section.ts';
import { headlineSection } from './headline-section.ts';
import { healthSection } from './health-section.ts';
import { html, trusted } from './markup.ts';
import { ranSection } from './ran-section.ts';
import type { ReportData } from './report-data.ts';
import { rewardSection } from './reward-section.ts';
import { lineageSection, stageSection } from './stage-sections.ts';

/** Writes a report as a single HTML file that needs no network and no other files. */
export function writeReport(path: string, data: ReportData): void {
  writeFileAtomic(path, renderReport(data));
}

/** The report's HTML. */
export function renderReport(data: ReportData): string {
  const charts = data.metrics ? chartSection(data.metrics) : null;
  const scripts = [...(charts ? [library('uPlot.iife.min.js')] : []), asset('client.js')];
  const styles = [
    ...(charts ? [library('uPlot.min.css')] : []),
    ...[
      'page',
      'health',
      'headlines',
      'answers',
      'charts',
      'reward',
      'stages',
      'compared',
      'ran',
      'print',
    ].map((name) => asset(`${name}.css`)),
    ...(data.styles ?? []),
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(scripts)}">
<title>${data.title}</title>
${styles.map((style) => html`<style>${trusted(insideElement(style, 'style'))}</style>\n`)}</head>
<body>
<main>
<header>
<p class="overline">Keel report${data.created && html` · <time datetime="${data.created}">${readableTime(data.created)}</time>`}</p>
<h1>${data.title}</h1>
<p class="summary">${data.summary}</p>
</header>
${data.health && healthSection(data.health)}
${data.headlines && headlineSection(data.headlines)}
${data.compared && comparisonOfRuns(data.compared)}
${data.sections}
${data.stages && stageSection(data.stages)}
${data.lineage && lineageSection(data.lineage)}
${data.comparisons && comparisonSection(data.comparisons)}
${data.course && courseSection(data.course)}
${data.reward && rewardSection(data.reward)}
${charts}
${data.samples && sampleSection(data.samples)}
${data.ran && ranSection(data.ran)}
<footer>Written by Keel ${keelVersion()}. One file; it asks nothing of the network.</footer>
</main>
${scripts.map((script) => html`<script>${trusted(insideElement(script, 'script'))}</script>\n`)}</body>
</html>
`;
  return page.text;
}

/** Allows only Keel's own scripts, whatever a prompt or an answer contains, and no requests. */
function contentPolicy(scripts: readonly string[]): string {
  const hashes = scripts.map(
    (script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes.join(' ')}`;
}

function insideElement(text: string, element: 'script' | 'style'): string {
  if (text.toLowerCase().includes(`</${element}`)) {
    throw new Error(`a ${element} of the report contains its own end tag`);
  }
  return text;
}

function asset(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
}

function library(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8').trim();
}

function readableTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
}
