// A run in a separate process, to be killed: node align-child.ts '<options as JSON>' <kind>
// ['<moment as JSON>']

import { alignPairs } from '../methods/dpo/run-dpo.ts';
import { trainPpo } from '../methods/ppo/ppo.ts';
import { killAt } from './kill-moment.ts';

const [options, kind, moment] = process.argv.slice(2) as [string, 'dpo' | 'ppo', string?];
if (moment !== undefined) killAt(JSON.parse(moment));
await { dpo: alignPairs, ppo: trainPpo }[kind](JSON.parse(options));
