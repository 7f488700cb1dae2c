// npm run quickstart: runs setup, then aligns the default model and shows what changed.
import { join } from 'node:path';
import { handOver } from '../packages/cli/bin/hand-over.mjs';
import { pinnedEnvironment, pinnedNode, root } from './places.mjs';
import { setUp } from './setup.mjs';

await setUp({ needModel: true });
const program = join(root, 'packages', 'cli', 'src', 'quickstart', 'quickstart.ts');
await handOver(pinnedNode, [program, ...process.argv.slice(2)], pinnedEnvironment());
