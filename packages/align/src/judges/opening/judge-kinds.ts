// The kinds of judges that rewards can use.
import { relativeToSpec } from '../../config/relative-to-spec.ts';
import { EndpointJudge, endpointJudgeSchema } from '../endpoint/endpoint-judge.ts';
import { modelJudgeSchema, openModelJudge } from '../model/model-judge.ts';
import { judgeKind } from './judge-kind.ts';

export const judgeKinds = {
  model: judgeKind(modelJudgeSchema, {
    form: 'model:NAME',
    short: (rest) => ({ type: 'model', model: rest }),
    open: (spec, folder, options) =>
      openModelJudge(
        {
          ...spec,
          model: relativeToSpec(spec.model, folder),
          ...(spec.adapter !== undefined && { adapter: relativeToSpec(spec.adapter, folder) }),
        },
        options,
      ),
  }),
  endpoint: judgeKind(endpointJudgeSchema, {
    form: 'endpoint:MODEL',
    short: (rest) => ({ type: 'endpoint', model: rest }),
    open: async (spec, _, options) => new EndpointJudge(spec, options),
  }),
};
