// The date that a run's chat template prints. It is fixed when the run is started, and stays the
// same when the run is resumed on another day.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { completeDate, localNow } from '../config/template-options.ts';
import { readYamlFile } from '../config/yaml-file.ts';

interface Dated {
  output: string;
  resume: boolean;
  templateDate: string | null;
}

/** Options with the date: the one given, that of the resumed run, or now. */
export function withTemplateDate<Options extends Dated>(
  options: Options,
): Options & { templateDate: string } {
  const { templateDate: asked, resume, output } = options;
  const date = asked ?? (resume ? recordedDate(output) : null);
  return { ...options, templateDate: (date === null ? null : completeDate(date)) ?? localNow() };
}

/** The date in a run's config.yaml, or null. */
function recordedDate(output: string): string | null {
  const path = join(output, 'config.yaml');
  if (!existsSync(path)) return null;
  const file = readYamlFile(path, 'a mapping of options');
  const pair = file.pairs.find((one) => file.keyOf(one) === 'template_date');
  const written = pair && file.writtenOf(pair).written;
  return written?.kind === 'scalar' && completeDate(written.text) !== null ? written.text : null;
}
