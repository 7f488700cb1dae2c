import { readFileSync } from 'node:fs';
import { ConfigError } from '@keel/align/config';
import { contentText } from '@keel/align/data';
import {
  type PreferenceStore,
  type TaskDetail,
  type Verdict,
  withoutExpectations,
} from '@keel/studio';
import { lineOf, shownOf } from '../collecting/listing.ts';
import { machineUser } from '../collecting/machine-user.ts';
import { openStore } from '../collecting/open-store.ts';
import type { DataAdjudicateOptions } from '../options/data-adjudicate.ts';
import { shellWord } from '../shell-word.ts';
import { say, sayJson, styled } from '../terminal.ts';

export async function run(options: DataAdjudicateOptions): Promise<number> {
  const edit = options.edit === null ? null : readFileSync(options.edit, 'utf8').trimEnd();
  await using store = await openStore(options.database);
  const project = await store.project(options.project);
  if (options.task === null) await list(store, project, options);
  else await settle(store, project, options.task, options, edit);
  return 0;
}

/** Tasks on which people disagree and that nobody has settled, most disputed first. */
async function list(
  store: PreferenceStore,
  project: string,
  { limit, offset, json, project: name }: DataAdjudicateOptions,
): Promise<void> {
  const { total, tasks } = await store.disagreements(project, { limit, offset });
  const details = await Promise.all(tasks.map(({ id }) => store.taskDetail(id)));
  if (json) {
    sayJson({ total, tasks: details.map(shown) });
    return;
  }
  for (const { id, prompt, answers, annotations, kind } of details) {
    say(styled('bold', id), `  ${lineOf(contentText(prompt), 90)}`);
    for (const [at, { content }] of answers.entries())
      say(`  ${nameOf(kind, at)}  ${lineOf(contentText(content), 90) || '(empty answer)'}`);
    const said = annotations.flatMap((one) =>
      one.choice === null ? [] : [`${one.person}: ${verdictText(one)}`],
    );
    say(`  ${said.join(', ')}\n`);
  }
  say(shownOf(tasks.length, total, 'disagreement', offset));
  if (total === 0) return;
  const command = `npx keel data adjudicate TASK --project ${shellWord(name)}`;
  say(`To settle one: ${command} --choice left, or --ranks for a ranking`);
}

/**
 * What is printed of a task as JSON: without every version of every verdict, and without what
 * models expect, which would influence who settles it.
 */
function shown({
  versions: _,
  claims: __,
  suggestions: ___,
  columns,
  ...task
}: TaskDetail): object {
  return { ...task, columns: withoutExpectations(columns) };
}

const nameOf = (kind: TaskDetail['kind'], at: number): string =>
  kind === 'pair' ? ['left: ', 'right:'][at]! : `${at + 1}:`;

const verdictText = ({ choice, ranks, strength }: Verdict): string => {
  const what = ranks == null ? String(choice).replace('_', ' ') : `ranks ${ranks.join(',')}`;
  return strength == null ? what : `${what} (strength ${strength})`;
};

async function settle(
  store: PreferenceStore,
  project: string,
  task: string,
  { choice, ranks, strength, comment, editOf, json, ...options }: DataAdjudicateOptions,
  edit: string | null,
): Promise<void> {
  const person = options.person ?? machineUser();
  if (person === null)
    throw new ConfigError(['--person: this machine has no name for you. Say who settles the task']);
  try {
    const detail = await store.taskDetail(task);
    if (detail.project !== project)
      throw new RangeError(`task ${task} is not in project ${options.project}`);
    const version = await store.adjudicate(task, person, {
      ...{ choice: choice ?? 'ranked', ranks, strength, comment },
      ...(edit !== null && {
        edit: { answer: editOf === null ? null : editOf - 1, text: edit },
      }),
    });
    if (json) sayJson({ task, person, version });
    else say(`task ${task} is settled by ${person} (version ${version})`);
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError([`<task> ${error.message}`]);
    throw error;
  }
}
