// All kinds of judges.
import { judgeKinds as askedKinds, type JudgeKinds, judgeKind } from '@keel/align/judges';
import { functionJudgeSchema, openFunctionJudge } from './function-judge.ts';
import { openProgramJudge, programJudgeSchema } from './program/program-judge.ts';
import { openRewardJudge, rewardJudgeSchema } from './reward-judge.ts';

export const judgeKinds: JudgeKinds = {
  ...askedKinds,
  reward: judgeKind(rewardJudgeSchema, {
    form: 'reward:REWARD',
    short: (rest) => ({ type: 'reward', reward: rest }),
    open: openRewardJudge,
  }),
  function: judgeKind(functionJudgeSchema, {
    form: 'module.ts#name',
    short: (rest) => ({ type: 'function', module: rest }),
    open: openFunctionJudge,
  }),
  program: judgeKind(programJudgeSchema, {
    form: 'program:COMMAND',
    short: (rest) => ({ type: 'program', command: rest }),
    open: openProgramJudge,
  }),
};
