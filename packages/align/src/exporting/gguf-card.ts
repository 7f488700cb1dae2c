// README.md of an exported GGUF file: a model card in the hub's format.
import type { ExportChecks } from './evidence.ts';
import type { ExportJob } from './export-job.ts';

export interface GgufCardParts {
  job: Pick<ExportJob, 'options' | 'record' | 'type' | 'base'>;
  /** The file's name. */
  file: string;
  checks: ExportChecks;
  /** Whether there is a Modelfile. */
  modelfile: boolean;
}

export function ggufCard({ job, file, checks, modelfile }: GgufCardParts): string {
  const { record, type, options } = job;
  const adapter = options.to === 'adapter-gguf';
  const { repository, name } = record.base;
  const base = repository ?? name.split(/[\\/]/).at(-1)!;
  const methods = record.stages.map(({ verb }) => `\`keel ${verb}\``);
  const trained = methods.length === 0 ? '' : `, trained with ${methods.join(' and ')}`;
  const what = adapter ? 'A LoRA adapter' : 'A language model';
  return `${[
    frontMatter(repository, adapter),
    `# ${file}`,
    `${what} in ${type} for llama.cpp and ollama, made from ${code(base)}${trained}. It was exported with Keel.`,
    `## Checks\n\nThe file was read again and compared with the model that it was made from:\n\n${checkList(checks)}`,
    `## How to use it\n\n${commands(file, adapter, modelfile)}`,
  ].join('\n\n')}\n`;
}

const code = (text: string): string => `\`${text.replaceAll('`', '')}\``;

function frontMatter(repository: string | null, adapter: boolean): string {
  return [
    '---',
    ...(repository === null
      ? []
      : [
          `base_model: ${JSON.stringify(repository)}`,
          `base_model_relation: ${adapter ? 'adapter' : 'quantized'}`,
        ]),
    'library_name: gguf',
    'pipeline_tag: text-generation',
    'tags:',
    '- "keel"',
    '- "gguf"',
    '---',
  ].join('\n');
}

function checkList({ texts, kl, sameTop, greedy }: ExportChecks): string {
  const lines = [`- the same token ids for ${texts.same} of ${texts.of} texts`];
  if (kl !== null) lines.push(`- KL divergence: ${kl.toExponential(1)} nats per token`);
  if (sameTop !== null) {
    lines.push(`- the same most likely token in ${sameTop.count} of ${sameTop.of} positions`);
  }
  if (greedy !== null) {
    lines.push(`- the same first ${greedy.same} of ${greedy.of} greedy tokens`);
  }
  return lines.join('\n');
}

function commands(file: string, adapter: boolean, modelfile: boolean): string {
  const run = adapter
    ? `llama-server --model base.gguf --lora ${file}`
    : `llama-server --model ${file}`;
  const create = modelfile ? ['ollama create my-model --file Modelfile'] : [];
  return `\`\`\`sh\n${[run, ...create].join('\n')}\n\`\`\``;
}
