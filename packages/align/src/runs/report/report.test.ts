import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedBeginning } from './answer-sections.ts';
import { chartsOf } from './charts.ts';
import { explainDisplacement, likelihoodDisplacement } from './displacement.ts';
import { formatNumber, formatShare } from './format.ts';
import { escapeHtml, html, scriptJson } from './markup.ts';
import type { ReportData } from './report-data.ts';
import { renderReport, writeReport } from './write-report.ts';

const evil = `</script><script>alert("1")</script><img src=x onerror='a()'>&`;

const rows = Array.from({ length: 40 }, (_, index) => ({
  step: index + 1,
  loss: 0.7 - index / 100,
  'rewards/accuracies': 0.5,
  'logps/chosen': -60 - index,
  'logps/rejected': -70 - 2 * index,
}));

const full: ReportData = {
  title: `Title ${evil}`,
  summary: evil,
  created: '2026-03-04T05:06:00Z',
  headlines: [
    {
      label: 'Accuracy',
      before: { value: 0.5, interval: [0.4, 0.6] },
      after: { value: 0.9, interval: [0.8, 0.95] },
      unit: 'share',
      better: 'higher',
      note: evil,
    },
  ],
  comparisons: {
    rows: [
      { prompt: evil, before: { text: evil }, after: { text: '', verdict: { passed: false } } },
    ],
  },
  metrics: [...rows, { step: 40, eval_loss: 0.3 }],
  samples: {
    behaviour: evil,
    rows: [
      {
        prompt: 'p',
        before: { text: 'a', verdict: { passed: false, reason: evil } },
        after: { text: 'b', verdict: { passed: true } },
      },
    ],
  },
  ran: {
    facts: [{ label: 'Model', value: evil }],
    commands: [{ label: 'Chat', command: `keel chat --system "${evil}"` }],
    config: evil,
  },
};

describe('page', () => {
  test('has every section, and only the heading without data', () => {
    const page = renderReport(full);
    for (const id of ['headlines', 'answers', 'curves', 'samples', 'ran']) {
      expect(page).toContain(`id="${id}"`);
    }
    const bare = renderReport({ title: 'T', summary: 'S' });
    expect(bare).toContain('<h1>T</h1>');
    expect(bare).not.toContain('<section');
    expect(bare).not.toContain('leeoniya');
  });

  test('no text of the data becomes markup', () => {
    const page = renderReport(full);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<script>alert');
    // The data of the charts, uPlot and the page's own script.
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  test('makes no network requests', () => {
    const page = renderReport(full);
    expect(page).toContain('default-src &#39;none&#39;');
    expect(page).not.toMatch(/<link|<iframe|@import|url\(|src="|href="/);
  });

  test('is written whole, and is the same for the same data', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keel-report-'));
    const path = join(folder, 'report.html');
    writeReport(path, full);
    expect(readFileSync(path, 'utf8')).toBe(renderReport(full));
    rmSync(folder, { recursive: true });
  });

  test('charts have a description and a table of their values', () => {
    const page = renderReport({ ...full, metrics: rows.slice(0, 2) });
    expect(page).toContain(
      'aria-label="Loss. training: 0.700 at step 1, 0.690 at step 2, lowest 0.690, highest 0.700."',
    );
    expect(page).toContain('<tr><th scope="row">2</th><td>0.690</td></tr>');
  });

  test('a change within the interval is not called better', () => {
    const [headline] = full.headlines!;
    const page = (after: [number, number], value: number): string =>
      renderReport({
        title: '',
        summary: '',
        headlines: [{ ...headline!, after: { value, interval: after } }],
      });
    expect(page([0.8, 0.95], 0.9)).toContain('+40 points, better');
    expect(page([0.45, 0.7], 0.6)).toContain('+10 points, within the interval');
    expect(page([0.1, 0.3], 0.2)).toContain('\u221230 points, worse');
  });

  test('if the same rows were measured twice, the interval of the difference decides', () => {
    const [headline] = full.headlines!;
    const page = (difference: [number, number]): string =>
      renderReport({
        title: '',
        summary: '',
        headlines: [{ ...headline!, after: { value: 0.6, interval: [0.45, 0.7] }, difference }],
      });
    expect(page([0.02, 0.18])).toContain('+10 points (95%: 2% to 18%), better');
    expect(page([-0.02, 0.22])).toContain('+10 points (95%: \u22122% to 22%), which');
  });
});

describe('charts', () => {
  test('training and held-out values share their steps', () => {
    const [chart] = chartsOf([
      { step: 0, eval_loss: 0.7 },
      { step: 1, loss: 0.6 },
      { step: 2, loss: Number.NaN },
      { step: 2, eval_loss: 0.5 },
    ]);
    expect(chart).toMatchObject({ id: 'loss', steps: [0, 1, 2] });
    expect(chart!.series.map(({ label, values }) => [label, values])).toEqual([
      ['training', [null, 0.6, null]],
      ['held out', [0.7, null, 0.5]],
    ]);
  });

  test('metrics without values have no chart', () => {
    expect(chartsOf([{ step: 1, kl: 0.1, other: 2 }]).map(({ id }) => id)).toEqual(['kl']);
  });

  test('smoothing keeps a straight line except at its ends, and constants everywhere', () => {
    const charts = chartsOf(rows);
    const [loss, accuracy] = charts.map(({ series }) => series[0]!);
    expect(loss!.smoothed![20]).toBeCloseTo(loss!.values[20]!, 12);
    expect(accuracy!.smoothed).toEqual(accuracy!.values);
  });

  test('a long run is thinned to means', () => {
    const long = Array.from({ length: 8000 }, (_, index) => ({ step: index, loss: index }));
    const [chart] = chartsOf(long);
    expect(chart!.steps).toHaveLength(800);
    expect(chart!.series[0]!.values.slice(0, 2)).toEqual([4.5, 14.5]);
  });
});

describe('likelihood displacement', () => {
  const held = (chosen: number, rejected: number) => [
    { step: 0, 'eval_logps/chosen': -50, 'eval_logps/rejected': -50 },
    { step: 9, 'eval_logps/chosen': chosen, 'eval_logps/rejected': rejected },
  ];

  test('both falling is displacement, reported on held-out rows first', () => {
    const both = likelihoodDisplacement([...rows, ...held(-55, -80)])!;
    expect(both).toEqual({
      chosen: [-50, -55],
      rejected: [-50, -80],
      on: 'held-out',
      displaced: true,
    });
    expect(explainDisplacement(both)).toContain('likelihood displacement: the margin grew');
  });

  test('a chosen answer that rises is no displacement, and one that falls alone is worse', () => {
    const risen = likelihoodDisplacement(held(-45, -80))!;
    expect(risen.displaced).toBe(false);
    expect(explainDisplacement(risen)).toContain('no likelihood displacement');
    expect(explainDisplacement(likelihoodDisplacement(held(-60, -40))!)).toContain(
      'Only the chosen',
    );
  });

  test('training rows are taken by tenths', () => {
    expect(likelihoodDisplacement(rows)).toMatchObject({
      on: 'training',
      chosen: [-61.5, -97.5],
      displaced: true,
    });
    expect(likelihoodDisplacement([{ step: 1, loss: 1 }])).toBeNull();
  });
});

test('markup escapes inserted text, lists and nothing', () => {
  const part = html`<b>${'<'}</b>`;
  expect(html`${part}${[part, '&']}${null}${false}${0}`.text).toBe('<b>&lt;</b><b>&lt;</b>&amp;0');
  expect(escapeHtml(`"'`)).toBe('&quot;&#39;');
  const json = scriptJson({ a: '</script><!--\u2028' }).text;
  expect(json).not.toMatch(/[<>\u2028]/);
  expect(JSON.parse(json)).toEqual({ a: '</script><!--\u2028' });
});

test('the shared beginning ends with a word', () => {
  expect(sharedBeginning('The sky is blue', 'The sky is black')).toBe('The sky is '.length);
  expect(sharedBeginning('Yes', 'Yesterday')).toBe(0);
  expect(sharedBeginning('same', 'same')).toBe(4);
});

test('numbers are short and have a true minus', () => {
  expect([0, 0.5, -12.345, 1234.5, 2e-6, 3e7, Number.NaN].map(formatNumber)).toEqual([
    '0',
    '0.500',
    '\u221212.3',
    '1,235',
    '2e\u22126',
    '3e7',
    'not a number',
  ]);
  expect([0.5, 0.917, -0.25, 1].map(formatShare)).toEqual(['50%', '91.7%', '\u221225%', '100%']);
});
