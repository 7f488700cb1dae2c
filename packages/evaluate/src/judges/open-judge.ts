import { type Judge, type JudgeOptions, openJudgeOf, readJudge } from '@keel/align/judges';
import { kindsByRubric } from './judge-by-rubric.ts';
import { judgeKinds } from './judge-kinds.ts';

export interface OpenJudgeOptions extends JudgeOptions {
  /** File with what to judge by, in place of these keys of the spec. */
  rubric?: string;
}

/**
 * Opens a judge: a spec file (.yaml, .json), `model:NAME`, `endpoint:MODEL`, `reward:REWARD`,
 * `module.ts#name`, `program:COMMAND` or `labels:FILE`.
 * @throws ConfigError for an invalid spec, naming file, line and column; Error if a model, module
 *   or file is not available
 */
export const openJudge = async (
  text: string,
  { rubric, ...options }: OpenJudgeOptions = {},
): Promise<Judge> =>
  openJudgeOf(rubric === undefined ? judgeKinds : kindsByRubric(judgeKinds, rubric), text, options);

/** Checks a judge's spec without opening it. @throws ConfigError as {@link openJudge} */
export const checkJudge = (text: string): void => void readJudge(text, judgeKinds);
