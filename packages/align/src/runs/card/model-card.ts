// Writes README.md of a result: a model card in the hub's format.
import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic-write.ts';
import { formatterOf } from '../report/format.ts';
import { type Paper, papersOf } from './papers.ts';
import type { ResultRecord, StageRecord } from './result-record.ts';

/** The folder's path in the commands of the card, which must not depend on this machine. */
const PLACE = 'path/to/this/folder';

export const writeModelCard = (folder: string, record: ResultRecord): void =>
  writeFileAtomic(join(folder, 'README.md'), modelCard(record));

export function modelCard(record: ResultRecord): string {
  const sections = [
    frontMatter(record),
    `# ${title(record)}`,
    introduction(record),
    baseSection(record),
    ...record.stages.map((stage, index) => stageSection(stage, index, record.stages.length)),
    lineageSection(record),
    useSection(record),
    limitations(record),
    citations(record),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function frontMatter({ base, kind, use, stages }: ResultRecord): string {
  const methods = stages.map(({ verb }) => verb);
  const lora = stages.some((stage) => stage.lora);
  const tags = ['keel', ...new Set(methods), ...(lora ? ['lora'] : [])];
  if (use === 'reward model') tags.push('reward-model');
  const datasets = [
    ...new Set(
      stages.flatMap(({ data }) =>
        data.flatMap(({ name }) => /^hub:([\w.-]+\/[\w.-]+)/.exec(name)?.[1] ?? []),
      ),
    ),
  ];
  // The hub accepts only its own names here.
  const repository =
    base.repository === null
      ? []
      : [
          `base_model: ${quoted(base.repository)}`,
          `base_model_relation: ${kind === 'adapter' ? 'adapter' : 'finetune'}`,
        ];
  return [
    '---',
    ...repository,
    `library_name: ${kind === 'adapter' ? 'peft' : 'transformers'}`,
    `pipeline_tag: ${use === 'reward model' ? 'text-classification' : 'text-generation'}`,
    'tags:',
    ...tags.map((tag) => `- ${quoted(tag)}`),
    ...(datasets.length > 0 ? ['datasets:', ...datasets.map((name) => `- ${quoted(name)}`)] : []),
    '---',
  ].join('\n');
}

/** A JSON string is also a YAML string. */
const quoted = (text: string): string => JSON.stringify(text);

/** Text of users as Markdown code, on one line; it is also safe in a table. */
function code(text: string): string {
  const plain = text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = longest > 0 ? ' ' : '';
  return `${fence}${space}${plain}${space}${fence}`;
}

const lastPart = (name: string): string =>
  name
    .replace(/[\\/]+$/, '')
    .split(/[\\/]/)
    .at(-1)!;

function title({ base, kind, use, stages }: ResultRecord): string {
  const of = escaped(lastPart(base.repository ?? base.name));
  const how = [...new Set(stages.map(({ verb }) => verb))].join(', ');
  const what = kind === 'adapter' ? `${use} adapter` : use;
  return how === '' ? `${of}: ${what}` : `${of}: ${what} (${how})`;
}

const escaped = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|~]/g, '\\$&');

function introduction({ kind, use, merged, stages }: ResultRecord): string {
  const whole =
    kind === 'adapter'
      ? 'This folder has an adapter in the format of PEFT'
      : 'This folder has a whole model in the format of transformers';
  const reward = use === 'reward model' ? ' It scores answers and does not generate text.' : '';
  const how =
    stages.length === 0 ? ', converted by Keel.' : `, trained with Keel ${stages.at(-1)!.keel}.`;
  return `${whole}${how}${merged ? ' Its adapter is merged into the weights.' : ''}${reward}`;
}

function baseSection({ base }: ResultRecord): string {
  const named = base.repository === null ? code(base.name) : hubLink(base.repository);
  const gguf = base.gguf
    ? ` The base was a GGUF file, ${code(lastPart(base.name))}: quantised weights, which differ slightly from the original ones.`
    : '';
  return `## Base model\n\n${named} (SHA-256 of its files ${code(base.sha256.slice(0, 16))}…).${gguf}`;
}

const hubLink = (name: string): string => `[${escaped(name)}](https://huggingface.co/${name})`;

function stageSection(stage: StageRecord, index: number, count: number): string {
  const heading = count === 1 ? 'Training' : `Training, stage ${index + 1} of ${count}`;
  const objectives = stage.objectives.map(code).join(', ');
  const papers = papersOf(stage);
  const facts = [
    `- Method: ${code(`keel ${stage.verb}`)}${objectives === '' ? '' : `, objective ${objectives}`}`,
    ...(papers.length > 0 ? [`- Papers: ${papers.map(reference).join('; ')}`] : []),
    `- Weights: ${stage.lora ? 'a LoRA adapter; the base is frozen' : 'all'}`,
    `- Optimizer steps: ${stage.steps}`,
    `- Training rows: ${stage.rows} from ${filesOf(stage.data)}`,
    ...(stage.heldOut === null
      ? ['- Held-out rows: none, so there are no metrics on other data']
      : [`- Held-out rows: ${stage.heldOut.rows} from ${filesOf(stage.heldOut.data)}`]),
  ];
  return [
    `## ${heading}`,
    facts.join('\n'),
    optionTable(stage.options),
    resultTable(stage.headlines),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

const filesOf = (data: StageRecord['data']): string =>
  data
    .map(({ name, sha256 }) => `${code(name)} (SHA-256 ${code(sha256.slice(0, 16))}…)`)
    .join(', ');

const reference = ({ name, by, arxiv }: Paper): string =>
  arxiv === null
    ? `${name}, ${by}`
    : `${name}, ${by}, [arXiv:${arxiv}](https://arxiv.org/abs/${arxiv})`;

function optionTable(options: StageRecord['options']): string {
  const rows = Object.entries(options).map(([name, value]) => `| ${code(name)} | ${code(value)} |`);
  if (rows.length === 0) return 'All options have their default values.';
  return [
    'Options that differ from their defaults:\n',
    '| option | value |',
    '|---|---|',
    ...rows,
  ].join('\n');
}

type Headline = StageRecord['headlines'][number];

function resultTable(headlines: readonly Headline[]): string {
  if (headlines.length === 0) return '';
  const rows = headlines.map((one) => {
    const show = formatterOf(one.unit);
    const shown = (found: Headline['after'] | null): string =>
      found === null
        ? '–'
        : `${show(found.value)}${found.interval ? ` (${found.interval.map(show).join(' to ')})` : ''}`;
    const change = one.difference === undefined ? '–' : one.difference.map(show).join(' to ');
    const on = escaped(one.note ?? '');
    return `| ${escaped(one.label)} | ${shown(one.before)} | ${shown(one.after)} | ${change} | ${on} |`;
  });
  return [
    'Metrics, with 95% intervals in brackets where they are known:\n',
    '| metric | before | after | 95% interval of the change | measured on |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function lineageSection({ origin, kind, merged, stages }: ResultRecord): string {
  if (stages.length === 0) return '';
  const parts = [
    code(lastPart(origin)),
    ...stages.map(({ verb, lora }) => `${code(`keel ${verb}`)} (${lora ? 'LoRA' : 'all weights'})`),
    ...(merged && kind === 'model' ? [code('keel merge')] : []),
  ];
  return `## Lineage\n\n${parts.join(' → ')}`;
}

function useSection(record: ResultRecord): string {
  const { kind, use, base } = record;
  const reward = use === 'reward model';
  const task = reward ? 'SequenceClassification' : 'CausalLM';
  const adapter = kind === 'adapter';
  const auto = `${adapter ? 'AutoPeftModelFor' : 'AutoModelFor'}${task}`;
  const python = [
    ...(adapter
      ? [`from peft import ${auto}`, 'from transformers import AutoTokenizer']
      : [`from transformers import ${auto}, AutoTokenizer`]),
    '',
    `model = ${auto}.from_pretrained("${PLACE}"${reward && adapter ? ', num_labels=1' : ''})`,
    `tokenizer = AutoTokenizer.from_pretrained("${PLACE}")`,
  ].join('\n');
  const keel = reward
    ? `npx keel score --reward ${PLACE} --data answers.jsonl`
    : `npx keel chat ${adapter ? '--adapter' : '--model'} ${PLACE}`;
  return [
    '## How to use it',
    ...(adapter && base.gguf ? [baseCommand(record)] : []),
    `With ${adapter ? 'PEFT' : 'transformers'}:`,
    `\`\`\`python\n${python}\n\`\`\``,
    'With Keel:',
    `\`\`\`sh\n${keel}\n\`\`\``,
  ].join('\n\n');
}

/** PEFT cannot load a GGUF file as a base. */
function baseCommand({ base }: ResultRecord): string {
  const otherwise =
    base.repository === null
      ? ''
      : ` Without it, PEFT loads the original ${escaped(base.repository)} from the hub, whose weights differ slightly from those that the adapter was trained on.`;
  return [
    `The base is a GGUF file, which PEFT cannot load. This command writes it as a folder, and names that folder in \`adapter_config.json\`.${otherwise}`,
    `\`\`\`sh\nnpx keel merge --adapter ${PLACE} --base-only --output base\n\`\`\``,
  ].join('\n\n');
}

function limitations({ use, stages }: ResultRecord): string {
  const measured = stages.at(-1)?.headlines.some(({ before }) => before !== null) ?? false;
  const metrics = measured
    ? 'The metrics above are from the named held-out rows only; other text may give other results.'
    : 'It was not evaluated on held-out rows.';
  const what =
    use === 'reward model'
      ? 'Scores compare answers to the same prompt, and reflect the preferences in the training rows.'
      : 'Answers may be wrong, biased or harmful. Training on preferences changes their style more reliably than their facts.';
  return `## Limitations\n\n${metrics} ${what} The limitations and the licence of the base model apply too.`;
}

function citations({ stages }: ResultRecord): string {
  const papers = [...new Map(stages.flatMap(papersOf).map((one) => [one.name, one])).values()];
  if (papers.length === 0) return '';
  return `## References\n\n${papers.map((one) => `- ${reference(one)}`).join('\n')}`;
}
