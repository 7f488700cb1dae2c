// Training runs and what else is below the watched folder: read, stopped and resumed. Only admins
// see them: a run shows the machine's folders and all of its data.
import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { sampleKeys } from '../../watching/answers/samples-index.ts';
import type { RunChange } from '../../watching/run-changes.ts';
import { demandAdmin } from '../requests/access.ts';
import { body, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';

const id = z.string().min(1).max(4000);
const one = z.object({ run: id });
/** A parameter that may be given several times. */
const several = (item: z.ZodString) =>
  z.union([item.transform((only) => [only]), z.array(item)]).default([]);
const finite = z.coerce.number().optional();
const flag = z.stringbool().optional();
const part = { from: finite, to: finite, points: z.coerce.number().int().min(2).optional() };
const name = z.string().min(1).max(1000);

const samples = one.extend({
  text: z.string().max(1000).optional(),
  ...{ fromStep: finite, toStep: finite, minReward: finite, maxReward: finite },
  ...{ heldOut: flag, sort: z.enum(sampleKeys).optional(), descending: flag },
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

/** Milliseconds between two signs of life, so that no proxy closes a quiet stream. */
const ALIVE = 15_000;

export const runs = ({ runs: folder }: StudioContext) =>
  new Hono<StudioEnvironment>()
    .use(demandAdmin)
    .get('/', (context) => context.json({ folder: folder.path, ...folder.list() }))
    .get('/events', (context) =>
      streamSSE(context, async (stream) => {
        let pending: RunChange[] = [];
        let wake = (): void => {};
        const stop = folder.changes.listen((change) => {
          pending.push(change);
          wake();
        });
        stream.onAbort(() => {
          stop();
          wake();
        });
        try {
          while (!stream.aborted) {
            const sent = pending;
            pending = [];
            for (const change of sent) {
              await stream.writeSSE({ event: 'runs', data: JSON.stringify(change) });
            }
            if (pending.length > 0) continue;
            if (sent.length === 0) await stream.writeSSE({ event: 'alive', data: '' });
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, ALIVE);
              wake = () => {
                clearTimeout(timer);
                resolve();
              };
            });
          }
        } finally {
          stop();
        }
      }),
    )
    .get('/details', query(one), async (context) =>
      context.json(await folder.demand().run(context.req.valid('query').run)),
    )
    .get('/rows', query(one.extend({ cursor: z.string().max(100).optional() })), (context) => {
      const { run, cursor } = context.req.valid('query');
      const { rows, ...read } = folder.demand().rows(run, cursor ?? null);
      return context.json({ rows: rows.map(plainRow), ...read });
    })
    .get('/series', query(one.extend({ name: several(name), ...part })), (context) => {
      const { run, name: names, ...asked } = context.req.valid('query');
      const given = names.length === 0 ? {} : { names };
      return context.json(folder.demand().series(run, { ...given, ...defined(asked) }));
    })
    .get('/reward-costs', query(one), (context) =>
      context.json(folder.demand().rewardCosts(context.req.valid('query').run)),
    )
    .get('/samples', query(samples), async (context) => {
      const { run, ...asked } = context.req.valid('query');
      return context.json(await folder.demand().samples(run, defined(asked)));
    })
    .get(
      '/sample',
      query(one.extend({ line: z.coerce.number().int().min(1) })),
      async (context) => {
        const { run, line } = context.req.valid('query');
        return context.json(await folder.demand().sample(run, line));
      },
    )
    .get(
      '/extremes',
      query(
        one.extend({
          each: z.coerce.number().int().min(1).max(50).default(5),
          step: z.union([z.enum(['last', 'all']), z.coerce.number().int()]).default('last'),
        }),
      ),
      async (context) => {
        const { run, each, step } = context.req.valid('query');
        return context.json(await folder.demand().extremes(run, each, step));
      },
    )
    .get('/answers', query(one), (context) =>
      context.json(folder.demand().answers(context.req.valid('query').run)),
    )
    .get('/comparison', query(z.object({ run: several(id) })), (context) =>
      context.json(folder.demand().compare(context.req.valid('query').run)),
    )
    .get('/aligned', query(z.object({ run: several(id), name, ...part })), (context) => {
      const { run, name: metric, ...asked } = context.req.valid('query');
      return context.json(folder.demand().aligned(run, metric, defined(asked)));
    })
    .get('/output', query(one), (context) =>
      context.json({ text: folder.demand().output(context.req.valid('query').run) }),
    )
    .post('/stop', body(z.strictObject({ run: id })), (context) =>
      context.json(folder.demand().stop(context.req.valid('json').run)),
    )
    .post('/resume', body(z.strictObject({ run: id })), (context) =>
      context.json(folder.demand().resume(context.req.valid('json').run)),
    )
    // The path ends as the file does, so that links from a recipe's report lead to its stages'.
    .get('/reports/:path{(?:.+/)?report\\.html}', (context) => {
      const run = context.req.param('path').replace(/\/?report\.html$/, '') || '.';
      const page = readFileSync(folder.demand().report(run), 'utf8');
      // A frame without an origin does not send the session to another report: a new page does.
      return context.body(page.replace('<head>', '<head><base target="_blank">'), 200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': REPORT_POLICY,
      });
    });

/**
 * A report has its own scripts, and texts of models: it runs as a page of no site, which can reach
 * nothing.
 */
const REPORT_POLICY =
  "sandbox allow-scripts allow-popups; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** JSON has no NaN: such values are strings, as in metrics.jsonl. */
const plainRow = (row: Readonly<Record<string, number>>): Record<string, number | string> =>
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, Number.isFinite(value) ? value : `${value}`]),
  );

/** Without parameters that were not given. */
const defined = <Given extends object>(given: Given) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Given]: Exclude<Given[Key], undefined>;
  };
