import { type Judge, type JudgeOptions, openJudgeOf } from '@keel/align/judges';
import { judgeKinds } from './judge-kinds.ts';

/**
 * Opens a judge: a spec file (.yaml, .json), `model:NAME`, `endpoint:MODEL`, `reward:REWARD`,
 * `module.ts#name`, `program:COMMAND` or `labels:FILE`.
 * @throws ConfigError for an invalid spec, naming file, line and column; Error if a model, module
 *   or file is not available
 */
export const openJudge = (text: string, options: JudgeOptions = {}): Promise<Judge> =>
  openJudgeOf(judgeKinds, text, options);
