import { type AskPlan, type AskResult, type AskSummary, runAsk } from '@keel/align';
import { type PreferenceStore, prioritiseTasks } from '@keel/studio';
import { setThreads } from '@keel/torch';
import { askedUnit, askOptions } from '../asking/ask-options.ts';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import { jobDisplay } from '../job-display.ts';
import type { AskVerbOptions } from '../options/ask.ts';
import { runJob } from '../run-job.ts';
import { shellWord } from '../shell-word.ts';
import { sayDryRun, type WorkPlan } from '../work-plan.ts';

/** Pairs of files into a file. */
type Filed = AskVerbOptions & { data: string[]; output: string };

export async function run(options: AskVerbOptions): Promise<number> {
  const { threads, project } = options;
  if (threads !== null) setThreads(threads);
  if (project === null) return choose({ ...options, data: options.data!, output: options.output! });
  await using store = await openStore(options.database);
  return await prioritise(store, project, options);
}

function choose(options: Filed): Promise<number> {
  const { dryRun, json } = options;
  const display = jobDisplay<AskResult>(json, {
    unit: askedUnit(options),
    lines: ({ summary }) => linesOf(summary!),
    advice,
  });
  return runJob(display, { saving: 'stopping without a result', dryRun }, async (hooks) =>
    runAsk(await askOptions(options, hooks.onNotice), {
      ...hooks,
      onPlan: (plan) => dryRun && sayDryRun(workPlan(plan, options), json),
      onProgress: (progress) => display.progress(progress),
    }),
  );
}

/** Gives all open pairs of a project a priority. */
async function prioritise(
  store: PreferenceStore,
  project: string,
  options: AskVerbOptions,
): Promise<number> {
  const { dryRun, json } = options;
  const display = jobDisplay<AskResult & { tasks: number }>(json, {
    unit: askedUnit(options),
    lines: ({ summary, tasks }) => [
      ['tasks', `${tasks} open pairs of project ${project} have a priority`],
      ...linesOf(summary!).slice(1),
    ],
    advice: () => [
      `\nPeople get them in this order with: npx keel data settings --project ${shellWord(project)} --order priority`,
    ],
  });
  return runJob(display, { saving: 'stopping without a result', dryRun }, (hooks) =>
    prioritiseTasks(
      store,
      project,
      async (files, count) => {
        // All pairs have one: which of them are drawn at random is the project's setting.
        const filed = { ...options, ...files, count, randomShare: 0, perPrompt: 1 };
        return runAsk(await askOptions(filed, hooks.onNotice), {
          ...hooks,
          onPlan: (plan) =>
            dryRun && sayDryRun(workPlan(plan, { ...filed, output: project }), json),
          onProgress: (progress) => display.progress(progress),
        });
      },
      machineUser(),
    ),
  );
}

const byName = {
  disagreement: 'disagreement of the members (deviation)',
  information: 'information about the members (nats)',
  uncertainty: 'uncertainty p(1 - p)',
};

function linesOf(summary: AskSummary): [string, string][] {
  const { rows, random, prompts, single, labelled, faults, by, mean } = summary;
  const lines: [string, string][] = [
    ['pairs', `${rows}, ${random} of them random`],
    ['prompts', String(prompts)],
    ['chosen by', byName[by]],
    ['its mean', `${mean.all.toPrecision(3)} of all pairs`],
  ];
  if (mean.chosen !== null) lines.push(['', `${mean.chosen.toPrecision(3)} of those chosen by it`]);
  if (single > 0) lines.push(['left out', `${single} prompts without two different answers`]);
  if (labelled > 0) lines.push(['left out', `${labelled} pairs that have a label`]);
  for (const [why, count] of Object.entries(faults)) lines.push(['not scored', `${count} ${why}`]);
  return lines;
}

function advice({ output, summary }: AskResult): string[] {
  const rows = `\n${summary!.rows} rows: ${output}`;
  if (summary!.rows === 0) return [rows];
  const file = shellWord(output);
  return [rows, `Have a judge label them: npx keel label --data ${file} --judge judge.yaml`];
}

function workPlan({ prompts, pairs, members, by }: AskPlan, options: Filed): WorkPlan {
  const { reward, judge, policy, count, randomShare, output } = options;
  const scorer = reward ?? judge ?? policy ?? [];
  return {
    verb: 'ask',
    model: null,
    parts: {
      scorer: {
        text: `${scorer.join(', ')}: ${members === 1 ? 'one member' : `${members} members`}`,
        data: { reward, judge, policy, members },
      },
      pairs: { text: `${pairs} of ${prompts} prompts`, data: { pairs, prompts } },
      asked: {
        text: `at most ${count}, ${Math.round(count * randomShare)} of them random, the others by ${by}`,
        data: { count, randomShare, by },
      },
      output: { text: output, data: output },
    },
  };
}
