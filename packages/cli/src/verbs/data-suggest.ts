import { type SuggestResult, suggestTasks } from '@keel/studio';
import { setThreads } from '@keel/torch';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { jobDisplay } from '../job-display.ts';
import { openVerbJudge } from '../judging/open-verb-judge.ts';
import type { DataSuggestOptions } from '../options/data-suggest.ts';
import { runJob } from '../run-job.ts';
import { shellWord } from '../shell-word.ts';

interface Shown {
  output: string;
  interrupted: boolean;
  done: number;
  summary: (Omit<SuggestResult, 'interrupted'> & { shown: boolean }) | null;
}

export async function run(options: DataSuggestOptions): Promise<number> {
  const { project, database, threads, json, again, limit } = options;
  if (threads !== null) setThreads(threads);
  await using store = await openStore(database);
  const { suggestions } = await store.settings(await store.project(project));
  const display = jobDisplay<Shown>(json, {
    unit: 'pairs',
    lines: ({ summary }) => linesOf(summary!),
    advice: ({ summary }) =>
      summary!.shown
        ? []
        : [
            `\nPeople see them after their verdict with: npx keel data settings --project ${shellWord(project)} --suggestions`,
          ],
  });
  return await runJob(
    display,
    { saving: 'saving the suggestions', dryRun: false },
    async (hooks) => {
      await using judge = await openVerbJudge(options, hooks.onNotice);
      const given = { again, limit, by: machineUser() };
      const { interrupted, ...result } = await suggestTasks(store, project, judge, given, {
        signal: hooks.signal,
        onProgress: (progress) => display.progress(progress),
      });
      const summary = interrupted ? null : { ...result, shown: suggestions };
      return { output: store.name, interrupted, done: result.saved, summary };
    },
  );
}

function linesOf({ judge, saved, known, failed }: NonNullable<Shown['summary']>) {
  const lines: [string, string][] = [
    ['judge', judge],
    ['suggestions', `${saved} pairs`],
  ];
  if (known > 0) lines.push(['known', `${known} pairs had one already`]);
  for (const [why, count] of Object.entries(failed))
    lines.push(['no verdict', `${count} (${why})`]);
  return lines;
}
