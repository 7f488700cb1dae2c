// Run by default-model.mjs under Node 24: fetches the default model and notes what it is, so that
// the next set-up sees without reading it that it is still there.
import { statSync } from 'node:fs';
import { ensureDefaultModel } from '../packages/model/src/formats/default-model.ts';
// @ts-expect-error plain JavaScript, shared with the set-up that runs before TypeScript can
import { cacheFolder } from '../packages/torch/src/locate-libtorch.mjs';
// @ts-expect-error plain JavaScript
import { writeAside } from './write-aside.mjs';

const [stamp] = process.argv.slice(2);
if (stamp === undefined) throw new Error('Name the file to write the stamp to.');
// The end of an interrupted set-up reaches pip too: its failure then lets the half of a download be
// removed.
process.on('SIGTERM', () => {});
const path = await ensureDefaultModel({ log: (line: string) => console.log(line) });
const { size, mtimeMs } = statSync(path);
writeAside(stamp, JSON.stringify({ cache: cacheFolder(), path, bytes: size, modified: mtimeMs }));
