// The routes of the Studio. The pages use nothing else: what they do, a program can do too.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { pages } from './pages.ts';
import { demandPerson, refuseForeign, safeHeaders } from './requests/access.ts';
import type { StudioContext, StudioEnvironment } from './requests/context.ts';
import { asStudioError, failed, notFound, StudioError } from './requests/errors.ts';
import { annotating } from './routes/annotating.ts';
import { arena } from './routes/arena.ts';
import { people } from './routes/people.ts';
import { importFormats, projects } from './routes/projects.ts';
import { rounds } from './routes/rounds.ts';
import { runs } from './routes/runs.ts';
import { enter, session } from './routes/session.ts';

export interface AppOptions {
  /** The built pages. */
  folder: string;
  /** Whether only this machine can reach the server. */
  local: boolean;
}

/** The routes below `/api`. */
export const api = (studio: StudioContext) =>
  new Hono<StudioEnvironment>()
    .route('/session', session(studio))
    .use(demandPerson(studio))
    .get('/formats', (context) => context.json(importFormats))
    .route('/people', people(studio))
    .route('/projects', projects(studio))
    .route('/projects', rounds(studio))
    .route('/projects', annotating(studio))
    .route('/projects', arena(studio))
    .route('/runs', runs(studio));

/** The type from which the pages' client follows. */
export type StudioApi = ReturnType<typeof api>;

export function createApp(studio: StudioContext, { folder, local }: AppOptions): Hono {
  const app = new Hono();
  app.use(safeHeaders());
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.use(refuseForeign(studio.url, local));
  app.use(
    bodyLimit({
      maxSize: studio.uploadBytes,
      onError: () => {
        const megabytes = Math.floor(studio.uploadBytes / 1e6);
        throw new StudioError(
          413,
          'too-large',
          `This is larger than ${megabytes} MB. Import the file with keel data import`,
        );
      },
    }),
  );
  app.get('/enter', enter(studio));
  app.use('/api/*', async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });
  app.route('/api', api(studio));
  app.all('/api/*', (context) => {
    throw notFound(`There is no ${context.req.method} ${context.req.path}`);
  });
  app.get('/*', pages(folder));
  app.onError((error, context) => {
    const known = asStudioError(error);
    if (known.status === 500) studio.log(error);
    return failed(context, known);
  });
  return app;
}
