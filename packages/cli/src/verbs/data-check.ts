import { checkData, faultCount } from '@keel/align/checking';
import { PlainPace } from '@keel/align/internal';
import { openChecked } from '../checking/checked-model.ts';
import { showFindings } from '../checking/findings-display.ts';
import { jsonFindings } from '../checking/findings-json.ts';
import type { DataCheckOptions } from '../options/data-check.ts';
import { complain, sayJson } from '../terminal.ts';

/** @returns 1 if training would refuse a row or the data, or with `--strict` if it warns */
export async function run(options: DataCheckOptions): Promise<number> {
  const { files, evalData, columns, wrapChat, maxLength, maxNewTokens, json, strict } = options;
  const pace = new PlainPace();
  pace.due(0);
  const findings = await checkData({
    ...{ data: files, evalData, columns, wrapChat, maxLength, maxNewTokens },
    verb: options.for,
    model: await openChecked(options, (text) => complain(`note: ${text}`)),
    maxErrors: json ? Number.POSITIVE_INFINITY : (options.maxErrors ?? Number.POSITIVE_INFINITY),
    onProgress: (what, done) => {
      if (!json && done > 0 && pace.due(0)) complain(`${done} ${what}`);
    },
  });
  if (json) sayJson(jsonFindings(findings));
  else showFindings(findings);
  const failed = faultCount(findings) > 0 || (strict && findings.warnings.length > 0);
  return failed ? 1 : 0;
}
