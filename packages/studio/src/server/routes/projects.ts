// Projects: made, listed, filled from files and exported.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { formatNames } from '@keel/align/config';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { agreementOf } from '../../agreement/agreement.ts';
import { projectQuality } from '../../agreement/quality.ts';
import { EmptyExportError, exportProject } from '../../exporting/export-project.ts';
import { importFiles } from '../../importing/import-files.ts';
import { exportTargets, labelKinds, taskFormatNames } from '../../names.ts';
import type { SettingsPatch } from '../../store/settings.ts';
import { withoutExpectations } from '../../store/suggestions.ts';
import { demandAdmin, demandProject } from '../requests/access.ts';
import { body, checked, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { notFound, StudioError } from '../requests/errors.ts';
import { verdictBody } from './annotating.ts';

const projectName = z
  .string()
  .trim()
  .min(1, 'Enter a name')
  .max(100, 'A name has at most 100 characters')
  .regex(/^[^\p{Cc}]*$/u, 'A name has no control characters');

/** Formats of files that can be imported. */
export const importFormats = ['auto', ...taskFormatNames, ...formatNames];

/** What an upload says beside its files. */
const importing = z.object({
  from: z.enum(importFormats).default('auto'),
  overlap: z.coerce.number().int().min(1).max(100).nullable().default(null),
  gold: z.stringbool().default(false),
  person: z.string().min(1).max(80).default('imported'),
  onBadRow: z.enum(['fail', 'skip']).default('fail'),
});

const exporting = z.object({
  to: z.enum(exportTargets).default('pairs'),
  labels: z.enum(labelKinds).default('majority'),
  minVotes: z.coerce.number().int().min(1).max(100).default(1),
  edits: z.stringbool().default(false),
});

const flag = z.stringbool().optional();

/** Which tasks are listed. */
const listing = z.object({
  state: z.enum(['new', 'started', 'finished']).optional(),
  text: z.string().max(200).optional(),
  ...{ disputed: flag, flagged: flag, skipped: flag, gold: flag, adjudicated: flag },
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).default(0),
  sort: z.enum(['added', 'dispute', 'priority', 'newest']).default('added'),
});

export const projects = (studio: StudioContext) =>
  new Hono<StudioEnvironment>()
    .get('/', async (context) => {
      const person = context.get('person');
      const all = await studio.store.overview();
      const seen = await studio.people.projectsOf(person);
      return context.json(all.filter(({ id }) => seen === null || seen.has(id)));
    })
    .post('/', demandAdmin, body(z.strictObject({ name: projectName })), async (context) => {
      const { name } = context.req.valid('json');
      if ((await studio.store.projects()).includes(name))
        throw new StudioError(409, 'name', `There is already a project named ${name}`);
      const by = context.get('person').name;
      return context.json({ id: await studio.store.openProject(name, by) }, 201);
    })
    .use('/:project/*', demandProject(studio))
    .use('/:project', demandProject(studio))
    .get('/:project', async (context) => {
      const id = context.req.param('project');
      const name = await nameOf(studio, id);
      const settings = await studio.store.settings(id);
      return context.json({ id, name, settings, guidelines: await studio.store.guidelines(id) });
    })
    .patch(
      '/:project',
      demandAdmin,
      body(z.strictObject({ name: projectName })),
      async (context) => {
        await studio.store.renameProject(
          context.req.param('project'),
          context.req.valid('json').name,
          context.get('person').name,
        );
        return context.json({ ok: true });
      },
    )
    .delete('/:project', demandAdmin, async (context) => {
      await studio.store.deleteProject(context.req.param('project'), context.get('person').name);
      return context.json({ ok: true });
    })
    .patch(
      '/:project/settings',
      demandAdmin,
      body(z.record(z.string(), z.unknown())),
      async (context) => {
        const patch = context.req.valid('json') as SettingsPatch;
        const { name } = context.get('person');
        return context.json(
          await studio.store.saveSettings(context.req.param('project'), patch, name),
        );
      },
    )
    .put(
      '/:project/guidelines',
      demandAdmin,
      body(z.strictObject({ text: z.string().max(200_000) })),
      async (context) => {
        const { text } = context.req.valid('json');
        const { name } = context.get('person');
        const project = context.req.param('project');
        const version = await studio.store.saveGuidelines(project, text, name);
        return context.json({ version });
      },
    )
    .get('/:project/tasks', demandAdmin, query(listing), async (context) => {
      const { limit, offset, sort, ...filter } = context.req.valid('query');
      const paging = { limit, offset, sort };
      return context.json(
        await studio.store.taskList(context.req.param('project'), filter, paging),
      );
    })
    .get('/:project/tasks/:task', demandAdmin, async (context) => {
      const { project, task } = context.req.param();
      const detail = await detailOf(studio, project, task);
      const { name } = context.get('person');
      // An admin judges and settles tasks too, and is not to be influenced. A skip is no verdict,
      // and neither is a verdict that is being changed.
      const state = detail.claims.find(({ person }) => person === name)?.state;
      const isJudged =
        state === 'done' || (state !== 'held' && detail.adjudication?.person === name);
      const columns = withoutExpectations(detail.columns);
      if (isJudged) {
        const expects = Object.keys(columns).length < Object.keys(detail.columns).length;
        if (expects || detail.suggestions.length > 0)
          await studio.store.noteSuggestionsShown(task, name);
        return context.json(detail);
      }
      return context.json({ ...detail, columns, suggestions: [] });
    })
    .post('/:project/tasks/:task/adjudication', demandAdmin, body(verdictBody), async (context) => {
      const { project, task } = context.req.param();
      await detailOf(studio, project, task);
      const { name } = context.get('person');
      const { flagged: _, seconds: __, ...verdict } = context.req.valid('json');
      return context.json({ version: await studio.store.adjudicate(task, name, verdict) });
    })
    .post('/:project/import', demandAdmin, async (context) => {
      const name = await nameOf(studio, context.req.param('project'));
      const form = await context.req.parseBody({ all: true }).catch(() => {
        throw new StudioError(400, 'invalid', 'Send the files as multipart/form-data');
      });
      const files = [form.files ?? []].flat().filter((one) => one instanceof File);
      if (files.length === 0) throw new StudioError(400, 'files', 'Choose at least one file');
      const options = checked(importing, { ...form, files: undefined });
      const folder = await mkdtemp(join(tmpdir(), 'keel-upload-'));
      const paths = files.map(({ name }, at) => join(folder, `${at}${safeEnding(name)}`));
      // People know their files by name, not by where they were put.
      const ofUpload = <Text extends string | null>(text: Text) =>
        paths.reduce<string | null>(
          (said, path, at) => said?.replaceAll(path, basename(files[at]!.name)) ?? null,
          text,
        ) as Text;
      try {
        await Promise.all(files.map((file, at) => writeFile(paths[at]!, file.stream())));
        const summary = await importFiles(studio.store, {
          ...{ project: name, files: paths, ...options, columns: null, question: null },
          ...{ score: null, guidelines: null, seed: Math.floor(Math.random() * 2 ** 31) },
          by: context.get('person').name,
        });
        const { tasks, known, annotations, gold, skipped, badRows } = summary;
        const firstBadRow = ofUpload(summary.firstBadRow);
        return context.json({ tasks, known, annotations, gold, skipped, badRows, firstBadRow });
      } catch (error) {
        // The page has a check mark where the command line has an option.
        if (error instanceof Error)
          error.message = ofUpload(error.message).replaceAll(
            'skip bad rows with --on-bad-row skip',
            'check "Skip rows that cannot be read"',
          );
        throw error;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    })
    .get('/:project/export', demandAdmin, query(exporting), async (context) => {
      const project = await nameOf(studio, context.req.param('project'));
      const options = context.req.valid('query');
      const folder = await mkdtemp(join(tmpdir(), 'keel-export-'));
      try {
        const ending = options.to === 'argilla' || options.to === 'label-studio' ? 'json' : 'jsonl';
        const output = join(folder, `rows.${ending}`);
        const by = context.get('person').name;
        const summary = await exportProject(studio.store, {
          ...options,
          ...{ project, output, overwrite: false, by },
        });
        // What is not in the file is said beside it.
        const { output: _, ...said } = summary;
        context.header('Keel-Export', encodeURIComponent(JSON.stringify(said)));
        return download(context, await readFile(output), `${project}-${options.to}.${ending}`);
      } catch (error) {
        throw error instanceof EmptyExportError ? emptyExport(error) : error;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    })
    .get(
      '/:project/agreement',
      demandAdmin,
      query(z.object({ independent: z.stringbool().default(false) })),
      async (context) => {
        const project = context.req.param('project');
        const votes = await studio.store.votes(project, context.req.valid('query'));
        if (votes.lines.length === 0) return context.json(null);
        const quality = await projectQuality(studio.store, project, votes);
        return context.json({ ...agreementOf(votes), quality });
      },
    );

/** The fault in the words of the page, which has no options. */
function emptyExport({ to, skipped }: EmptyExportError): StudioError {
  const things = to === 'battles' ? 'battles' : 'tasks';
  const reasons = Object.entries(skipped).map(
    ([why, count]) => `${count} of the ${things}: ${why}`,
  );
  const nothing =
    to === 'battles'
      ? 'Nobody has voted in the arena of this project. Battles are exported after their votes'
      : 'This project has no tasks. Import some first';
  const none = `None of the ${things} becomes such a row. ${reasons.join('. ')}`;
  return new StudioError(409, 'empty', reasons.length === 0 ? nothing : none);
}

/** Everything about a task. @throws StudioError for a task of another project */
async function detailOf({ store }: StudioContext, project: string, task: string) {
  const detail = await store.taskDetail(task);
  if (detail.project !== project) throw notFound('There is no such task in this project');
  return detail;
}

/** @throws StudioError if there is no such project */
async function nameOf({ store }: StudioContext, id: string): Promise<string> {
  const found = await store.database
    .selectFrom('projects')
    .select('name')
    .where('id', '=', id)
    .executeTakeFirst();
  if (found === undefined) throw notFound('There is no such project');
  return found.name;
}

/** The ending by which a file's format is known; the rest of a name is only shown. */
const safeEnding = (name: string): string => /(\.[a-z]{1,8}){1,2}$/i.exec(name)?.[0] ?? '.jsonl';

function download(context: Context, content: Buffer<ArrayBuffer>, name: string): Response {
  const plain = name.replace(/[^\w.-]+/g, '_');
  return context.body(content, 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
  });
}
